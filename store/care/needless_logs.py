"""Which segments of the logs of pushed rows nobody reads any more.

Their rows are in the tables of every version that is kept, and in every snapshot that one names: no reader, writer or server begins before their end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..ports import Entry, Here
from ..rows.log import Log
from ..rows.log_cut import needless
from ..rows.source_note import state_of


def needless_segments(here: Here, head: Entry, oldest: int) -> list[Path]:
    """The segments, oldest first, if versions from `oldest` on are kept; of logs beside a local store alone, as those elsewhere may be another's."""
    if here.logs is None or here.logs != Path(here.folder.url) / "log" or not here.logs.is_dir():
        return []
    logs = [log for folder in sorted(here.logs.iterdir()) if len((log := Log(folder)).segments()) > 1]
    kept = [here.ledger.entry(number) for number in range(max(oldest, 1), head.number) if logs] + [head]
    return [segment for log in logs for segment in needless(log, min(_positions(here, kept, log.folder.name)))]


def _positions(here: Here, kept: list[Entry], source: str) -> Iterator[int]:
    """From where on versions that are kept, and snapshots that they name, go on in the log of a source."""
    state = state_of(kept[0], here.notes, source)  # positions rise with the versions
    yield 0 if state is None else state.log_position
    for note in {note for entry in kept for name, note in entry.names.items() if name.startswith("snapshot/")}:
        yield from (group["log_position"] for group in here.notes.get(note)["groups"] if group["source"] == source)
