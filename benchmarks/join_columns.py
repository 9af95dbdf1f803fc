"""The columns that are joined, and how long a value of a table holds: what all engines of join.py are told."""

from __future__ import annotations

COLUMNS = {"a": ("amount", "merchant", "score"), "b": ("balance", "visits"), "c": ("rate", "grade")}
# A value of table c is gone seven days after its event: the window is (t - 7d, t].
WITHIN_US = {"c": 7 * 86_400_000_000}
