"""What the store leans on inside Lance. If one of these fails after an upgrade, look at docs/adr/0006 before anything else."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3

from nowthen.engine.errors import Corrupt, Forbidden, NowThenError, Unavailable
from nowthen.store.ports import DataPart
from nowthen.store.tables import table_manifest
from nowthen.store.tables.data_file import leaf_fields, places, written
from nowthen.store.tables.lance_errors import speaking
from nowthen.store.tables.lance_library import DataFile, FragmentMetadata, LanceDataset, LanceFileReader, Session, lance
from nowthen.store.tables.sums import Ranges
from nowthen.store.tables.table_manifest import made, opened, stretches_of

from .tabled import rows, stretch


@pytest.fixture
def part(tmp_path: Path) -> DataPart:
    return written(tmp_path / "table" / "data", "b", "0" * 12, rows().to_batches(), rows().schema)


def manifest(tmp_path: Path, part: DataPart, schema: pa.Schema | None = None) -> tuple[str, bytes]:
    draft = tmp_path / "draft"
    draft.mkdir(exist_ok=True)
    return made(draft, schema or rows().schema, [stretch(part)])


def looked_at(tmp_path: Path, number: str, content: bytes) -> LanceDataset:
    return opened(str(tmp_path / "table"), {}, number, content, Session(0, 0))


def test_a_detached_commit_is_no_part_of_a_history_and_its_number_is_beyond_int64(
    tmp_path: Path, part: DataPart
) -> None:
    number, _ = manifest(tmp_path, part)
    assert int(number) >= 2**63
    assert lance.dataset(str(tmp_path / "draft" / "lance")).version == 1


def test_a_manifest_is_made_where_the_files_are_not_and_opens_where_it_is_not_itself(
    tmp_path: Path, part: DataPart
) -> None:
    number, content = manifest(tmp_path, part)
    assert [path.name for path in (tmp_path / "table").iterdir()] == ["data"]
    table = looked_at(tmp_path, number, content)
    assert table.to_table().equals(rows())
    assert str(table.version) == number


def test_lance_itself_opens_a_manifest_in_its_place(tmp_path: Path, part: DataPart) -> None:
    number, content = manifest(tmp_path, part)
    path = tmp_path / "table" / table_manifest.path_of(number)
    path.parent.mkdir()
    path.write_bytes(content)
    assert lance.dataset(str(tmp_path / "table"), version=int(number)).to_table().equals(rows())


def test_the_size_of_a_file_that_is_not_there_must_be_told(tmp_path: Path, part: DataPart) -> None:
    lance.write_dataset(rows(0), tmp_path / "other", data_storage_version="2.1")
    leaves = [leaf for ids in leaf_fields(rows().schema).values() for leaf in ids]

    def commit(*size: int) -> None:
        file = DataFile(Path(part.path).name, leaves, list(range(len(leaves))), 2, 1, *size)
        operation = lance.LanceOperation.Overwrite(rows().schema, [FragmentMetadata(0, [file], part.rows)])
        LanceDataset.commit(str(tmp_path / "other"), operation, read_version=1, detached=True)

    commit(part.bytes)
    with pytest.raises(OSError, match=r"[Nn]ot found"):
        commit()


def test_fields_are_numbered_by_their_place_in_the_schema(tmp_path: Path, part: DataPart) -> None:
    schema = pa.schema([rows().schema.field(name) for name in ("list", "key", "pair")])
    number, content = manifest(tmp_path, part, schema)
    table = looked_at(tmp_path, number, content)
    assert leaf_fields(schema) == {"list": [1], "key": [2], "pair": [4, 6]}
    assert [field.id() for field in table.lance_schema.fields()] == [0, 2, 3]
    assert table.to_table().equals(rows().select(["list", "key", "pair"]))
    (found,) = stretches_of(schema, table.get_fragments())
    (kept,) = found.parts
    assert dict(zip(kept.columns, kept.at)) == {name: part.at[part.columns.index(name)] for name in schema.names}


def test_a_column_that_no_file_has_is_null(tmp_path: Path, part: DataPart) -> None:
    number, content = manifest(tmp_path, part, rows().schema.append(pa.field("more", pa.large_string())))
    assert looked_at(tmp_path, number, content).to_table(columns=["more"])["more"].null_count == 600


def test_a_file_says_where_the_pages_of_its_columns_lie(tmp_path: Path) -> None:
    columns = {name: np.random.default_rng(seed).random(70_000) for seed, name in enumerate("abc")}
    table = pa.table({**columns, "d": pa.nulls(70_000, pa.int64())})
    path, found = file_of(tmp_path, table)
    assert list(found) == ["a", "b", "c", "d"]
    assert found["d"] == ()
    assert LanceFileReader(str(path)).metadata().num_rows == 70_000
    other, places_there = file_of(tmp_path, table.set_column(1, "b", pa.array(columns["b"][::-1])))
    same = {name: held(path, found[name]) == held(other, places_there[name]) for name in "abc"}
    assert same == {"a": True, "b": False, "c": True}
    assert all(len(held(path, found[name])) > 7 * 70_000 for name in "abc")


def file_of(tmp_path: Path, table: pa.Table) -> tuple[Path, dict[str, Ranges]]:
    batches = table.to_batches(max_chunksize=30_000)
    path = tmp_path / written(tmp_path / "data", "b", "0" * 12, batches, table.schema).path
    return path, places(path)


def held(path: Path, ranges: Ranges) -> bytes:
    return b"".join(path.read_bytes()[first:last] for first, last in ranges)


def test_lance_opens_most_broken_manifests_without_a_word_or_panics(tmp_path: Path, part: DataPart) -> None:
    number, content = manifest(tmp_path, part)
    silent, right = 0, looked_at(tmp_path, number, content).to_table()
    for seed in range(60):
        generator = np.random.default_rng(seed)
        broken = bytearray(content)
        broken[generator.integers(len(broken))] ^= 1 << int(generator.integers(8))
        try:
            with speaking("it"):
                silent += looked_at(tmp_path, number, bytes(broken)).to_table().equals(right)
        except (NowThenError, struct.error):
            continue
    assert silent > 0


class PanicException(BaseException):
    """What pyo3 raises where Lance panics, by its name: its class cannot be imported."""


def test_a_panic_is_damage() -> None:
    with pytest.raises(Corrupt, match="gave up"), speaking("data/x.lance"):
        raise PanicException("index out of bounds")


def test_an_interrupt_is_none() -> None:
    with pytest.raises(KeyboardInterrupt), speaking("data/x.lance"):
        raise KeyboardInterrupt


def test_a_digest_of_a_file_is_in_its_name(tmp_path: Path, part: DataPart) -> None:
    digest = blake3((tmp_path / "table" / part.path).read_bytes()).hexdigest()
    assert part.path == f"data/b.{'0' * 12}.{digest[:32]}.lance"


@pytest.mark.parametrize(
    "text, kind",
    [("Generic S3 error: connection reset", Unavailable), ("status 403 Forbidden: AccessDenied", Forbidden)],
)
def test_what_an_object_store_says_is_told_without_secrets(text: str, kind: type[NowThenError]) -> None:
    told = f"{text} at https://me:word@host/a?X-Amz-Signature=abc: hidden-key <Error><AWSAccessKeyId>AKIA</Error>"
    with pytest.raises(kind, match="tables/x could not be read") as caught, speaking("tables/x", {"k": "hidden-key"}):
        raise OSError(told)
    assert [one for one in ("word", "abc", "hidden-key", "AKIA") if one in str(caught.value)] == []
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("told, faults", [({}, False), ({"MALLOC_MMAP_THRESHOLD_": "131072"}, True)])
def test_heaps_keep_what_lance_gives_back_unless_the_c_library_was_told_otherwise(
    told: dict[str, str], faults: bool
) -> None:
    code = """
import resource
from nowthen.store.tables import lance_library
import numpy as np

def touched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.empty(2 << 20, dtype=np.uint8)[::4096] = 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

touched()
print(min(touched() for _ in range(5)))
"""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")} | told
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert (int(ran.stdout) > 100) == faults
