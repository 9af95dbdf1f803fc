"""Making a damaged log whole from a backup: never with fewer rows than it has, and never so that rows between two segments are missing."""

from __future__ import annotations

from pathlib import Path

from ..folders.durable import publish
from ..ports import Folder
from ..rows.log import Log, end_of, first_of
from ..rows.records import scan


def log_mended(logs: Path, path: str, backup: Folder) -> bool:
    """Whether a part of a log was put back. Of a segment that is missing the name may be a guess: then the one before it was cut short."""
    damaged = logs / path.removeprefix("log/")
    held = {logs / one.removeprefix("log/"): one for one, *_ in backup.listed(f"log/{damaged.parent.name}")}
    if damaged in held:
        return _put_back(damaged, backup.get(held[damaged]), held)
    before = max((one for one in held if one.suffix == ".log" and one.name < damaged.name), default=None)
    if before is None or damaged.exists():
        return False
    content = backup.get(held[before])
    return content.startswith(_there(before)) and _put_back(before, content, held)


def _put_back(part: Path, content: bytes, held: dict[Path, str]) -> bool:
    """Put back what a backup has, unless rows were pushed to it since it was copied."""
    there = _there(part)
    records, _ = scan(content, f"backup of {part.name}", sealed=False)
    if content == there or len(content) < len(there) or not _goes_on(part, end_of(part, records), held):
        return False
    publish(part, content)
    return True


def _goes_on(part: Path, end: int, held: dict[Path, str]) -> bool:
    """Whether a segment with this end is followed by the next one, here or in the backup; keys of one that was cut off are, by none."""
    following = [one for one in Log(part.parent).segments() if one.name > part.name]
    if part.suffix != ".log" or not following or first_of(following[0]) == end + 1:
        return True
    return any(one.suffix == ".log" and first_of(one) == end + 1 for one in held) and end < first_of(following[0])


def _there(part: Path) -> bytes:
    return part.read_bytes() if part.exists() else b""
