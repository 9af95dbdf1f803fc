"""What is read is checked first: the columns read and no others, once, and again where a file has changed."""

from __future__ import annotations

import errno
import importlib
import os
from pathlib import Path

import pyarrow as pa
import pytest

from nowthen.engine.errors import Corrupt
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.ports import Version
from nowthen.store.tables.sums import REST, Sums
from nowthen.store.tables.tables import Tables

from .tabled import PLACE, read, rows, stored


class Store:
    """A table, and ways to harm it."""

    def __init__(self, root: Path) -> None:
        self.folder = LocalFolder(root)
        self.tables = Tables(self.folder)
        self.version: Version = stored(self.folder, self.tables, [rows(), rows(500, 600)])
        self.file, self.other = sorted((root / PLACE / "data").glob("*.lance"))

    @property
    def sums(self) -> Path:
        return self.file.with_name(self.file.name + ".sums")

    def column(self, name: str) -> int:
        """A byte in the middle of a column."""
        (first, last), *_ = Sums.read(self.sums.read_bytes()).columns[name][0]
        return (first + last) // 2


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def flip(path: Path, at: int) -> None:
    """Turn a bit, as a disk may, without any sign of it."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[at] ^= 4
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", [name for name in rows().column_names if name != "none"])
def test_a_damaged_column_is_refused_and_the_others_are_not(store: Store, name: str) -> None:
    flip(store.file, store.column(name))
    others = [other for other in rows().column_names if other != name]
    assert read(Tables(store.folder), store.version, others).num_rows == 1100
    with pytest.raises(Corrupt, match=f"{store.file.name}.*{name}"):
        read(Tables(store.folder), store.version, [name])


def test_damage_in_what_says_where_columns_are_is_refused(store: Store) -> None:
    flip(store.file, store.column(REST))
    with pytest.raises(Corrupt, match=store.file.name):
        read(Tables(store.folder), store.version, ["key"])


def test_without_sums_a_file_is_checked_as_a_whole(store: Store) -> None:
    at = store.column("name")
    store.sums.unlink()
    assert read(Tables(store.folder), store.version).num_rows == 1100
    flip(store.file, at)
    with pytest.raises(Corrupt, match="digest"):
        read(Tables(store.folder), store.version, ["key"])


@pytest.mark.parametrize("harm", [b"", b"{}", b"[]", b"null", b'{"self":1}', b"\xff\xfe", b'{"columns":3,"self":0}'])
def test_sums_that_are_not_as_they_were_are_as_good_as_none(store: Store, harm: bytes) -> None:
    store.sums.write_bytes(harm)
    assert read(Tables(store.folder), store.version).num_rows == 1100
    flip(store.file, store.file.stat().st_size // 3)
    with pytest.raises(Corrupt, match="digest"):
        read(Tables(store.folder), store.version)


def test_every_bit_of_the_sums_is_vouched_for(store: Store) -> None:
    content = store.sums.read_bytes()
    right = Sums.read(content)
    for bit in range(0, len(content) * 8, 7):
        harmed = bytearray(content)
        harmed[bit // 8] ^= 1 << bit % 8
        try:
            assert Sums.read(bytes(harmed)) == right
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def test_files_that_changed_places_are_refused_with_their_sums_too(store: Store) -> None:
    for left, right in ((store.file, store.other), (store.sums, store.other.with_name(store.other.name + ".sums"))):
        kept = left.read_bytes()
        left.write_bytes(right.read_bytes())
        right.write_bytes(kept)
    with pytest.raises(Corrupt):
        read(Tables(store.folder), store.version)


def test_a_file_of_another_size_is_refused(store: Store) -> None:
    with store.file.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(Corrupt, match="bytes"):
        read(Tables(store.folder), store.version, ["key"])


def test_a_column_is_checked_once(store: Store) -> None:
    read(store.tables, store.version, ["key"])
    flip(store.file, store.column("key"))
    read(store.tables, store.version, ["key"])
    with pytest.raises(Corrupt):
        read(Tables(store.folder), store.version, ["key"])


def test_a_file_that_changed_since_is_checked_again(store: Store) -> None:
    read(store.tables, store.version, ["key"])
    flip(store.file, store.column("key"))
    store.file.touch()
    with pytest.raises(Corrupt):
        read(store.tables, store.version, ["key"])


def test_what_the_disk_does_not_give_back_is_damage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "preadv", broken)
    with pytest.raises(Corrupt, match=store.file.name):
        read(Tables(store.folder), store.version, ["key"])


@pytest.fixture
def grouped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[LocalFolder, Version]:
    """A table of six files, each of which is a group of its own."""
    monkeypatch.setattr(importlib.import_module("nowthen.store.tables.tables"), "_GROUP_BYTES", 1)
    folder = LocalFolder(tmp_path / "grouped")
    return folder, stored(folder, Tables(folder), [rows(100, 100 * number) for number in range(6)])


def test_files_are_checked_ahead_and_read_in_their_order(grouped: tuple[LocalFolder, Version]) -> None:
    folder, version = grouped
    assert read(Tables(folder), version).equals(pa.concat_tables([rows(100, 100 * n) for n in range(6)]))


def test_damage_further_on_ends_a_read_before_its_rows_come(grouped: tuple[LocalFolder, Version]) -> None:
    folder, version = grouped
    tables = Tables(folder)
    flip(folder.root / PLACE / tables.opened(PLACE, version)[1][4].parts[0].path, 9)
    seen = []
    with pytest.raises(Corrupt):
        seen += [batch.num_rows for batch in tables.batches(PLACE, version, ["key"])]
    assert len(seen) <= 4
    found = tables.batches(PLACE, version, ["key"])
    assert next(found).num_rows == 100
    found.close()  # type: ignore[attr-defined]
