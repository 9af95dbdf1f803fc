"""What processes do until they are killed: rounds whose outcome is a function of their number.

A round may be done again after it was killed, whether or not it had happened: that is how whoever was in doubt goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import polars as pl

import nowthen as nt
from nowthen.engine.errors import NotFound
from nowthen.store.features.feature_table import table_of
from nowthen.store.rows.source_note import state_of
from nowthen.store.store import Store

from . import orders
from .world import Row, found, without


class Work(Protocol):
    """Rounds of one kind."""

    def do(self, store: Store, number: int) -> None:
        """One round, acknowledged when it returns."""

    def expected(self, rounds: int) -> Any:
        """What a store holds after so many rounds."""

    def read(self, store: Store) -> Any:
        """What it holds."""


class Ingests:
    """Rounds of ingest with corrections; every third one pushes instead."""

    def do(self, store: Store, number: int) -> None:
        """Ingest all there is by now, or push this round's orders under this round's key."""
        if _pushes(number):
            store.push(orders.source(orders.upto(1)), _pushed(number), key=f"round-{number}")
        else:
            store.ingest(orders.source(orders.upto(number + 1)))

    def expected(self, rounds: int) -> Any:
        """The source as of the last ingest, and what was pushed."""
        ingested = max((number + 1 for number in range(rounds) if not _pushes(number)), default=0)
        pushed = [_pushed(number) for number in range(rounds) if _pushes(number)]
        return orders.ordered(pl.concat([orders.upto(ingested), *pushed]))

    def read(self, store: Store) -> Any:
        """The rows, all versions."""
        return orders.ordered(_stored(store))


class Compactions:
    """Rounds of ingest and compaction by turns: rows are there once whatever files they lie in."""

    def do(self, store: Store, number: int) -> None:
        """Ingest, or compact what the rounds before ingested."""
        if number % 2:
            store.compact("orders")
        else:
            store.ingest(orders.source(orders.upto(number + 1)))

    def expected(self, rounds: int) -> Any:
        """The source as of the last ingest."""
        return orders.ordered(orders.upto(rounds - (rounds + 1) % 2 if rounds else 0))

    def read(self, store: Store) -> Any:
        """The rows, all versions."""
        return Ingests().read(store)


class Schemas:
    """Rounds of ingest of a source that gains a column every other round, and once a wider one."""

    def do(self, store: Store, number: int) -> None:
        """Ingest all there is by now, with the columns of now."""
        store.ingest(orders.source(_grown(number + 1, number // 2)))

    def expected(self, rounds: int) -> Any:
        """All rows with the columns of now, null where a row is older than a column."""
        if not rounds:
            return None
        rows = _grown(rounds, (rounds - 1) // 2)
        return rows.schema["wide"], sorted(rows.columns), orders.ordered(rows)

    def read(self, store: Store) -> Any:
        """Width, columns and rows."""
        state = state_of(store.here.ledger.head(), store.here.notes, "orders")
        if state is None:
            return None
        shape = _grown(0, sum(name.startswith("more") for name in state.layout["columns"]))
        rows = store.events(orders.source(shape)).read(shape.columns)
        return rows.schema["wide"], sorted(rows.columns), orders.ordered(rows)


class Applies:
    """Rounds of applying a service and its two views with another bound: of all three the same, never a mixture."""

    def do(self, store: Store, number: int) -> None:
        """Apply this round's definitions."""
        store.apply(_bounded(number))

    def expected(self, rounds: int) -> Any:
        """The definitions of the last round."""
        return _versions(_bounded(rounds - 1), *_views(rounds - 1)) if rounds else None

    def read(self, store: Store) -> Any:
        """The definitions that are current."""
        try:
            return _versions(store.service("orders_model"), store.view("spend"), store.view("pace"))
        except NotFound:
            return None


class Backfills:
    """Rounds of ingest and backfill by turns; what was backfilled is what a training set over the same times says."""

    SPAN = (orders.START, orders.START + timedelta(days=12))

    def do(self, store: Store, number: int) -> None:
        """Ingest, or backfill over the rows of the rounds before."""
        if number % 2:
            store.backfill(_spend(), *self.SPAN, every="1d", engine="local")
        else:
            store.ingest(orders.source(orders.upto(number + 1)))

    def expected(self, rounds: int) -> Any:
        """The rows as of the last ingest; that values are right; and that none is missing after a backfill."""
        rows = orders.upto(rounds - (rounds + 1) % 2 if rounds else 0)
        return orders.ordered(rows), True, rounds % 2 == 0

    def read(self, store: Store) -> Any:
        """The rows, whether values that are there are right, and whether none is missing."""
        rows = _stored(store)
        if not rows.height:
            return [], True, True
        whole = not store.holes(_spend(), *self.SPAN, every="1d")
        return orders.ordered(rows), not whole or _right(store, rows, self.SPAN), whole


