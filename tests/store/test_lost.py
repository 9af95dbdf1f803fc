"""A file that a reader does not find: what the ledger says of it decides what the reader is told."""

from __future__ import annotations

import polars as pl
import pytest

from nowthen.engine.errors import Conflict, Corrupt, NotFound
from nowthen.store.ledger.entry import begun
from nowthen.store.ports import Moved
from nowthen.store.rows.event_table import EventTable
from nowthen.store.store import Store

from . import shop


@pytest.fixture
def events(store: Store) -> EventTable:
    """A reader that was made before anything was removed."""
    tx = shop.source(shop.sales(40), entities=[])
    store.ingest(tx)
    return store.events(tx)


def removed(store: Store, events: EventTable, kind: str | None) -> str:
    """Take a data file away, and say so in the ledger if a kind is given."""
    (table,) = events.tables
    path = next(path for path in store.here.tables.paths(table.place, table.version) if path.endswith(".lance"))
    if kind is not None:
        work = begun(kind, f"{kind} in a test")
        note = store.here.notes.put(work.token, {"kind": "removed", "paths": [path]})
        store.here.ledger.commit(store.here.ledger.head(), work, lambda _: Moved({}, removed=note))
    store.here.folder.delete([path])
    return path


def test_what_a_cleanup_removed_is_not_kept_any_more(store: Store, events: EventTable) -> None:
    path = removed(store, events, "cleanup")
    with pytest.raises(NotFound, match=rf"{path} was removed by entry 2 \(cleanup"):
        events.read(["sale"])


def test_who_reads_while_rows_are_forgotten_is_told_to_ask_again(store: Store, events: EventTable) -> None:
    removed(store, events, "forget")
    with pytest.raises(Conflict, match="Ask again"):
        events.read(["sale"])


def test_what_nobody_removed_is_lost(store: Store, events: EventTable) -> None:
    path = removed(store, events, None)
    with pytest.raises(Corrupt, match=path):
        events.read(["sale"])


def test_a_stretch_that_is_read_batch_by_batch_says_so_too(store: Store, events: EventTable) -> None:
    removed(store, events, "forget")
    with pytest.raises(Conflict):
        pl.concat(events.batches(["sale"], events.tables[0], events.tables[0].files))
