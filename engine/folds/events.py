"""Events of groups (keys), in order: what the driver answers from."""

from __future__ import annotations

from collections.abc import Mapping

from ..record import record
from .column import Column, Index


@record
class Events:
    """Events of groups, sorted by (group, event_time, known_time, sequence).

    Group g is [offsets[g], offsets[g + 1]). A row exists for an observer at s iff known_from <= s < known_until; both are None where
    every row exists always. `columns` holds what folds read, by name.
    """

    time: Index
    offsets: Index
    columns: Mapping[str, Column]
    known_from: Index | None = None
    known_until: Index | None = None
