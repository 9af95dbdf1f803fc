"""Compaction, whatever is compacted: files become fewer in one entry of the ledger, and what they say stays as it is.

It is safe beside all other writers: where one came first whose work it does not stand on, another plan is made on the store as it is then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...engine.record import record
from ...engine.showing.progress import Progress
from ..ledger.entry import begun
from ..ledger.start_over import committing, undisturbed, until_done
from ..ports import Change, Entry, Here

Write = Callable[
    [Path, str], Change
]  # files into a draft, for a token; and the change that puts them in the place of others


@dataclass(frozen=True, repr=False)
class Compacted:
    """How many files a source or a view had and has, of how many rows. `version` is the entry that says so."""

    kind: str
    name: str
    before: int
    after: int
    rows: int
    version: int
    seconds: float

    def __repr__(self) -> str:
        return f"compacted {self.kind} {self.name}: {self.before:,} files are {self.after:,} now, {self.rows:,} rows, {self.seconds:.1f} s"


@record
class Plan:
    """How many files there are, of how many rows, how many there will be, and how they are written: None where nothing is to be done."""

    before: int
    after: int
    rows: int
    write: Write | None


def compacted(here: Here, named: str, turn: str, planned: Callable[[Entry], Plan]) -> Compacted:
    """Carry out what is planned for a name of the ledger; safe to repeat. Who compacts it too, or takes the same turn, waits a while."""
    began = time.perf_counter()
    kind, _, name = named.partition("/")
    with here.folder.turn(turn), Progress(f"compact {name}"):
        plan, entry = until_done(lambda: _attempt(here, named, planned), name)
    return Compacted(kind, name, plan.before, plan.after, plan.rows, entry.number, time.perf_counter() - began)


def _attempt(here: Here, named: str, planned: Callable[[Entry], Plan]) -> tuple[Plan, Entry]:
    """One try on the store as it stands."""
    base = here.ledger.head()
    with undisturbed(here.ledger, base):
        plan = planned(base)
        if plan.write is None:
            return replace(plan, after=plan.before), here.ledger.vouch(base)
        return plan, _committed(here, named, base, plan.write)


def _committed(here: Here, named: str, base: Entry, write: Write) -> Entry:
    """The entry since which files are fewer."""
    work = begun("compact", f"compact {named.partition('/')[2]}", wrote=[named])
    with here.folder.draft(work.token) as draft:
        change = write(draft, work.token)
        here.tables.take_in(draft)
        with committing():
            return here.ledger.commit(base, work, change)
