"""Events at the same time. Rule 3."""

from __future__ import annotations

from ..case import Ask, Case, table

DAY = "2026-01-05"

CASES = (
    Case(
        name="of events at the same time the later row wins",
        rule=3,
        law="last among rows of equal event_time follows (event_time, known_time, sequence); in a bare file the sequence is the row number.",
        events=table(
            "key time value",
            (1, f"{DAY} 10:00", 9),
            (1, f"{DAY} 10:00", 3),
            (2, f"{DAY} 10:00", 1),
            (1, f"{DAY} 10:00", 5),
            (2, f"{DAY} 10:00", 2),
            (1, f"{DAY} 09:00", 7),
        ),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 10:00")),
        expected=[5, 2],
        reason="Key 1 has 9, 3, 5 at 10:00, in this order. Any fixed rule would do; having none makes training sets differ from run to run.",
    ),
    Case(
        name="of events at the same time the one known later wins",
        rule=3,
        law="last among rows of equal event_time follows (event_time, known_time, sequence).",
        events=table(
            "key time known value",
            (1, f"{DAY} 10:00", f"{DAY} 10:30", 11),
            (1, f"{DAY} 10:00", f"{DAY} 10:10", 10),
            (2, f"{DAY} 10:00", f"{DAY} 10:10", 20),
            (2, f"{DAY} 10:00", f"{DAY} 10:20", 21),
        ),
        spine=table("n key time", (0, 1, f"{DAY} 12:00"), (1, 2, f"{DAY} 12:00")),
        expected=[11, 21],
        reason="What was known later is the better knowledge, wherever it stands in the file. At noon all of it is known, so hindsight changes nothing.",
        ask=Ask(known=True, known_at="latest"),
    ),
    Case(
        name="events at the same time are all counted",
        rule=3,
        law="Rows with equal event_time are all visible together.",
        events=table("key time value", *((1, f"{DAY} 10:00", value) for value in (1, 2, 3)), (2, f"{DAY} 10:00", 4)),
        spine=table("n key time", (0, 1, f"{DAY} 10:00"), (1, 2, f"{DAY} 10:00")),
        expected=[3, 1],
        reason="All three happened at 10:00, so at 10:00 all three have happened.",
        ask=Ask("count", window="1d"),
    ),
)
