"""Polars: join_asof for last values, Expr.rolling for windows.

Both frames are sorted by time first, stably, as join_asof wants it, and the spine's order is put back afterwards.

* join_asof: https://docs.pola.rs/api/python/stable/reference/dataframe/api/polars.DataFrame.join_asof.html
* rolling: https://docs.pola.rs/api/python/stable/reference/expressions/api/polars.Expr.rolling.html
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from .wire import Case, arrow, duration, serve

LACKS = {
    "known": "join_asof compares one pair of times",
    "row": "join_asof knows no versions of a row",
    "online": "Polars serves nothing",
}


def answer(case: Case) -> pa.Table:
    """The spine with the column `found`."""
    spine, events = frame(case["spine"]), frame(case["events"])
    found = windowed(case, spine, events) if case["ask"]["window"] else joined(case, spine, events)
    return arrow(case["spine"]).append_column("found", found.sort("place")["found"].to_arrow())


def frame(table: dict[str, Any]) -> pl.DataFrame:
    """The rows with their places and times in UTC, as join_asof wants both of one type; naive times are UTC."""
    made = pl.DataFrame(arrow(table))
    zone = (
        pl.col("time").dt.replace_time_zone
        if made.schema["time"] == pl.Datetime("us")
        else pl.col("time").dt.convert_time_zone
    )
    return made.with_row_index("place").with_columns(zone("UTC"))


def joined(case: Case, spine: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The last value at or before each time, with the place of its question."""
    ask = case["ask"]
    keys = ask["keys"]
    right = events.select(*keys, "time", pl.col("value").alias("found"))
    left = spine.cast({key: events.schema[key] for key in keys})
    return left.sort("time", maintain_order=True).join_asof(
        right.sort("time", maintain_order=True),
        on="time",
        by=keys or None,
        tolerance=duration(ask["ttl"]) if ask["ttl"] else None,
        check_sortedness=False,
    )


def windowed(case: Case, spine: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The fold over the window at each time, with the place of its question."""
    ask = case["ask"]
    width, late = duration(ask["window"]), duration(ask["delay"] or "0s")
    questions = spine.select(*ask["keys"], "time", "place", pl.lit(None, events.schema["value"]).alias("value"))
    happened = events.select(*ask["keys"], "time", pl.lit(None, pl.UInt32).alias("place"), "value")
    rows = pl.concat([happened, questions]).sort("time", maintain_order=True)
    folded = getattr(pl.col("value"), ask["fold"])()
    rolled = folded.rolling("time", period=width, offset=-(width + late), closed=ask["closed"]).over(ask["keys"])
    return rows.with_columns(rolled.alias("found")).filter(pl.col("place").is_not_null())


if __name__ == "__main__":
    serve(answer, LACKS)
