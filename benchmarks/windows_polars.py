"""The folds in Polars: the spine's rows among the events, rolling windows over all of them, and the rows of the spine kept.

Rows of the spine have no amount, so that folds skip them, and stand behind events of equal time. Two ways: `frame` rolls the frame by key, one window at
a time (the fastest we know in Polars 2.1: all windows at once take half as much again, the streaming engine takes as long); `over` evaluates
`Expr.rolling` in each key. The latest value is filled forward once for all windows, and belongs to those that are not empty.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
from windows_columns import QUANTILE, WIDTHS_US, columns_read, name

FOREVER = "36500d"
AMOUNT = pl.col("amount")
FOLDS = {
    "count": AMOUNT.count(),
    "sum": AMOUNT.sum(),
    "mean": AMOUNT.mean(),
    "std": AMOUNT.std(),
    "min": AMOUNT.min(),
    "max": AMOUNT.max(),
    "quantile": AMOUNT.quantile(QUANTILE, interpolation="linear"),
    # The row asked at is in its own window, and its null counts as a value.
    "n_unique": pl.col("merchant").n_unique() - 1,
}
IS_ASKED = pl.col("label").is_not_null()


def prepare(data: Path, variant: str, windows: list[str], folds: list[str]) -> Callable[[], pl.DataFrame]:
    """A function that folds once."""
    way = {"frame": rolling_frames, "over": rolling_expressions}[variant]
    return lambda: way(data, windows, folds)


def rolling_frames(data: Path, windows: list[str], folds: list[str]) -> pl.DataFrame:
    """The folds by one rolling frame a window, glued side by side: each has its rows in the order they came in."""
    among = rows(data, folds).collect()
    parts = [among.lazy().select("key", "time", "label", latest()).filter(IS_ASKED).collect()]
    asked = among["label"].is_not_null()
    for window in windows:
        rolling = among.rolling("time", period=period(window), closed="right", group_by="key")
        parts.append(rolling.agg(rolled(window, folds)).drop("key", "time").filter(asked))
    return pl.concat(parts, how="horizontal").select("key", "time", "label", *wanted(windows, folds))


def rolling_expressions(data: Path, windows: list[str], folds: list[str]) -> pl.DataFrame:
    """The folds in one query."""
    columns = [
        fold.rolling("time", period=period(window), closed="right").over("key")
        for window in windows
        for fold in rolled(window, folds)
    ]
    folded = rows(data, folds).select("key", "time", "label", latest(), *columns).filter(IS_ASKED)
    return folded.select("key", "time", "label", *wanted(windows, folds)).collect()


def rows(data: Path, folds: list[str]) -> pl.LazyFrame:
    """Events and rows of the spine, by key and time, the spine's last."""
    events = pl.scan_parquet(data / "a.parquet").select("key", "time", *{"amount", *columns_read(folds)})
    both = pl.concat([events, pl.scan_parquet(data / "spine.parquet")], how="diagonal")
    return both.sort("key", "time", maintain_order=True)


def period(window: str) -> str:
    """The length of a window."""
    width = WIDTHS_US[window]
    return FOREVER if width is None else f"{width}us"


def rolled(window: str, folds: list[str]) -> list[pl.Expr]:
    """What is folded in each window; for `last` whether there is an event at all."""
    needed = {*folds, "count"} if "last" in folds else set(folds)
    return [fold.alias(name(each, window)) for each, fold in FOLDS.items() if each in needed]


def latest() -> pl.Expr:
    """The amount of the latest event of the key so far."""
    return AMOUNT.forward_fill().over("key").alias("latest")


def wanted(windows: list[str], folds: list[str]) -> list[pl.Expr]:
    """The columns asked for."""
    return [
        pl.when(pl.col(name("count", window)) > 0).then("latest").alias(name(fold, window))
        if fold == "last"
        else pl.col(name(fold, window))
        for window in windows
        for fold in folds
    ]
