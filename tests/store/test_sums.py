"""Sums cover every byte of a file once, and say the same after they were written and read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from blake3 import blake3
from xxhash import xxh3_64_hexdigest

from nowthen.store.tables.data_file import written
from nowthen.store.tables.sums import REST, Sums, digest_in

from .tabled import rows


@pytest.fixture(params=[0, 1, 600, 70_000])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Sums]:
    part = written(tmp_path / "data", "b", "0" * 12, rows(request.param).to_batches(), rows().schema)
    path = tmp_path / part.path
    return path, Sums.read(path.with_name(path.name + ".sums").read_bytes())


def test_they_cover_every_byte_once(made: tuple[Path, Sums]) -> None:
    path, sums = made
    spans = sorted(span for ranges, _ in sums.columns.values() for span in ranges)
    assert (spans[0][0], spans[-1][1]) == (0, path.stat().st_size)
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def test_they_are_those_of_the_bytes(made: tuple[Path, Sums]) -> None:
    path, sums = made
    content = path.read_bytes()
    assert sums.digest == blake3(content).hexdigest()
    assert sums.digest.startswith(digest_in(path.name))
    for ranges, xxh3 in sums.columns.values():
        assert xxh3_64_hexdigest(b"".join(content[first:last] for first, last in ranges)) == xxh3


def test_every_column_has_its_own(made: tuple[Path, Sums]) -> None:
    assert set(made[1].columns) == {*rows().column_names, REST}


def test_reading_what_was_written_gives_the_same(made: tuple[Path, Sums]) -> None:
    assert Sums.read(made[1].written()) == made[1]


def test_columns_of_any_name_are_told_apart(tmp_path: Path) -> None:
    names = ['"self":1,"size":"', "ä", "a b", "\\", "c0@f"]
    table = pa.table({name: pa.array([number]) for number, name in enumerate(names)})
    part = written(tmp_path / "data", "b", "0" * 12, table.to_batches(), table.schema)
    path = tmp_path / part.path
    assert set(Sums.read(path.with_name(path.name + ".sums").read_bytes()).columns) == {*names, REST}
