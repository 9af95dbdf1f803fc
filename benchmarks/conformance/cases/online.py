"""What is served now, after pushes. Rules 5 and 9.

Times are those of any moment; an adapter moves the case so that its questions are asked now.
"""

from __future__ import annotations

from ..case import Ask, Case, table

_SERVED = "The value served at t from a log position equals the value computed offline at t over the rows up to it."
_NOW = "2026-01-08 12:00"

CASES = (
    Case(
        name="online a pushed event is seen by the next read",
        rule=9,
        law=_SERVED,
        events=table("row key time value", (1, 1, "2026-01-07 12:00", 10), (2, 2, "2026-01-07 12:00", 20)),
        pushed=table("row key time value", (3, 1, "2026-01-08 11:00", 11)),
        spine=table("n key time", (0, 1, _NOW), (1, 2, _NOW), (2, 3, _NOW)),
        expected=[11, 20, None],
        reason="Key 1's pushed event is the later one; key 3 is unknown.",
        ask=Ask(online=True),
    ),
    Case(
        name="online an older event pushed later replaces nothing",
        rule=9,
        law=_SERVED,
        events=table("row key time value", (1, 1, "2026-01-08 11:00", 11), (2, 2, "2026-01-07 12:00", 20)),
        pushed=table("row key time value", (3, 1, "2026-01-08 09:00", 9)),
        spine=table("n key time", (0, 1, _NOW), (1, 2, _NOW)),
        expected=[11, 20],
        reason="The last event of key 1 is that of 11:00, whenever the one of 09:00 arrives. Offline says so too.",
        ask=Ask(online=True),
    ),
    Case(
        name="online a value older than ttl is null",
        rule=5,
        law="ttl: rows older than that do not exist, offline and online.",
        events=table("row key time value", (1, 1, "2026-01-01 11:00", 10), (2, 2, "2026-01-05 12:00", 20)),
        pushed=table("row key time value", (3, 3, "2026-01-08 11:00", 30)),
        spine=table("n key time", (0, 1, _NOW), (1, 2, _NOW), (2, 3, _NOW)),
        expected=[None, 20, 30],
        reason="Key 1's value is seven days and an hour old; in training it would be null.",
        ask=Ask(ttl="7d", online=True),
    ),
)
