"""Files that are as they were are not read again, where that changes no answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.store.sources.parquet import PinnedParquet
from nowthen.store.store import Store

from . import shop

KNOWN = {"known_time": "known"}


def write(folder: Path, name: str, rows: pl.DataFrame) -> None:
    folder.mkdir(exist_ok=True)
    rows.with_columns(known=pl.col("when") + timedelta(hours=1)).write_parquet(folder / f"{name}.parquet")


def source(folder: Path, **options: Any) -> nt.Source:
    return shop.source(nt.Parquet(folder), **options)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The files of each piece that is read."""
    found: list[int] = []
    plain = PinnedParquet.read

    def reading(self: PinnedParquet, *given: Any) -> pl.DataFrame:
        found.append(len(self.held))
        return plain(self, *given)

    monkeypatch.setattr(PinnedParquet, "read", reading)
    return found


def test_a_source_whose_files_are_as_they_were_is_not_read(store: Store, tmp_path: Path, read: list[int]) -> None:
    write(tmp_path / "in", "a", shop.sales(20))
    store.ingest(source(tmp_path / "in"))
    done = store.ingest(source(tmp_path / "in"))
    assert (read, done.new, done.duplicates, done.version) == ([1], 0, 20, 1)


def test_a_file_that_was_written_anew_is_read(store: Store, tmp_path: Path, read: list[int]) -> None:
    write(tmp_path / "in", "a", shop.sales(20))
    store.ingest(source(tmp_path / "in"))
    write(tmp_path / "in", "a", shop.sales(25))
    assert (store.ingest(source(tmp_path / "in")).new, len(read)) == (5, 2)


def test_only_new_files_are_read_where_versions_are_a_set(store: Store, tmp_path: Path, read: list[int]) -> None:
    for n in range(4):
        write(tmp_path / "in", f"{n}", shop.sales(10, first=10 * n))
        done = store.ingest(source(tmp_path / "in", **KNOWN))
    assert (read, done.new, done.duplicates, done.rows) == ([1, 1, 1, 1], 10, 30, 40)


def test_all_files_are_read_where_the_last_row_of_an_id_counts(store: Store, tmp_path: Path, read: list[int]) -> None:
    write(tmp_path / "in", "a", shop.sales(10))
    write(tmp_path / "in", "c", shop.sales(10).with_columns(amount=pl.lit(9.0)))
    store.ingest(source(tmp_path / "in"))
    write(tmp_path / "in", "b", shop.sales(10).with_columns(amount=pl.lit(5.0)))
    assert (store.ingest(source(tmp_path / "in")).new, read) == (0, [2, 3])


def test_what_a_push_changed_the_source_says_again(store: Store, tmp_path: Path) -> None:
    write(tmp_path / "in", "a", shop.sales(10))
    tx = source(tmp_path / "in")
    store.ingest(tx)
    store.push(tx, shop.sales(1).with_columns(amount=pl.lit(9.0), known=pl.col("when")))
    store.drain(tx)
    assert store.ingest(tx).corrections == 1


def test_replaced_rows_come_again_from_a_source_that_still_has_them(store: Store, tmp_path: Path) -> None:
    write(tmp_path / "in", "a", shop.sales(10))
    tx = source(tmp_path / "in", **KNOWN)
    store.ingest(tx)
    store.replace(tx, shop.sales(0).with_columns(known="when"), shop.START, shop.START + timedelta(hours=4))
    assert store.ingest(tx).new == 4


def test_an_entry_says_which_files_its_rows_came_from(store: Store, tmp_path: Path) -> None:
    write(tmp_path / "in", "a", shop.sales(10))
    store.ingest(source(tmp_path / "in"))
    (piece,) = store.history()[-1].lineage["read"]
    assert piece.startswith(f"piece:{tmp_path}/in/a.parquet#")


def test_csv_files_are_known_too(store: Store, tmp_path: Path) -> None:
    shop.sales(10).write_csv(tmp_path / "a.csv")
    tx = shop.source(nt.Csv(tmp_path / "a.csv", schema={"when": pl.Datetime("us", "UTC")}))
    assert [store.ingest(tx).new for _ in range(2)] == [10, 0]


def test_a_column_that_the_files_always_had_is_read_once_it_is_asked_for(store: Store, tmp_path: Path) -> None:
    write(tmp_path / "in", "a", shop.sales(10))
    fewer = dict(shop.sales().drop("amount").schema)
    store.ingest(source(tmp_path / "in", schema=fewer))
    tx = source(tmp_path / "in", schema=dict(shop.sales().schema))
    store.ingest(tx)
    last = store.events(tx).read(["sale", "amount"]).unique("sale", keep="last", maintain_order=True)
    assert last.equals(shop.sales(10).select("sale", "amount"))


def test_files_are_read_behind_what_was_pushed_whether_or_not_that_was_drained_before(
    tmp_path: Path, store: Store
) -> None:
    found = []
    for drained in (True, False):
        write(tmp_path / "in", "a", shop.sales(5))
        tx = source(tmp_path / "in", name=f"sales_{drained}")
        store.ingest(tx)
        store.push(tx, [shop.row(3, 3, amount=-1.0, known=shop.START)])
        if drained:
            store.drain(tx)
        store.ingest(tx)
        assert store.ingest(tx).new == 0
        found.append(store.scan(tx).collect().sort("sale"))
    assert found[0].equals(found[1])
    assert found[0]["amount"][3] == shop.sales(5)["amount"][3]


def test_a_column_that_is_widened_is_read_again_as_exactly_as_it_stands_there(store: Store, tmp_path: Path) -> None:
    rows = shop.sales(3).with_columns(amount=pl.lit(0.1))
    write(tmp_path / "in", "a", rows)
    store.ingest(source(tmp_path / "in", schema={**rows.schema, "amount": pl.Float32()}))
    tx = source(tmp_path / "in", schema=dict(rows.schema))
    assert store.ingest(tx).corrections == 3
    assert store.scan(tx).collect()["amount"].to_list() == [0.1] * 3
