"""A row without a row_id lay beside corrected rows: whether it was one of those to go was null, which no mask takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

import nowthen as nt

START = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = nt.Entity("shop", keys={"shop": pl.String})


def rows(days: list[int], ids: list[int | None], known: list[int]) -> pl.DataFrame:
    at = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        {
            "id": pl.Series(ids, dtype=pl.Int64),
            "when": pl.Series([START + timedelta(days=day) for day in days], dtype=at),
            "known": pl.Series([START + timedelta(days=day) for day in known], dtype=at),
            "shop": ["a"] * len(days),
        }
    )


def source(frame: pl.DataFrame) -> nt.Source:
    return nt.Source("sales", nt.Frame(frame), event_time="when", known_time="known", row_id="id", entities=[SHOP])


def test_rows_without_ids_stay_where_corrected_ones_are_replaced(tmp_path: Path) -> None:
    store = nt.connect(tmp_path / "store")
    tx = source(rows([0, 0, 3, 3], [1, 1, None, 2], [1, 2, 4, 4]))
    store.ingest(tx)
    store.replace(tx, rows([0], [5], [1]), START, START + timedelta(days=1))
    found = store.events(tx).read(["id", "when"]).sort("when", "id")
    assert found["id"].to_list() == [5, None, 2]
