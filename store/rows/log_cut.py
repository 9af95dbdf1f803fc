"""A log without its oldest segments, once the tables have their rows and nobody goes on from before their end.

Of each the keys of its pushes stay, in a file beside, so that a push that is repeated still counts once. Segments go one by one, the oldest first,
and never the last one: what is left follows on itself, wherever this ends, and whoever appends is not in the way.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from ..folders.durable import publish, sync
from .log import Log, first_of
from .records import scan, without_rows


def needless(log: Log, upto: int) -> list[Path]:
    """The segments that have no row after a position; not the last one, which is appended to."""
    return [segment for segment, after in pairwise(log.segments()) if first_of(after) <= upto + 1]


def cut(segment: Path) -> None:
    """Remove a segment but for the keys of its pushes; safe to repeat. `Corrupt` where it is damaged: then it stays."""
    try:
        records, _ = scan(segment.read_bytes(), str(segment), sealed=True)
    except FileNotFoundError:
        return  # another cleanup did it
    keys = b"".join(without_rows(record) for record in records if record.key)
    if keys:
        publish(segment.with_suffix(".keys"), keys)
    segment.unlink(missing_ok=True)
    sync(segment.parent)
