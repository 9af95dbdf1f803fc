"""Tables as lists of files: what is written is what is read, whatever files stand side by side, and nothing is there before it is taken in."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from nowthen.engine.errors import Corrupt
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.folders.names import new_token
from nowthen.store.ports import DataPart, Version
from nowthen.store.tables.lost import LostFile
from nowthen.store.tables.tables import Tables

from .tabled import PLACE, read, rows, stored, stretch


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path)


@pytest.fixture
def tables(folder: LocalFolder) -> Tables:
    return Tables(folder)


@pytest.fixture
def version(folder: LocalFolder, tables: Tables) -> Version:
    return stored(folder, tables, [rows(), rows(50, 600)])


def test_rows_come_back_as_they_were_in_the_order_of_their_files(tables: Tables, version: Version) -> None:
    assert read(tables, version).equals(pa.concat_tables([rows(), rows(50, 600)]))


def test_a_version_says_what_it_holds(tables: Tables, version: Version) -> None:
    schema, stretches = tables.opened(PLACE, version)
    assert schema == rows().schema
    assert [one.rows for one in stretches] == [600, 50]
    assert (version.rows, version.files) == (650, 2)
    assert version.bytes == sum(part.bytes for one in stretches for part in one.parts)


def test_some_columns_of_some_stretches_are_read_alone(folder: LocalFolder, tables: Tables, version: Version) -> None:
    _, stretches = tables.opened(PLACE, version)
    (folder.root / PLACE / stretches[0].parts[0].path).unlink()
    found = pa.Table.from_batches(tables.batches(PLACE, version, ["name", "key"], stretches[1:]))
    assert found.equals(rows(50, 600).select(["name", "key"]))


def test_nothing_is_there_before_it_is_taken_in(folder: LocalFolder, tables: Tables) -> None:
    with folder.draft(new_token()) as draft:
        tables.write(PLACE, "b0000.s0", rows().to_batches(), rows().schema, draft, "0" * 12)
        assert list(folder.listed("tables")) == []
        tables.take_in(draft)
        assert len(list(folder.listed("tables"))) == 2
        tables.take_in(draft)


def test_files_written_at_once_by_several_threads_are_all_whole(folder: LocalFolder, tables: Tables) -> None:
    parts = [rows(300, 300 * number) for number in range(8)]
    with folder.draft(new_token()) as draft, ThreadPoolExecutor(4) as threads:

        def write(number: int) -> DataPart:
            part = parts[number]
            return tables.write(PLACE, f"b{number:04d}.s0", part.to_batches(), part.schema, draft, "0" * 12)

        made = list(threads.map(write, range(8)))
        tables.take_in(draft)
        version = tables.version(PLACE, rows().schema, [stretch(part) for part in made], draft)
    assert read(tables, version).equals(pa.concat_tables(parts))


def test_a_file_that_could_not_be_written_leaves_nothing_behind(folder: LocalFolder, tables: Tables) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from rows().to_batches()
        raise KeyboardInterrupt

    with folder.draft(new_token()) as draft:
        with pytest.raises(KeyboardInterrupt):
            tables.write(PLACE, "b0000.s0", failing(), rows().schema, draft, "0" * 12)
        tables.take_in(draft)
    assert list(folder.listed("tables")) == []


@pytest.mark.parametrize("name", ["Amount", "größe", "a b", "a-b", "a'b", 'a"b', "select", "c0f@1", "a\\b", "count(*)"])
def test_a_column_of_any_name_is_read_by_it(folder: LocalFolder, tables: Tables, name: str) -> None:
    table = pa.table({"x": [1, 2], name: [3, 4]})
    version = stored(folder, tables, [table])
    assert read(tables, version, [name])[name].to_pylist() == [3, 4]


def test_columns_of_several_files_stand_side_by_side(folder: LocalFolder, tables: Tables) -> None:
    left, right = rows().select(["pair", "key"]), rows().select(["name", "list", "amount"])
    schema = pa.schema([right.schema.field("list"), *left.schema, right.schema.field("amount")])
    with folder.draft("0" * 12) as draft:
        made = [tables.write(PLACE, stem, part.to_batches(), part.schema, draft, "0" * 12) for stem, part in (("k", left), ("c", right))]  # fmt: skip
        tables.take_in(draft)
        version = tables.version(PLACE, schema, [stretch(*made)], draft)
    assert read(tables, version).equals(rows().select(["list", "pair", "key", "amount"]))
    assert tables.opened(PLACE, version)[1][0].parts[1].columns == ("list", "amount")


def test_a_column_that_a_file_has_not_is_null(folder: LocalFolder, tables: Tables) -> None:
    wide = rows(40).append_column("more", pa.array([{"x": i} for i in range(40)]))
    version = stored(folder, tables, [rows(60), wide], wide.schema)
    found = read(tables, version, ["more", "key"])
    assert found["more"].null_count == 60
    assert found["more"].slice(60).to_pylist() == [{"x": i} for i in range(40)]
    assert read(tables, version, ["more"]).num_rows == 100


def test_an_older_version_reads_as_before(folder: LocalFolder, tables: Tables, version: Version) -> None:
    before = read(tables, version)
    _, stretches = tables.opened(PLACE, version)
    kept = [name for name in before.column_names if name != "pair"]
    parts = [
        stretch(*(replace(p, columns=p.columns[:5] + p.columns[6:], at=p.at[:5] + p.at[6:]) for p in one.parts))
        for one in stretches
    ]
    with folder.draft(new_token()) as draft:
        newer = tables.version(PLACE, before.select(kept).schema, parts, draft)
    assert read(Tables(folder), newer).equals(before.select(kept))
    assert read(Tables(folder), version).equals(before)


def test_a_version_without_files_and_a_file_without_rows_are_no_error(folder: LocalFolder, tables: Tables) -> None:
    nothing = stored(folder, tables, [rows(0)])
    assert read(tables, nothing).equals(rows(0))
    with folder.draft(new_token()) as draft:
        empty = tables.version(PLACE, rows().schema, [], draft)
    assert read(tables, empty).equals(rows(0))


def test_metadata_of_fields_is_kept(folder: LocalFolder, tables: Tables) -> None:
    marked = pa.schema([pa.field("key", pa.int64(), metadata={b"about": b"who"})])
    version = stored(folder, tables, [rows().select(["key"])], marked)
    assert tables.opened(PLACE, version)[0].field("key").metadata == {b"about": b"who"}


def test_columns_come_without_being_copied(tables: Tables, version: Version) -> None:
    batch = next(tables.batches(PLACE, version, ["time"]))
    import polars as pl

    series = pl.DataFrame(batch)["time"]
    assert series.to_arrow().buffers()[1].address == batch["time"].buffers()[1].address


def test_they_travel_to_another_process(tables: Tables, version: Version) -> None:
    assert read(pickle.loads(pickle.dumps(tables)), version).equals(read(tables, version))


def test_all_that_a_version_needs_is_named(folder: LocalFolder, tables: Tables, version: Version) -> None:
    assert sorted(tables.paths(PLACE, version)) == sorted(path for path, *_ in folder.listed("tables"))


def test_a_missing_file_is_named(folder: LocalFolder, tables: Tables, version: Version) -> None:
    path = next(path for path in tables.paths(PLACE, version) if path.endswith(".lance"))
    folder.delete([path])
    with pytest.raises(LostFile, match=Path(path).name):
        read(tables, version)


def test_a_missing_version_is_named(folder: LocalFolder, version: Version) -> None:
    path = next(path for path, *_ in folder.listed("tables") if path.endswith(".manifest"))
    folder.delete([path])
    with pytest.raises(LostFile, match="manifest"):
        Tables(folder).opened(PLACE, version)


def test_the_manifest_of_another_version_is_no_manifest_of_this(
    folder: LocalFolder, tables: Tables, version: Version
) -> None:
    other = stored(folder, tables, [rows(10)])
    first, second = (folder.root / PLACE / "_versions" / f"d{one.number}.manifest" for one in (version, other))
    first.write_bytes(second.read_bytes())
    with pytest.raises(Corrupt, match=first.name):
        Tables(folder).opened(PLACE, version)
