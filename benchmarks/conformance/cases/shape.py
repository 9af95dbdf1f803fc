"""The answer's rows and columns are those of the question. Rule 7."""

from __future__ import annotations

from ..case import Case, table

DAY = "2026-01-05"
_SHAPE = "Output rows are the spine's rows: same number, same order, duplicates kept, key and label columns untouched."
_EVENTS = table("key time value", (1, f"{DAY} 08:00", 10), (2, f"{DAY} 09:00", 20), (3, f"{DAY} 10:00", 30))
_QUESTIONS, _KEYS, _EVENTS_A_KEY = 1000, 100, 100


def _minute(minute: int) -> str:
    """That many minutes after the start of the day, for a few days."""
    return f"2026-01-{5 + minute // 1440:02} {minute // 60 % 24:02}:{minute % 60:02}"


CASES = (
    Case(
        name="the order of rows is kept",
        rule=7,
        law=_SHAPE,
        events=_EVENTS,
        spine=table("n key time", (0, 2, f"{DAY} 12:00"), (1, 1, f"{DAY} 11:00"), (2, 3, f"{DAY} 11:30")),
        expected=[20, 10, 30],
        reason="Labels kept beside a training set fit it only in its own order.",
        judged="order",
    ),
    Case(
        name="duplicates in the spine are kept",
        rule=7,
        law=_SHAPE,
        events=_EVENTS,
        spine=table("key time", (1, f"{DAY} 11:00"), (1, f"{DAY} 11:00"), (2, f"{DAY} 11:00"), (1, f"{DAY} 11:00")),
        expected=[10, 10, 20, 10],
        reason="A customer who bought three times in one second is three labels.",
        judged="rows",
    ),
    Case(
        name="equal keys and times with different labels are kept",
        rule=7,
        law=_SHAPE,
        events=_EVENTS,
        spine=table("n key time", (0, 1, f"{DAY} 11:00"), (1, 1, f"{DAY} 11:00"), (2, 2, f"{DAY} 11:00")),
        expected=[10, 10, 20],
        reason="The same question twice, once fraud and once not, is two labels.",
    ),
    Case(
        name="columns of the spine are untouched",
        rule=7,
        law=_SHAPE,
        events=_EVENTS,
        spine=table(
            "key time label weight note sure",
            (1, f"{DAY} 11:00", 9007199254740993, 0.1, "a", True),
            (2, f"{DAY} 11:00", None, None, None, None),
            (3, f"{DAY} 11:00", 1, -0.5, "", False),
            label="int64",
            weight="float64",
            note="string",
            sure="bool",
        ),
        expected=[10, 20, 30],
        reason="2^53 + 1 beside a null is a label; as a float it is another one.",
        judged="rows",
    ),
    Case(
        name="the zone of the spine's times is kept",
        rule=8,
        law="The spine's columns keep their type and zone.",
        events=_EVENTS,
        spine=table("key time", (1, f"{DAY} 11:00"), (2, f"{DAY} 12:00"), time="Europe/Berlin"),
        expected=[10, 20],
        reason="11:00 in Berlin is 10:00 UTC, and stays written as it was.",
        judged="rows",
    ),
    Case(
        name="integers stay exact beside a missing value",
        rule=7,
        law="Integer stays integer.",
        events=table("key time value", (1, f"{DAY} 09:00", 2**53 + 1)),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00")),
        expected=[2**53 + 1, None],
        reason="A column of floats cannot hold 2^53 + 1.",
    ),
    Case(
        name="a thousand questions of ten thousand events keep their order",
        rule=7,
        law=_SHAPE,
        events=table(
            "key time value",
            *(
                (key, _minute(40 * place), key * 1000 + place)
                for place in range(_EVENTS_A_KEY)
                for key in range(1, _KEYS + 1)
            ),
        ),
        spine=table(
            "n key time",
            *(
                (n, n * 7 % _KEYS + 1, _minute(40 * (n * 13 % _EVENTS_A_KEY) + 30 + n // _KEYS))
                for n in range(_QUESTIONS)
            ),
        ),
        expected=[(n * 7 % _KEYS + 1) * 1000 + n * 13 % _EVENTS_A_KEY for n in range(_QUESTIONS)],
        reason="Key k has the value 1000 k + i from minute 40 i on, and is asked 30 to 39 minutes later. Large enough that tools may cut it in parts.",
        judged="order",
        limit_s=180.0,
    ),
)
