"""Sliding windows: their ends, delays, and that nothing outside leaks in. Rules 2 and 9."""

from __future__ import annotations

from ..case import Ask, Case, table

DAY = "2026-01-05"
_OPEN = "A sliding window w with delay d is (t - d - w, t - d]."
_LEFT = 'closed="left" gives [t - d - w, t - d): strictly before.'
_LEAK = "What lies outside the window never leaks in (1e16, inf, NaN)."
_HOURS = table("key time value", (1, f"{DAY} 09:00", 1), (1, f"{DAY} 10:00", 2), (1, f"{DAY} 11:00", 4))
_AT_11 = table("n key time", (0, 1, f"{DAY} 11:00"), (1, 1, f"{DAY} 11:00:00.000001"))

CASES = (
    Case(
        name="a window leaves out its start and has its end",
        rule=2,
        law=_OPEN,
        events=_HOURS,
        spine=_AT_11,
        expected=[6, 6],
        reason="(09:00, 11:00] holds the events of 10:00 and 11:00.",
        ask=Ask("sum", window="2h"),
    ),
    Case(
        name="a window closed on the left has its start and not its end",
        rule=2,
        law=_LEFT,
        events=_HOURS,
        spine=_AT_11,
        expected=[3, 6],
        reason="[09:00, 11:00) holds those of 09:00 and 10:00; a microsecond later 09:00 is out and 11:00 in.",
        ask=Ask("sum", window="2h", closed="left"),
    ),
    Case(
        name="a delay moves both ends",
        rule=2,
        law=_OPEN,
        events=_HOURS,
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 1, f"{DAY} 11:59")),
        expected=[6, 3],
        reason="An hour before noon the window is (09:00, 11:00]; at 11:59 it is (08:59, 10:59].",
        ask=Ask("sum", window="2h", delay="1h"),
    ),
    Case(
        name="a window can be asked between events",
        rule=2,
        law=_OPEN,
        events=_HOURS,
        spine=table("n key time", (0, 1, f"{DAY} 10:30"), (1, 1, f"{DAY} 12:59"), (2, 1, f"{DAY} 08:00")),
        expected=[3, 4, 0],
        reason="At 10:30 it is (08:30, 10:30], at 12:59 (10:59, 12:59], and at 08:00 nothing has happened.",
        ask=Ask("sum", window="2h"),
    ),
    Case(
        name="a large value that has left leaves no trace",
        rule=9,
        law=_LEAK,
        events=table(
            "key time value",
            (1, f"{DAY} 08:00", 1e16),
            (1, f"{DAY} 08:30", 0.1),
            (1, f"{DAY} 10:00", 0.2),
            value="float64",
        ),
        spine=table("n key time", (0, 1, f"{DAY} 10:00"), (1, 1, f"{DAY} 09:00")),
        expected=[0.1 + 0.2, 1e16],
        reason="A running sum that adds 1e16, then 0.1, and takes 1e16 away again has lost the 0.1.",
        ask=Ask("sum", window="2h"),
    ),
    Case(
        name="large values that cancel and have left leave no trace",
        rule=9,
        law=_LEAK,
        events=table(
            "key time value",
            (1, f"{DAY} 08:00", 1e16),
            (1, f"{DAY} 08:10", 0.3),
            (1, f"{DAY} 08:20", -1e16),
            *((1, f"{DAY} {8 + minute // 60:02}:{minute % 60:02}", 0.1) for minute in range(30, 150, 10)),
            value="float64",
        ),
        spine=table("n key time", (0, 1, f"{DAY} 10:20"), (1, 1, f"{DAY} 10:25")),
        expected=[1.2, 1.2],
        reason="From 08:20 on, exclusive, there are twelve values of 0.1; a booking and its cancellation before them do not matter.",
        ask=Ask("sum", window="2h"),
    ),
    Case(
        name="an infinity leaves with its row",
        rule=9,
        law=_LEAK,
        events=table(
            "key time value",
            (1, f"{DAY} 08:00", float("inf")),
            (1, f"{DAY} 09:00", 1.0),
            (1, f"{DAY} 11:00", 2.0),
            value="float64",
        ),
        spine=table("n key time", (0, 1, f"{DAY} 09:00"), (1, 1, f"{DAY} 11:00")),
        expected=[float("inf"), 2.0],
        reason="inf - inf is NaN; the window of 11:00 holds the event of 11:00 alone.",
        ask=Ask("sum", window="2h"),
    ),
    Case(
        name="a sum of integers beyond 2^53 is exact",
        rule=7,
        law="Integer stays integer.",
        events=table("key time value", (1, f"{DAY} 09:00", 2**53), (1, f"{DAY} 10:00", 1), (2, f"{DAY} 10:00", 3)),
        spine=table("n key time", (0, 1, f"{DAY} 10:30"), (1, 2, f"{DAY} 10:30")),
        expected=[2**53 + 1, 3],
        reason="2^53 + 1 is no float.",
        ask=Ask("sum", window="2h"),
    ),
)
