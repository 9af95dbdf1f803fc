"""Keys: null ones, several, large, similar, of different types. Rule 6 and rule 1."""

from __future__ import annotations

from ..case import Ask, Case, table

DAY = "2026-01-05"
_OF_KEY = "Only rows of the key exist."
_UNKNOWN = "A null key is an unknown key: the values of an empty window."
_BIG = 2**53

CASES = (
    Case(
        name="a null key joins no null key",
        rule=6,
        law=_UNKNOWN,
        events=table("key time value", (None, f"{DAY} 10:00", 99), (1, f"{DAY} 10:00", 10)),
        spine=table("n key time", (0, None, f"{DAY} 12:00"), (1, 1, f"{DAY} 12:00")),
        expected=[None, 10],
        reason="Two rows whose customer is not known are not rows of one customer.",
    ),
    Case(
        name="a row with a null key is kept",
        rule=7,
        law="Output rows are the spine's rows: same number.",
        events=table("key time value", (1, f"{DAY} 10:00", 10)),
        spine=table("n key time", (0, None, f"{DAY} 12:00"), (1, 1, f"{DAY} 12:00"), (2, None, f"{DAY} 13:00")),
        expected=[None, 10, None],
        reason="A guest's purchase is a label like any other.",
    ),
    Case(
        name="events of keys nobody asks change nothing",
        rule=1,
        law=_OF_KEY,
        events=table(
            "key time value",
            (1, f"{DAY} 10:00", 10),
            *((key, f"{DAY} 11:{key % 60:02}", -key) for key in range(100, 400)),
        ),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00")),
        expected=[10, None],
        reason="Three hundred other keys have later events.",
    ),
    Case(
        name="with several keys all of them must be equal",
        rule=1,
        law=_OF_KEY,
        events=table(
            "key shop time value",
            (1, "a", f"{DAY} 09:00", 10),
            (1, "b", f"{DAY} 10:00", 11),
            (2, "a", f"{DAY} 11:00", 20),
            shop="string",
        ),
        spine=table(
            "n key shop time",
            (0, 1, "a", f"{DAY} 12:00"),
            (1, 2, "b", f"{DAY} 12:00"),
            (2, 1, "b", f"{DAY} 12:00"),
            shop="string",
        ),
        expected=[10, None, 11],
        reason="Key 2 was never in shop b, although both are known.",
        ask=Ask(keys=("key", "shop")),
    ),
    Case(
        name="a null in one of several keys makes the key unknown",
        rule=6,
        law=_UNKNOWN,
        events=table("key shop time value", (1, None, f"{DAY} 09:00", 99), (1, "b", f"{DAY} 10:00", 11), shop="string"),
        spine=table("n key shop time", (0, 1, None, f"{DAY} 12:00"), (1, 1, "b", f"{DAY} 12:00"), shop="string"),
        expected=[None, 11],
        reason="As with one key.",
        ask=Ask(keys=("key", "shop")),
    ),
    Case(
        name="keys that look alike side by side stay apart",
        rule=1,
        law=_OF_KEY,
        events=table(
            "key shop time value",
            ("1", "11", f"{DAY} 09:00", 10),
            ("11", "1", f"{DAY} 10:00", 20),
            key="string",
            shop="string",
        ),
        spine=table(
            "n key shop time",
            (0, "1", "11", f"{DAY} 12:00"),
            (1, "11", "1", f"{DAY} 12:00"),
            (2, "111", "", f"{DAY} 12:00"),
            key="string",
            shop="string",
        ),
        expected=[10, 20, None],
        reason="A key of two parts is not the text of both.",
        ask=Ask(keys=("key", "shop")),
    ),
    Case(
        name="an empty text is a key",
        rule=6,
        law=_UNKNOWN,
        events=table("key time value", ("", f"{DAY} 09:00", 10), ("ü", f"{DAY} 09:00", 20), key="string"),
        spine=table("n key time", (0, "", f"{DAY} 12:00"), (1, "ü", f"{DAY} 12:00"), key="string"),
        expected=[10, 20],
        reason="Only null is null.",
    ),
    Case(
        name="keys beyond 2^53 stay apart beside a null",
        rule=1,
        law=_OF_KEY,
        events=table("key time value", (_BIG, f"{DAY} 09:00", 10), (_BIG + 1, f"{DAY} 10:00", 20)),
        spine=table("n key time", (0, _BIG, f"{DAY} 12:00"), (1, _BIG + 1, f"{DAY} 12:00"), (2, None, f"{DAY} 12:00")),
        expected=[10, 20, None],
        reason="A column of integers with a null that becomes one of floats cannot tell the two keys from each other.",
    ),
    Case(
        name="a key of 32 bits finds the same key of 64",
        rule=1,
        law=_OF_KEY,
        events=table("key time value", (1, f"{DAY} 09:00", 10), (2, f"{DAY} 10:00", 20)),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00"), key="int32"),
        expected=[10, 20],
        reason="The number is the key, not its width.",
    ),
)
