"""From a time or a number to an entry whose tables and definitions are still kept."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ...engine.errors import Invalid, NotFound, did_you_mean
from ...engine.language.instant import datetime_of, instant
from ..ports import Entry, Folder
from .notes import read_note

if TYPE_CHECKING:
    from .entries import Entries

_TAG = "tag/"
_PINNING = (_TAG, "training/")


def found(ledger: Entries, folder: Folder, moment: int | datetime | str) -> Entry:
    """The entry of that number or tag, or the newest up to that time. `NotFound` where there is none, or its files are not kept."""
    head = ledger.head()
    if isinstance(moment, str):
        moment = _meant(folder, head, moment)
    number = moment if not isinstance(moment, datetime) else numbered(ledger, moment)
    if isinstance(number, bool) or not isinstance(number, int):
        raise Invalid(f"as_of={moment!r} is not a version (a whole number), a tag, or a time.")
    if not 1 <= number <= head.number:
        raise NotFound(f"as_of={moment}: the store has no such version. It has {_there(ledger, head)}.")
    if number < head.oldest and number not in pinned(folder, head):
        raise NotFound(
            f"as_of={moment}: version {number} is no longer kept. Versions from {head.oldest} on are, and those "
            f"with a tag or a training set."
        )
    return ledger.entry(number)


def _meant(folder: Folder, head: Entry, text: str) -> int | datetime:
    """The version that a tag names, or the time that is written as text."""
    note = head.names.get(_TAG + text)
    if note is not None:
        return int(read_note(folder, note)["entry"])
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        tags = [name.removeprefix(_TAG) for name in head.names if name.startswith(_TAG)]
        raise NotFound(
            f"as_of={text!r} is neither a tag of this store nor a time such as '2026-01-31'. {did_you_mean(text, tags)}"
        ) from None


def numbered(ledger: Entries, moment: datetime) -> int:
    """The number of the newest entry up to a time, by bisection; 0 before the first."""
    until = instant(moment, "as_of")
    low, high = 0, ledger.head().number
    while low < high:
        middle = (low + high + 1) // 2
        if ledger.entry(middle).at <= until:
            low = middle
        else:
            high = middle - 1
    return low


def pinned(folder: Folder, head: Entry) -> set[int]:
    """The numbers of entries that tags and training sets keep."""
    notes = [note for name, note in head.names.items() if name.startswith(_PINNING)]
    return {read_note(folder, note)["entry"] for note in notes}


def _there(ledger: Entries, head: Entry) -> str:
    if not head.number:
        return "none yet"
    first = datetime_of(ledger.entry(1).at)
    return f"1 to {head.number}, the first from {first:%Y-%m-%d %H:%M:%S} UTC"
