"""What exists at the time asked: the last value as of t. Rule 1."""

from __future__ import annotations

from ..case import Ask, Case, table

DAY = "2026-01-05"
_EXISTS = "Only rows of the key with event_time <= t exist."
_TWO = table("key time value", (1, f"{DAY} 09:00", 10), (1, f"{DAY} 11:00", 11), (2, f"{DAY} 10:00", 20))

CASES = (
    Case(
        name="the latest event before the time asked is found",
        rule=1,
        law=_EXISTS,
        events=_TWO,
        spine=table("n key time", (0, 1, f"{DAY} 11:30"), (1, 2, f"{DAY} 11:30"), (2, 1, f"{DAY} 10:30")),
        expected=[11, 20, 10],
        reason="At 11:30 key 1 has its event of 11:00, key 2 that of 10:00; at 10:30 key 1 only has that of 09:00.",
    ),
    Case(
        name="an event exactly at the time asked is seen",
        rule=1,
        law=_EXISTS,
        events=_TWO,
        spine=table("n key time", (0, 1, f"{DAY} 11:00"), (1, 2, f"{DAY} 10:00")),
        expected=[11, 20],
        reason="event_time <= t holds where both are equal.",
    ),
    Case(
        name="an event one microsecond later is not seen",
        rule=1,
        law=_EXISTS,
        events=table("key time value", (1, f"{DAY} 09:00", 10), (1, f"{DAY} 11:00:00.000001", 11)),
        spine=table("n key time", (0, 1, f"{DAY} 11:00"), (1, 1, f"{DAY} 11:00:00.000001")),
        expected=[10, 11],
        reason="The later event is in the future by one microsecond, and then it is not.",
    ),
    Case(
        name="a key with nothing but future events has no value",
        rule=1,
        law=_EXISTS,
        events=_TWO,
        spine=table("n key time", (0, 1, f"{DAY} 08:00"), (1, 2, f"{DAY} 10:30")),
        expected=[None, 20],
        reason="At 08:00 nothing of key 1 has happened; the question stays in the answer.",
    ),
    Case(
        name="a key without events has no value",
        rule=7,
        law="Output rows are the spine's rows: same number.",
        events=_TWO,
        spine=table("n key time", (0, 3, f"{DAY} 12:00"), (1, 1, f"{DAY} 12:00")),
        expected=[None, 11],
        reason="Key 3 is unknown; the question stays in the answer.",
    ),
    Case(
        name="an event of the far past is found",
        rule=1,
        law=_EXISTS,
        events=table("key time value", (1, "1999-12-31 23:59:59", 10), (2, f"{DAY} 10:00", 20)),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00")),
        expected=[10, 20],
        reason="Without a ttl a value is as old as it is.",
    ),
    Case(
        name="an event before a full hour is found after it",
        rule=1,
        law=_EXISTS,
        events=table("key time value", (1, f"{DAY} 11:59", 10), (2, f"{DAY} 11:10", 20)),
        spine=table("n key time", (0, 1, f"{DAY} 12:01"), (1, 2, f"{DAY} 11:50")),
        expected=[10, 20],
        reason="Hours are no boundary of anything: 11:59 is two minutes before 12:01.",
    ),
    Case(
        name="an event of another day is found",
        rule=1,
        law=_EXISTS,
        events=table("key time value", (1, "2025-12-06 12:00", 10), (2, "2026-01-04 23:59:59", 20)),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 00:00")),
        expected=[10, 20],
        reason="Neither are days or months.",
    ),
    Case(
        name="events in no order are found as if they were in order",
        rule=1,
        law=_EXISTS,
        events=table(
            "key time value",
            (1, f"{DAY} 11:00", 11),
            (2, f"{DAY} 10:00", 20),
            (1, f"{DAY} 13:00", 13),
            (1, f"{DAY} 09:00", 10),
        ),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 1, f"{DAY} 10:00"), (2, 2, f"{DAY} 10:00")),
        expected=[11, 10, 20],
        reason="The time of an event decides, not its place in the file.",
    ),
    Case(
        name="an empty source gives rows without values",
        rule=7,
        law="Output rows are the spine's rows: same number.",
        events=table("key time value"),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00")),
        expected=[None, None],
        reason="A source has no rows on its first day; the training set has.",
    ),
    Case(
        name="a view without an entity has the last event of all",
        rule=1,
        law="Only rows with event_time <= t exist; without an entity they are rows of everybody.",
        events=_TWO,
        spine=table("n time", (0, f"{DAY} 10:30"), (1, f"{DAY} 12:00"), (2, f"{DAY} 08:00")),
        expected=[20, 11, None],
        reason="At 10:30 the last event of anybody is key 2's of 10:00, at 12:00 key 1's of 11:00.",
        ask=Ask(keys=()),
    ),
)
