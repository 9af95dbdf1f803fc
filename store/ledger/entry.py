"""Entries of the ledger: what each says, how the next one follows from the head, and what they look like in their files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from ...engine.errors import Corrupt
from ..folders.canonical import digest, sealed, unsealed, written
from ..folders.names import new_token
from ..ports import Entry, Moved, Work
from ..rows import sequence

FORMAT: Final = 4
HINT: Final = "ledger/head"  # where to begin to look for the newest entry
EMPTY: Final = Entry(0, 0, "", "", "", {}, {}, {}, None, 1, "", "")  # the head of a store without entries
_FIELDS = ("number", "at", "job", "kind", "what", "lineage", "names", "removed", "oldest", "before")


def begun(kind: str, what: str, *, read: Iterable[str] = (), wrote: Iterable[str] = ()) -> Work:
    """Work that begins now: its own job and token, and where its rows come from and go to."""
    return Work(uuid4().hex, new_token(), kind, what, {"read": list(read), "wrote": list(wrote)})


def path_of(number: int) -> str:
    """Where an entry stands.

    >>> path_of(42)
    'ledger/00000000000000000042.json'
    """
    return f"ledger/{number:020d}.json"


def number_of(path: str) -> int | None:
    """The number of the entry that stands there; None of other files."""
    name = path.removeprefix("ledger/").removesuffix(".json")
    return int(name) if len(name) == 20 and name.isdigit() and path == path_of(int(name)) else None


def following(head: Entry, work: Work, moved: Moved) -> Entry:
    """The entry after the head. Names that stay as they are do not count as moved."""
    changed = {name: note for name, note in moved.names.items() if head.names.get(name) != note}
    names = {name: note for name, note in {**head.names, **changed}.items() if note is not None}
    made = Entry(
        number=head.number + 1,
        at=max(sequence.now_us(), head.at + 1),
        job=work.job,
        kind=work.kind,
        what=work.what,
        lineage=json.loads(written(work.lineage)),  # as it will be read
        moved={name: (head.names.get(name), note) for name, note in changed.items()},
        names=names,
        removed=moved.removed,
        oldest=max(head.oldest, moved.oldest or 1),
        before=head.sha256,
        sha256="",
    )
    return replace(made, sha256=digest(written(_parts(made))))


def content_of(entry: Entry) -> bytes:
    """The bytes of its file."""
    return sealed(_parts(entry))


def hint_of(entry: Entry) -> bytes:
    """The bytes of the hint that names an entry."""
    return sealed({"number": entry.number, "entry": entry.sha256})


def entry_of(content: bytes, number: int) -> Entry:
    """The entry in these bytes. `Corrupt` if they are not as they were written, or are another entry's."""
    place = path_of(number)
    parts = unsealed(content, place)
    try:
        fields = {name: parts[name] for name in (*_FIELDS, "sha256")}
        moved = {name: (old, new) for name, (old, new) in parts["moved"].items()}
        version = parts["format"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Corrupt(f"{place} is damaged: it is not an entry of a ledger ({error}).") from None
    if version != FORMAT or fields["number"] != number:
        raise Corrupt(f"{place} is damaged: it holds entry {fields['number']} of format {version}.")
    return Entry(**fields, moved=moved)


def _parts(entry: Entry) -> dict[str, Any]:
    fields = {name: getattr(entry, name) for name in _FIELDS}
    return {"format": FORMAT, **fields, "moved": {name: list(pair) for name, pair in entry.moved.items()}}
