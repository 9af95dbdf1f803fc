"""The windows, the folds and the column each fold reads: what all engines of windows.py are told."""

from __future__ import annotations

from collections.abc import Iterable

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
# How far a window reaches back, `(t - width, t]`; None is for ever.
WIDTHS_US: dict[str, int | None] = {
    "1h": HOUR_US,
    "1d": DAY_US,
    "7d": 7 * DAY_US,
    "30d": 30 * DAY_US,
    "90d": 90 * DAY_US,
    "forever": None,
}
# Folds of table a and the column they read; std is that of a sample, quantile the median between the two in the middle.
COLUMNS = {
    "count": "amount",
    "sum": "amount",
    "mean": "amount",
    "std": "amount",
    "min": "amount",
    "max": "amount",
    "last": "amount",
    "quantile": "amount",
    "n_unique": "merchant",
}
EXACT = ("count", "min", "max", "last", "n_unique")
# Folds whose state grows with the window: they are measured on their own, in two windows.
HEAVY = ("quantile", "n_unique")
LIGHT = tuple(name for name in COLUMNS if name not in HEAVY)
QUANTILE = 0.5


def name(fold: str, window: str) -> str:
    """The output column of a fold over a window."""
    return f"{fold}_{window}"


def columns_read(folds: Iterable[str]) -> list[str]:
    """The columns of table a that the folds read, each once."""
    return list(dict.fromkeys(COLUMNS[fold] for fold in folds))
