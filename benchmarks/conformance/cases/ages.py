"""How old a value may be. Rule 5."""

from __future__ import annotations

from ..case import Ask, Case, table

_INCLUSIVE = "ttl is inclusive: a value of age exactly ttl is alive; older rows do not exist."

CASES = (
    Case(
        name="a value of age exactly ttl is alive",
        rule=5,
        law=_INCLUSIVE,
        events=table("key time value", (1, "2026-01-01 12:00", 10), (2, "2026-01-05 12:00", 20)),
        spine=table("n key time", (0, 1, "2026-01-08 12:00"), (1, 2, "2026-01-08 12:00")),
        expected=[10, 20],
        reason="Key 1's value is seven days old to the microsecond.",
        ask=Ask(ttl="7d"),
    ),
    Case(
        name="a value older than ttl is null and its row is kept",
        rule=5,
        law=_INCLUSIVE,
        events=table("key time value", (1, "2026-01-01 12:00", 10), (2, "2026-01-05 12:00", 20)),
        spine=table("n key time", (0, 1, "2026-01-08 12:00:00.000001"), (1, 2, "2026-01-08 12:00:00.000001")),
        expected=[None, 20],
        reason="Key 1's value is seven days and a microsecond old. A label whose feature has expired is still a label.",
        ask=Ask(ttl="7d"),
    ),
    Case(
        name="an age is real time when the clocks change",
        rule=8,
        law="Times are instants: microseconds UTC; a zone is only how one is written.",
        events=table("key time value", (1, "2026-03-28 12:00", 10), (2, "2026-03-28 13:00", 20), time="Europe/Berlin"),
        spine=table("n key time", (0, 1, "2026-03-29 12:00"), (1, 2, "2026-03-29 12:00"), time="Europe/Berlin"),
        expected=[10, 20],
        reason="In the night the clocks go forward: noon to noon is 23 hours.",
        ask=Ask(ttl="23h"),
    ),
)