class Joinings:
    """Rounds of ingest, backfill and compaction by turns: what is backfilled is right, and what was joined stays one chunk but for what is new."""

    def do(self, store: Store, number: int) -> None:
        """Ingest, or backfill over two days more, or join the chunks there are."""
        turn, kind = divmod(number, 3)
        if kind == 0:
            store.ingest(orders.source(orders.upto(turn + 1)))
        elif kind == 1:
            store.backfill(_spend(), *self._span(turn + 1), every="1d", engine="local")
        else:
            store.compact("spend")

    def expected(self, rounds: int) -> Any:
        """The rows as of the last ingest; that values are right; and how many chunks there are where none is missing or stale."""
        ingests, kind = (rounds + 2) // 3, rounds % 3
        chunks = {0: 1, 1: 0, 2: min(ingests, 2)}[kind] if rounds else 0
        return orders.ordered(orders.upto(ingests)), True, chunks

    def read(self, store: Store) -> Any:
        """The rows, whether values that are there are right, and the chunks of a stretch without holes."""
        rows = _stored(store)
        span = self._span((rows.height + 3) // 13)
        if not rows.height or store.holes(_spend(), *span, every="1d"):
            return orders.ordered(rows), True, 0
        table = table_of(store.here.ledger.head(), store.here, "spend")
        found = store.scan("spend", *span, every="1d").collect()
        right = found.height > 0 and _meant(found.select("buyer", "at"), rows) == orders.ordered(found)
        return orders.ordered(rows), right, len(table.chunks) if table else 0

    @staticmethod
    def _span(ingests: int) -> tuple[datetime, datetime]:
        return orders.START, orders.START + timedelta(days=2 * ingests)


class Forgets:
    """Rounds of ingest and forgetting by turns: no row of who was forgotten, no byte of the name, and all other rows."""

    def do(self, store: Store, number: int) -> None:
        """Ingest all there is by now, or forget a buyer; the report would name a file that has the name still."""
        if number % 2 == 0:
            store.ingest(orders.source(orders.upto(number + 1)))
        elif left := store.forget(orders.BUYER, [_forgotten(number)]).left:
            raise RuntimeError(f"{_forgotten(number)} is still found in {left}")

    def expected(self, rounds: int) -> Any:
        """What was ingested, without whoever was forgotten before or after."""
        rows: frozenset[Row] = frozenset()
        gone: set[str] = set()
        for number in range(rounds):
            if number % 2:
                gone.add(_forgotten(number))
                rows = without(rows, _forgotten(number))
            else:
                rows |= {row for row in found(orders.upto(number + 1)) if row.buyer not in gone}
        return sorted(rows)

    def read(self, store: Store) -> Any:
        """The rows, all versions."""
        return found(_stored(store))


WORKS: Mapping[str, Work] = {
    "ingest": Ingests(),
    "compaction": Compactions(),
    "schema": Schemas(),
    "apply": Applies(),
    "backfill": Backfills(),
    "joining": Joinings(),
    "forget": Forgets(),
}


def _stored(store: Store) -> pl.DataFrame:
    """All versions of all orders, from tables and log; none where nothing was ever stored."""
    try:
        return store.events(orders.source(orders.upto(1))).read(list(orders.SCHEMA))
    except NotFound:
        return orders.frame([])


def _pushes(number: int) -> bool:
    return number % 3 == 2


def _pushed(number: int) -> pl.DataFrame:
    return orders.fresh(number, 5, orders.PUSHED)


def _forgotten(number: int) -> str:
    return f"buyer-{number // 2 % 10}"


def _grown(rounds: int, columns: int) -> pl.DataFrame:
    """So many rounds of orders with so many columns more; `wide` is wider from the third on."""
    rows = orders.upto(rounds)
    age = pl.col("order") // 20
    more = [
        pl.when(age > place).then(pl.col("order") % 100).cast(pl.Int32).alias(f"more{place}")
        for place in range(columns)
    ]
    return rows.with_columns(pl.col("order").cast(pl.Int64 if columns > 2 else pl.Int32).alias("wide"), *more)


def _spend() -> Any:
    return _views(50)[0]


def _bounded(number: int) -> nt.FeatureService:
    return orders.service(orders.source(orders.upto(1)), float(number))


def _views(number: int) -> tuple[type[nt.FeatureView], ...]:
    return orders.views(orders.source(orders.upto(1)), float(number))


def _versions(service: nt.FeatureService, *views: type[nt.FeatureView]) -> Any:
    of_views = {f"{view.spec.name}:{name}": view.spec.version(name) for view in views for name in view.spec.features}
    return service.version, of_views


def _right(store: Store, rows: pl.DataFrame, span: tuple[datetime, datetime]) -> bool:
    """Whether what was backfilled is what the rows say, of each buyer from when it was seen."""
    seen = rows.group_by("buyer").agg(pl.max_horizontal("when", "known").min().alias("seen"))
    grid = nt.grid({"buyer": sorted(rows["buyer"].unique())}, *span, every="1d")
    spine = grid.join(seen, on="buyer").filter(pl.col("seen") <= pl.col("at")).drop("seen")
    return orders.ordered(store.scan("spend", *span, every="1d").collect()) == _meant(spine, rows)


def _meant(spine: pl.DataFrame, rows: pl.DataFrame) -> list[tuple[object, ...]]:
    """What the rows say of a spine."""
    return orders.ordered(nt.training_set(spine, [_spend()], at="at", sources={"orders": rows}).collect())
