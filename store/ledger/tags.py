"""Tags: names for versions of a store, which are kept while they have one."""

from __future__ import annotations

from ...engine.errors import Conflict, NotFound, did_you_mean
from ..folders.names import checked_label
from ..ports import Entry, Here, Moved
from .entry import begun

_PREFIX = "tag/"


def tagged(here: Here, name: str, version: int | None) -> int:
    """Name a version; `Conflict` where the name is another's. Returns the version."""
    key = _PREFIX + checked_label(name, "a tag")
    base = here.ledger.head()
    number = (base if version is None else here.ledger.as_of(version)).number
    if number == 0:
        raise NotFound(f"tag {name!r}: the store has no versions yet.")
    work = begun("tag", f"tag version {number} as {name}", wrote=[key])
    noted = here.notes.put(work.token, {"kind": "tag", "entry": number})

    def change(head: Entry) -> Moved:
        there = head.names.get(key)
        if there is not None and here.notes.get(there)["entry"] == number:
            return Moved({})
        if there is not None:
            raise Conflict(f"tag {name!r} names version {here.notes.get(there)['entry']}. Remove it first: untag.")
        if number < head.oldest and number not in tags(here).values():
            raise NotFound(f"tag {name!r}: version {number} was cleaned up just now.")
        return Moved({key: noted})

    here.ledger.commit(base, work, change)
    return number


def untagged(here: Here, name: str) -> None:
    """Take a tag away."""
    key = f"{_PREFIX}{name}"
    base = here.ledger.head()

    def change(head: Entry) -> Moved:
        if key not in head.names:
            raise NotFound(f"no tag is named {name!r}. {did_you_mean(name, tags(here))}")
        return Moved({key: None})

    here.ledger.commit(base, begun("tag", f"take tag {name} away", wrote=[key]), change)


def tags(here: Here) -> dict[str, int]:
    """The tags by name, and the numbers of the entries they name."""
    names = here.ledger.head().names
    found = {name: note for name, note in names.items() if name.startswith(_PREFIX)}
    return {name.removeprefix(_PREFIX): int(here.notes.get(note)["entry"]) for name, note in sorted(found.items())}
