"""Every entry of a ledger read from its file: seals, numbers and the chain, and the hint."""

from __future__ import annotations

from ...engine.errors import Corrupt, NotFound
from ..folders.canonical import unsealed
from ..ports import Damage, Entry, Folder
from .entry import HINT, entry_of, number_of, path_of
from .founding import lost


def walked(folder: Folder, known: int = 0) -> tuple[int, list[Damage]]:
    """How many entries there are, and what is damaged: named by the file that is, or is missing. `known`: a number that was seen to be there."""
    listed = {number for path, *_ in folder.listed("ledger") if (number := number_of(path)) is not None}
    hint, found = _hint(folder)
    count = max([*listed, hint, known])
    if not count and lost(folder):
        found.append(Damage(HINT, "it is missing, and all entries with it", ()))
    before: Entry | None = None
    for number in range(1, count + 1):
        entry = _read(folder, number, found)
        if entry and before and entry.before != before.sha256:
            found.append(Damage(path_of(before.number), f"it is not the entry that entry {number} follows", ()))
        before = entry
    return count, found


def _hint(folder: Folder) -> tuple[int, list[Damage]]:
    try:
        number = unsealed(folder.get(HINT), HINT).get("number")
    except NotFound:
        return 0, []
    except Corrupt as error:
        return 0, [Damage(HINT, str(error), ())]
    return (number, []) if isinstance(number, int) else (0, [Damage(HINT, "it names no entry", ())])


def _read(folder: Folder, number: int, found: list[Damage]) -> Entry | None:
    path = path_of(number)
    try:
        return entry_of(folder.get(path), number)
    except NotFound:
        found.append(Damage(path, "it is missing, though the ledger goes on", ()))
    except Corrupt as error:
        found.append(Damage(path, str(error), ()))
    return None
