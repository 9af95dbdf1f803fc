"""All readers of the store's room: those of files and frames, and that of its own tables."""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import lance
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import nowthen as nt
from nowthen.engine.errors import Invalid, NotFound, UnknownColumn, WrongType
from nowthen.engine.language.source import SourceSpec
from nowthen.engine.plan.reader import Reader
from nowthen.store.folders.names import new_token
from nowthen.store.sources.conform import conforming
from nowthen.store.sources.frame import as_frame
from nowthen.store.sources.reading import reader_of

from .reader_suite import ROWS, ReaderSuite
from .s3_server import BUCKET, options


class TestFrame(ReaderSuite):
    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        return nt.Frame(rows)


class TestParquet(ReaderSuite):
    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        rows.write_parquet(folder / "rows.parquet", row_group_size=2)
        return nt.Parquet(folder / "rows.parquet")


class TestParquetFolder(ReaderSuite):
    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        (folder / "many" / "deep").mkdir(parents=True)
        rows[:2].write_parquet(folder / "many" / "a.parquet")
        rows[2:3].write_parquet(folder / "many" / "b.parquet")
        rows[3:].write_parquet(folder / "many" / "deep" / "a.parquet")
        (folder / "many" / "_SUCCESS").touch()
        return nt.Parquet(folder / "many")


class TestConformingParquet(ReaderSuite):
    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        spec = SourceSpec("rows", None, "when", (), dict(rows.schema))
        return conforming(spec, TestParquetFolder().reader(folder, rows.with_columns(pl.col("id").cast(pl.Int32))))


class TestCsv(ReaderSuite):
    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        rows.write_csv(folder / "rows.csv", datetime_format="%Y-%m-%dT%H:%M:%S%.6f%:z")
        return nt.Csv(folder / "rows.csv", schema=dict(rows.schema))


class TestLance(ReaderSuite):
    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        lance.write_dataset(table, folder / "rows.lance", max_rows_per_file=2)
        return nt.Lance(folder / "rows.lance")


class TestEventTable(ReaderSuite):
    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        entity = nt.Entity("thing", keys={"id": pl.Int64})
        things = nt.Source("things", nt.Frame(rows), event_time="when", entities=entity)
        store = nt.connect(folder / "store")
        store.ingest(things)
        return store.events(things)


class TestEventTableWithPushedRows(ReaderSuite):
    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        entity = nt.Entity("thing", keys={"id": pl.Int64})
        things = nt.Source("things", nt.Frame(rows[:2]), event_time="when", entities=entity, row_id="id")
        store = nt.connect(folder / "store")
        store.ingest(things)
        store.push(things, rows[2:])
        return store.events(things)


class TestEventTableOnAnObjectStore(ReaderSuite):
    """It travels without secrets: a process that it comes to has them in its environment."""

    @pytest.fixture(autouse=True)
    def _environment(self, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        for name, value in options(server).items():
            monkeypatch.setenv(f"AWS_{name.removeprefix('aws_').upper()}", value)

    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        entity = nt.Entity("thing", keys={"id": pl.Int64})
        things = nt.Source("things", nt.Frame(rows), event_time="when", entities=entity)
        store = nt.connect(f"s3://{BUCKET}/{new_token()}")
        store.ingest(things)
        return store.events(things)


@pytest.mark.parametrize(
    "convert",
    [
        lambda rows: rows,
        lambda rows: rows.lazy(),
        lambda rows: rows.to_pandas(use_pyarrow_extension_array=True),
        lambda rows: rows.to_arrow(),
        lambda rows: rows.to_dict(),
        lambda rows: rows.to_dicts(),
        lambda rows: duckdb.sql("from rows"),
    ],
    ids=["polars", "lazy", "pandas", "arrow", "columns", "rows", "duckdb"],
)
def test_any_frame_is_a_source(convert: Any) -> None:
    rows = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert nt.Frame(convert(rows)).read(["a", "b"]).equals(rows)


def test_times_of_pandas_keep_their_instants() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2026-01-01 10:00", "2026-01-02 00:00"], utc=True)})
    assert nt.Frame(frame).read(["t"])["t"].dt.timestamp("ms").to_list() == [1767261600000, 1767312000000]


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(WrongType, match="int is not a dataframe"):
        nt.Frame(3)


def test_rows_that_lack_a_column_others_have_are_refused() -> None:
    with pytest.raises(Invalid, match=r"row 1 lacks \['b'\]"):
        as_frame([{"a": 1, "b": 2}, {"a": 3}])


def test_a_missing_file_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "sales.parquet").touch()
    with pytest.raises(NotFound, match=r"nothing is at .*Did you mean 'sales.parquet'"):
        nt.Parquet(tmp_path / "sale.parquet").schema()


