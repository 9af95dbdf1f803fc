"""Nulls and NaN. Rule 6."""

from __future__ import annotations

from ..case import Ask, Case, table

DAY = "2026-01-05"
_FOLDS = "Folds skip nulls; NaN is a value and propagates, and leaves with its row."
_READINGS = table(
    "key time value",
    (1, f"{DAY} 09:00", 1.0),
    (1, f"{DAY} 09:30", None),
    (1, f"{DAY} 10:00", 3.0),
    (2, f"{DAY} 10:00", 5.0),
    value="float64",
)
_ASKED = table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00"))

CASES = (
    Case(
        name="the latest null stays null",
        rule=6,
        law="The latest null under last stays null.",
        events=table("key time value", (1, f"{DAY} 09:00", 10), (1, f"{DAY} 11:00", None), (2, f"{DAY} 10:00", 20)),
        spine=_ASKED,
        expected=[None, 20],
        reason="At 11:00 it was found out that the value is not known. The one before is out of date.",
    ),
    Case(
        name="the latest NaN stays NaN",
        rule=6,
        law="NaN is a value.",
        events=table("key time value", (1, f"{DAY} 09:00", 1.5), (1, f"{DAY} 11:00", float("nan")), value="float64"),
        spine=_ASKED,
        expected=[float("nan"), None],
        reason="A value was computed, and is no number; key 2 has none. A model may tell the two apart.",
    ),
    Case(
        name="a mean skips nulls",
        rule=6,
        law=_FOLDS,
        events=_READINGS,
        spine=_ASKED,
        expected=[2.0, 5.0],
        reason="(1 + 3) / 2.",
        ask=Ask("mean", window="1d"),
    ),
    Case(
        name="a count of values skips nulls",
        rule=6,
        law=_FOLDS,
        events=_READINGS,
        spine=_ASKED,
        expected=[2, 1],
        reason="Key 1 has two values and a null.",
        ask=Ask("count", window="1d"),
    ),
    Case(
        name="an empty window has the count 0",
        rule=6,
        law="An empty window gives count 0, sum 0, others null.",
        events=_READINGS,
        spine=table("n key time", (0, 1, "2026-01-09 12:00"), (1, 3, f"{DAY} 12:00"), (2, 1, f"{DAY} 12:00")),
        expected=[0, 0, 2],
        reason="Four days later nothing of key 1 is in the window; key 3 never was.",
        ask=Ask("count", window="1d"),
    ),
    Case(
        name="an empty window has no mean",
        rule=6,
        law="An empty window gives count 0, sum 0, others null.",
        events=_READINGS,
        spine=table("n key time", (0, 1, "2026-01-09 12:00"), (1, 3, f"{DAY} 12:00"), (2, 1, f"{DAY} 12:00")),
        expected=[None, None, 2.0],
        reason="There is nothing to take the mean of.",
        ask=Ask("mean", window="1d"),
    ),
    Case(
        name="a NaN spreads to its windows and leaves with its row",
        rule=6,
        law=_FOLDS,
        events=table(
            "key time value",
            (1, f"{DAY} 09:00", float("nan")),
            (1, f"{DAY} 10:00", 1.0),
            (1, f"{DAY} 11:00", 2.0),
            value="float64",
        ),
        spine=table("n key time", (0, 1, f"{DAY} 10:00"), (1, 1, f"{DAY} 11:00")),
        expected=[float("nan"), 3.0],
        reason="At 10:00 the two hours before hold NaN and 1; at 11:00 they hold 1 and 2, as the start of a window is outside.",
        ask=Ask("sum", window="2h"),
    ),
)
