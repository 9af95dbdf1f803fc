"""What was known when: rows known late, corrections, deletions, hindsight. Rules 1 and 4."""

from __future__ import annotations

from ..case import Ask, Case, table

DAY = "2026-01-05"
_KNOWN = "Only rows with known_time <= s exist; in training s = t unless known_at says otherwise."
_VERSIONS = (
    "Of several versions of one row_id the one with the greatest (known_time, sequence) known at s exists, alone."
)
_LATE = table(
    "key time known value",
    (1, f"{DAY} 09:00", f"{DAY} 09:00", 10),
    (1, f"{DAY} 10:00", f"{DAY} 15:00", 11),
    (2, f"{DAY} 10:00", f"{DAY} 10:00", 20),
)
_CORRECTED = table(
    "row key time known value",
    (7, 1, f"{DAY} 10:00", f"{DAY} 10:00", 10),
    (7, 1, f"{DAY} 10:00", f"{DAY} 15:00", 15),
    (8, 2, f"{DAY} 10:00", f"{DAY} 10:00", 20),
)

CASES = (
    Case(
        name="a row known late is not seen before it is known",
        rule=1,
        law=_KNOWN,
        events=_LATE,
        spine=table("n key time", (0, 1, f"{DAY} 14:59:59.999999"), (1, 2, f"{DAY} 12:00")),
        expected=[10, 20],
        reason="The row of 10:00 came at 15:00; just before, the last that was known is that of 09:00.",
        ask=Ask(known=True),
    ),
    Case(
        name="a row known late is seen from then on",
        rule=1,
        law=_KNOWN,
        events=_LATE,
        spine=table("n key time", (0, 1, f"{DAY} 15:00"), (1, 1, f"{DAY} 16:00")),
        expected=[11, 11],
        reason="known_time <= t holds where both are equal.",
        ask=Ask(known=True),
    ),
    Case(
        name="a key whose only row is known late has no value before",
        rule=1,
        law=_KNOWN,
        events=table(
            "key time known value", (1, f"{DAY} 10:00", f"{DAY} 15:00", 11), (2, f"{DAY} 10:00", f"{DAY} 10:00", 20)
        ),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00")),
        expected=[None, 20],
        reason="The question stays in the answer.",
        ask=Ask(known=True),
    ),
    Case(
        name="with hindsight a row known late is seen at its time",
        rule=1,
        law=_KNOWN,
        events=_LATE,
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 1, f"{DAY} 09:30")),
        expected=[11, 10],
        reason='known_at="latest" asks what is known now of what was then; events of the future stay unseen.',
        ask=Ask(known=True, known_at="latest"),
    ),
    Case(
        name="a correction counts from when it is known",
        rule=4,
        law=_VERSIONS,
        events=_CORRECTED,
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 1, f"{DAY} 15:00"), (2, 2, f"{DAY} 15:00")),
        expected=[10, 15, 20],
        reason="At noon the old version was all there was.",
        ask=Ask(known=True),
    ),
    Case(
        name="a corrected row is counted once",
        rule=4,
        law=_VERSIONS,
        events=_CORRECTED,
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 1, f"{DAY} 15:00"), (2, 2, f"{DAY} 15:00")),
        expected=[10, 15, 20],
        reason="The sum over a day has one version of each row, not two.",
        ask=Ask("sum", window="1d", known=True, row=True),
    ),
    Case(
        name="a correction may move its row to another time and key",
        rule=4,
        law=_VERSIONS + " A correction may move its row to another key or time.",
        events=table(
            "row key time known value",
            (6, 1, f"{DAY} 08:00", f"{DAY} 08:00", 9),
            (7, 1, f"{DAY} 10:00", f"{DAY} 10:00", 10),
            (7, 2, f"{DAY} 11:00", f"{DAY} 15:00", 15),
        ),
        spine=table(
            "n key time", (0, 1, f"{DAY} 12:00"), (1, 1, f"{DAY} 16:00"), (2, 2, f"{DAY} 12:00"), (3, 2, f"{DAY} 16:00")
        ),
        expected=[10, 9, None, 15],
        reason="The payment was booked on the wrong customer: from 15:00 on it never was key 1's.",
        ask=Ask(known=True, row=True),
    ),
    Case(
        name="a deleted row ends when its deletion is known",
        rule=4,
        law="A version marked deleted ends the one before it and is no row itself.",
        events=table(
            "row key time known value gone",
            (6, 1, f"{DAY} 08:00", f"{DAY} 08:00", 9, False),
            (7, 1, f"{DAY} 10:00", f"{DAY} 10:00", 10, False),
            (7, 1, f"{DAY} 10:00", f"{DAY} 15:00", None, True),
        ),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 1, f"{DAY} 16:00")),
        expected=[10, 9],
        reason="From 15:00 on the row of 10:00 does not exist, and the one before it is the last.",
        ask=Ask(known=True, row=True),
    ),
)