def test_a_missing_file_is_what_python_calls_it_too(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nt.Csv(tmp_path / "nowhere" / "x.csv").schema()


@pytest.mark.parametrize("reader", [nt.Parquet, nt.Csv])
def test_an_empty_file_is_named(tmp_path: Path, reader: Any) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(Invalid, match="is empty: 0 bytes"):
        reader(tmp_path / "x").schema()


@pytest.mark.parametrize("reader", [nt.Parquet, nt.Csv, nt.Lance])
def test_a_folder_without_files_is_refused(tmp_path: Path, reader: Any) -> None:
    with pytest.raises(NotFound):
        reader(tmp_path).schema()


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"this is no parquet file at all")
    with pytest.raises(Invalid, match=r"x\.parquet cannot be read"):
        nt.Parquet(tmp_path / "x.parquet").schema()


def test_credentials_in_an_address_are_never_shown() -> None:
    reader = nt.Parquet("s3://key:secret@bucket/a.parquet?sig=hidden")
    assert "secret" not in repr(reader) + reader.describe()
    assert "hidden" not in repr(reader) + reader.describe()


def test_a_csv_knows_dates_and_times(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n,day,at\n1,2026-01-02,2026-01-02 03:04:05\n")
    reader = nt.Csv(tmp_path / "x.csv")
    assert reader.read(["n", "day", "at"]).row(0) == (1, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5))


def test_a_csv_takes_the_types_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n,at\n1,2026-01-02T03:04:05+02:00\n")
    reader = nt.Csv(tmp_path / "x.csv", schema={"n": pl.Float64, "at": pl.Datetime("us", "UTC")})
    assert reader.read(["n"])["n"].to_list() == [1.0]
    assert reader.read(["at"])["at"].dt.hour().to_list() == [1]


def test_a_csv_told_of_a_column_it_has_not_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n\n1\n")
    with pytest.raises(UnknownColumn, match="schema= names 'm'"):
        nt.Csv(tmp_path / "x.csv", schema={"m": pl.Int64}).schema()


def test_a_csv_value_that_does_not_fit_its_type_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n\n1\nx\n")
    with pytest.raises(Invalid, match="cannot be read"):
        nt.Csv(tmp_path / "x.csv", schema={"n": pl.Int64}).read(["n"])


def test_a_version_of_a_lance_table_can_be_pinned(tmp_path: Path) -> None:
    lance.write_dataset(pa.table({"a": [1]}), tmp_path / "x.lance")
    lance.write_dataset(pa.table({"a": [2]}), tmp_path / "x.lance", mode="append")
    assert nt.Lance(tmp_path / "x.lance", version=1).read(["a"])["a"].to_list() == [1]


@pytest.mark.parametrize("path, kind", [("a.parquet", "Parquet"), ("a.csv.gz", "Csv"), ("b/c.lance/", "Lance")])
def test_a_path_is_read_by_its_ending(path: str, kind: str) -> None:
    assert type(reader_of(path)).__name__ == kind


def test_a_folder_is_read_by_what_is_in_it(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "a.parquet")
    assert reader_of(tmp_path).read(["id"]).height == ROWS.height


def test_a_path_that_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="does not say what it is"):
        reader_of(tmp_path / "data")
