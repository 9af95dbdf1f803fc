"""Zones, naive times and units. Rule 8."""

from __future__ import annotations

from ..case import Case, table

DAY = "2026-01-05"
_UTC = "Naive timestamps are UTC unless the source says otherwise."
_INSTANT = "Times are instants: microseconds UTC; a zone is only how one is written."

CASES = (
    Case(
        name="naive event times are UTC",
        rule=8,
        law=_UTC,
        events=table(
            "key time value", (1, f"{DAY} 09:30", 9), (1, f"{DAY} 11:30", 10), (1, f"{DAY} 12:30", 20), time="naive"
        ),
        spine=table("n key time", (0, 1, f"{DAY} 12:00")),
        expected=[10],
        reason="11:30 without a zone is before 12:00 UTC, 12:30 is not.",
    ),
    Case(
        name="naive times asked are UTC",
        rule=8,
        law=_UTC,
        events=table("key time value", (1, f"{DAY} 09:30", 9), (1, f"{DAY} 11:30", 10), (1, f"{DAY} 12:30", 20)),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), time="naive"),
        expected=[10],
        reason="The same the other way round.",
    ),
    Case(
        name="times of two zones are compared as instants",
        rule=8,
        law=_INSTANT,
        events=table("key time value", (1, f"{DAY} 09:30", 9), (1, f"{DAY} 11:30", 10), (2, f"{DAY} 10:30", 20)),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00"), time="Europe/Berlin"),
        expected=[9, 20],
        reason="Noon in Berlin is 11:00 UTC.",
    ),
    Case(
        name="an hour that the clock shows twice is two hours",
        rule=8,
        law=_INSTANT,
        events=table(
            "key time value", (1, "2026-10-25 02:30+02:00", 10), (1, "2026-10-25 02:30+01:00", 11), time="Europe/Berlin"
        ),
        spine=table(
            "n key time", (0, 1, "2026-10-25 02:45+02:00"), (1, 1, "2026-10-25 02:45+01:00"), time="Europe/Berlin"
        ),
        expected=[10, 11],
        reason="02:45 in summer time is before 02:30 in winter time.",
    ),
)
