"""Whatever is done to a store in whatever order, it says what a model of it in plain Python says.

NOWTHEN_RUNS says how many sequences (`make storm`: 2,000).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import nowthen as nt
from nowthen.engine.errors import NotFound
from nowthen.store.rows import log
from nowthen.store.store import Store

from . import orders
from .crash import Crash, crashing
from .world import Row, World, found, frame

RUNS = int(os.environ.get("NOWTHEN_RUNS", "30"))
SPAN = (orders.START, orders.START + timedelta(days=4))
BUYERS = [f"buyer-{letter}" for letter in "abcd"]

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(300 + 10 * RUNS)]
SEGMENT_BYTES = log.SEGMENT_BYTES
hours = st.integers(0, 95)
buyers = st.sampled_from(BUYERS)


class Machine(RuleBasedStateMachine):
    """The store and its model."""

    @initialize()
    def begin(self) -> None:
        """An empty store."""
        self.folder = Path(tempfile.mkdtemp(prefix="nowthen-storm-"))
        self.store: Store = nt.connect(self.folder / "store")
        self.world, self.count, self.bound = World(), 0, 0.0
        log.SEGMENT_BYTES = 1  # so that cleanups cut logs off

    def teardown(self) -> None:
        """Nothing is left behind."""
        log.SEGMENT_BYTES = SEGMENT_BYTES
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # -- rows -----------------------------------------------------------------------------------------------------------
    @rule(new=st.lists(st.tuples(hours, buyers), max_size=4))
    def ingest(self, new: list[tuple[int, str]]) -> None:
        """The source has some orders more, early and late ones, and is taken in."""
        self.world.offered |= frozenset(self._new(hour, buyer) for hour, buyer in new)
        self.store.ingest(self._source())
        self.world.stored, self.world.pushed = self.world.ingested(), frozenset()
        self._seen()

    @precondition(lambda self: self.world.offered)
    @rule(which=st.integers(0, 1000), buyer=buyers, hour=hours)
    def correct(self, which: int, buyer: str, hour: int) -> None:
        """An order of the source becomes another's, at another time."""
        old = sorted(self.world.offered)[which % len(self.world.offered)]
        newest = max(row.known for row in self.world.offered if row.order == old.order)
        self.count += 1
        self.world.offered |= {
            Row(old.order, orders.START + timedelta(hours=hour), newest + timedelta(days=1), buyer, float(self.count))
        }

    @rule(hour=hours, buyer=buyers)
    def push(self, hour: int, buyer: str) -> None:
        """An order is pushed, twice with the same key."""
        if buyer not in self.world.gone:
            row = self._new(hour, buyer, orders.PUSHED)
            for _ in range(2):
                self.store.push(self._known(), frame([row]), key=f"push-{row.order}")
            self.world.pushed |= {row}

    @rule(day=st.integers(0, 3), new=st.lists(st.tuples(st.integers(0, 23), buyers), max_size=3))
    def replace(self, day: int, new: list[tuple[int, str]]) -> None:
        """The source has other orders of a day, and so has the store."""
        start = orders.START + timedelta(days=day)
        self.world.drained()
        came = frozenset(self._new(24 * day + hour, buyer) for hour, buyer in new)
        newest = {row.order: row for row in sorted(self.world.stored, key=lambda row: row.known)}
        gone = {row.order for row in newest.values() if start <= row.when < start + timedelta(days=1)}
        self.store.replace(self._source(), frame(came), start, start + timedelta(days=1))
        self.world.offered = frozenset(row for row in self.world.offered if row.order not in gone) | came
        kept = frozenset(row for row in came if row.buyer not in self.world.gone)
        self.world.stored = frozenset(row for row in self.world.stored if row.order not in gone) | kept
        self._seen()

    @precondition(lambda self: self.world.now)
    @rule()
    def drain(self) -> None:
        """What was pushed goes into the tables."""
        self.store.drain(self._known())
        self.world.drained()
        self._seen()

    @precondition(lambda self: self.world.entries)
    @rule()
    def compact(self) -> None:
        """Files are merged: values that were there are, and nothing is missing that was not."""
        before = self._filled()
        self.store.compact()
        assert self._filled() == before
        self._seen()

    # -- what is made of rows -------------------------------------------------------------------------------------------
    @rule(bound=st.sampled_from([10.0, 20.0]))
    def apply(self, bound: float) -> None:
        """The definitions change, all together."""
        self.store.apply(orders.service(self._known(), bound))
        self.bound = bound
        assert self.store.service("orders_model").version == orders.service(self._known(), bound).version
        self._seen()

    @precondition(lambda self: self.world.now)
    @rule()
    def train(self) -> None:
        """A training set is what the rows say."""
        assert self._values(self._training().collect()) == self._values(self._meant(self.world.now))

    @precondition(lambda self: self.world.stored and self.bound)
    @rule(first=st.integers(0, 3), days=st.integers(1, 4))
    def backfill(self, first: int, days: int) -> None:
        """What was backfilled of some days is what the rows say, also those pushed before."""
        start, end = SPAN[0] + timedelta(days=first), min(SPAN[0] + timedelta(days=first + days), SPAN[1])
        self.store.backfill("spend", start, end, every="1d", keys={"buyer": BUYERS}, engine="local")
        self.world.drained()
        self._seen()
        self.scan()

    @precondition(lambda self: self.bound and self.world.entries)
    @rule()
    def scan(self) -> None:
        """What is backfilled and not stale is what the tables say."""
        if not self.store.holes("spend", *SPAN, every="1d", keys={"buyer": BUYERS}):
            rows = self.store.scan("spend", *SPAN).collect()
            # Whether a key that was forgotten is there again, with nothing of it, is left to when its chunk was made.
            known = ~pl.col("buyer").is_in(sorted(self.world.gone))
            assert self._values(rows.filter(known)) == self._values(self._meant(self.world.stored).filter(known))

    @precondition(lambda self: self.world.now and len(self.world.saved) < 3)
    @rule()
    def save(self) -> None:
        """A training set is saved."""
        name = f"set/{len(self.world.saved)}"
        training = self._training()
        training.save(name)
        self.world.saved[name] = training.collect()
        self.world.pins[name] = int(self.store.open_training_set(name).note["entry"])
        self._seen()

    @precondition(lambda self: self.world.saved)
    @rule()
    def reopen(self) -> None:
        """Saved training sets are as they were, but for what was forgotten."""
        for name, rows in self.world.saved.items():
            assert self.store.open_training_set(name).collect().equals(rows)

    # -- versions and care ----------------------------------------------------------------------------------------------
    @precondition(lambda self: self.world.entries)
    @rule(which=st.integers(0, 1000))
    def travel(self, which: int) -> None:
        """Tables as of a version are as they were, or it is said that they are not kept."""
        number = sorted(self.world.entries)[which % len(self.world.entries)]
        if number >= self.store.here.ledger.head().oldest or number in self.world.pins.values():
            assert self._stored(as_of=number) == sorted(self.world.entries[number])
        else:
            with pytest.raises(NotFound):
                self._stored(as_of=number)

    @precondition(lambda self: self.world.entries and len(self.world.pins) < 4)
    @rule()
    def tag(self) -> None:
        """The newest version gets a name, so that it stays."""
        name = f"tag-{len(self.world.pins)}"
        self.world.pins[name] = self.store.tag(name)
        self._seen()

    @rule(versions=st.integers(1, 4))
    def cleanup(self, versions: int) -> None:
        """What only older versions need goes."""
        before = self.store.here.ledger.head()
        report = self.store.cleanup(keep="0s", versions=versions)
        assert report.oldest <= max(before.oldest, before.number - versions + 1)
        self._seen()

    @precondition(lambda self: self.bound and self.world.entries)
    @rule(buyer=buyers)
    def forget(self, buyer: str) -> None:
        """A buyer is erased everywhere."""
        self.store.forget(orders.BUYER, [buyer])
        self.world.forgotten(buyer)
        self._seen()

    @rule()
    def restart(self) -> None:
        """Another process goes on."""
        self.store = nt.connect(self.folder / "store")

    @precondition(lambda self: self.bound and self.world.entries)
    @rule(
        step=st.integers(1, 12), what=st.sampled_from(["ingest", "compact", "drain", "cleanup", "forget"]), buyer=buyers
    )
    def crash(self, step: int, what: str, buyer: str) -> None:
        """A process dies at a step of its work; another finds all of it done or nothing, and does it again."""
        before, filled = sorted(self.world.now), self._filled()
        doings: dict[str, Callable[[], None]] = {
            "ingest": lambda: self.ingest([]), "compact": self.compact, "drain": self.drain,
            "cleanup": lambda: self.cleanup(1), "forget": lambda: self.forget(buyer),
        }  # fmt: skip
        try:
            with crashing(self.store.here.folder, step):
                _raw(self.store, self._source(), what, buyer)
        except Crash:
            self.restart()
            after = self._stored()
            assert what != "compact" or self._filled() == filled
            doings[what]()
            assert after in (before, sorted(self.world.now))
        else:
            doings[what]()

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def says_what_the_model_says(self) -> None:
        """Every row is there once, and no other."""
        assert self._stored() == sorted(self.world.now)

    @precondition(lambda self: hasattr(self, "world"))
    @rule()
    def verify(self) -> None:
        """Every byte is as it was written."""
        assert self.store.scrub().damaged == ()

    # -- inside ---------------------------------------------------------------------------------------------------------
    def _new(self, hour: int, buyer: str, first: int = 0) -> Row:
        self.count += 1
        when = orders.START + timedelta(hours=hour)
        return Row(first + self.count, when, when + timedelta(minutes=5), buyer, float(self.count))

    def _source(self) -> nt.Source:
        return orders.source(frame(self.world.offered))

    def _known(self) -> nt.Source:
        """The source without anything to read, which may never have been ingested."""
        return orders.source()

    def _stored(self, **options: Any) -> list[Row]:
        try:
            return found(self.store.events(self._known(), **options).read(list(orders.SCHEMA)))
        except NotFound:
            if options:
                raise
            return []

    def _seen(self) -> None:
        """What the tables hold at the head."""
        head = self.store.here.ledger.head()
        if "source/orders" in head.names:
            self.world.entries[head.number] = self.world.stored

    def _filled(self) -> tuple[list[tuple[object, ...]], set[tuple[str, int]]]:
        """What is backfilled, and the features and days that are missing or stale."""
        if "view/spend" not in self.store.here.ledger.head().names:
            return [], set()
        holes = self.store.holes("spend", *SPAN, every="1d", keys={"buyer": BUYERS})
        day = 86_400_000_000
        missing = {(name, at) for hole in holes for name in hole.features for at in range(hole.start, hole.end, day)}
        return self._values(self.store.scan("spend", *SPAN, holes="null").collect()), missing

    def _spine(self) -> pl.DataFrame:
        return nt.grid({"buyer": BUYERS}, *SPAN, every="1d")

    def _training(self) -> Any:
        return self.store.training_set(self._spine(), [orders.views(self._known(), self.bound)[0]], at="at")

    def _meant(self, rows: frozenset[Row]) -> pl.DataFrame:
        view = orders.views(self._known(), self.bound)[0]
        made: pl.DataFrame = nt.training_set(self._spine(), [view], at="at", sources={"orders": frame(rows)}).collect()
        return made

    @staticmethod
    def _values(rows: pl.DataFrame) -> list[tuple[object, ...]]:
        return orders.ordered(rows.rename({"__at": "at"}, strict=False).select("at", "buyer", "sum_3d", "big_7d"))


def _raw(store: Store, source: nt.Source, what: str, buyer: str) -> None:
    """One piece of work."""
    if what == "ingest":
        store.ingest(source)
    elif what == "drain":
        store.drain(source)
    elif what == "compact":
        store.compact()
    elif what == "cleanup":
        store.cleanup(keep="0s", versions=1)
    else:
        store.forget(orders.BUYER, [buyer])


def test_whatever_is_done_a_store_says_what_its_model_says() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=RUNS, stateful_step_count=20, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), report_multiple_bugs=False, phases=[Phase.generate],
        ),
    )  # fmt: skip
