"""Rows that do not fit the memory are looked at twice, a piece at a time: what is stored is the same."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict
from nowthen.engine.folds.rows import SEQUENCE
from nowthen.engine.showing.progress import Progress
from nowthen.store.rows import known_rows, looked
from nowthen.store.rows.arrivals import arrived
from nowthen.store.rows.erased_keys import Erased
from nowthen.store.store import Store

from . import shop

KNOWN = {"known_time": "known"}


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of ten rows, none of which are kept, and ids that are compared a few at a time."""
    monkeypatch.setattr(looked, "_KEPT", 10**9)
    monkeypatch.setattr(looked, "_PIECE", 10**9)
    monkeypatch.setattr(looked, "_LEAST_PIECE", 10)
    monkeypatch.setattr(known_rows, "_BYTES_A_ROW", 10**9)


def versions(hours: int, amount: float) -> pl.DataFrame:
    return shop.sales(25).with_columns(known=pl.col("when") + timedelta(hours=hours), amount=pl.lit(amount))


def test_all_rows_come_back_in_the_order_they_had(store: Store) -> None:
    rows = shop.sales(95).sample(fraction=1, shuffle=True, seed=1)
    tx = shop.source(rows)
    assert store.ingest(tx).new == 95
    assert store.events(tx).read(rows.columns).equals(rows)


def test_every_place_gets_one_file(store: Store) -> None:
    tx = shop.source(shop.sales(95))
    store.ingest(tx)
    files = store.events(tx).tables[0].files
    assert len({(file.bucket, file.slab) for file in files}) == len(files)


def test_repeating_adds_nothing_and_growing_adds_what_is_new(store: Store) -> None:
    store.ingest(shop.source(shop.sales(95)))
    assert store.ingest(shop.source(shop.sales(95))).new == 0
    done = store.ingest(shop.source(shop.sales(120)))
    assert (done.new, done.duplicates, done.rows) == (25, 95, 120)


def test_of_several_rows_of_one_id_in_different_pieces_the_last_counts(store: Store) -> None:
    twice = pl.concat([shop.sales(25), shop.sales(25).with_columns(amount=pl.lit(7.0))])
    assert [store.ingest(shop.source(twice)).new for _ in range(2)] == [25, 0]
    assert store.events(shop.source(twice)).read(["amount"])["amount"].to_list() == [7.0] * 25


def test_versions_in_different_pieces_are_all_kept(store: Store) -> None:
    both = shop.source(pl.concat([versions(0, 1.0), versions(9, 7.0)]), **KNOWN)
    done = store.ingest(both)
    assert (done.new, done.corrections, store.ingest(both).new) == (50, 25, 0)


def test_rows_without_ids_count_as_often_as_they_stand_there(store: Store) -> None:
    rows = pl.concat([shop.sales(25), shop.sales(25)[:3]])
    tx = shop.source(rows, row_id=None)
    assert [store.ingest(tx).new for _ in range(2)] == [28, 0]


def test_pushed_rows_are_taken_in_beside(store: Store) -> None:
    tx = shop.source(shop.sales(35))
    store.push(tx, shop.sales(1, first=40))
    done = store.ingest(tx)
    assert (done.new, done.pushed) == (36, 1)
    assert store.events(tx).read([SEQUENCE])[SEQUENCE].is_unique().all()


def test_a_null_time_is_named_by_its_row(store: Store) -> None:
    rows = shop.sales(35).with_columns(when=pl.when(pl.col("sale") != 27).then("when"))
    with pytest.raises(nt.Invalid, match="null in row 27"):
        store.ingest(shop.source(rows))


def test_a_file_that_changes_between_the_looks_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    for name in ("a", "b"):
        shop.sales(20, first=100 * (name == "b")).write_parquet(tmp_path / f"{name}.parquet")
    spec = shop.source(nt.Parquet(tmp_path / "*.parquet"), schema=dict(shop.sales().schema)).spec
    from nowthen.engine.plan.pieces import pinned

    seen = looked.look(spec, pinned(spec.open()), Erased(None, None), 1 << 26, Progress("look"))
    came = arrived(store.here, spec, None, seen, Erased(None, None), 1 << 26)
    shop.sales(19).write_parquet(tmp_path / "a.parquet")
    assert not path.exists()
    with pytest.raises(Conflict, match="was written while it was read"):
        list(came.portions(spec))


def _anonymous_bytes() -> int:
    """The memory of this process that is its own; files mapped into it do not count."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def _peak_of_ingest(folder: Path, answer: Any) -> None:
    """Ingest a file with little memory, and say how much this process grew at most."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            peak[0] = max(peak[0], _anonymous_bytes())

    store: Store = nt.connect(folder / "store")
    store.ingest(shop.source(shop.sales(300)))
    before, watcher = _anonymous_bytes(), threading.Thread(target=watch)
    watcher.start()
    source = nt.Source(
        "many", nt.Parquet(folder / "many.parquet"), event_time="when", entities=[shop.CUSTOMER], row_id="sale"
    )
    store.ingest(source, memory="256MiB")
    over.set()
    watcher.join()
    answer.put(peak[0] - before)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_it_takes_little_more_memory_than_it_is_given(tmp_path: Path) -> None:
    n = 6_000_000
    columns = {f"v{i}": np.random.default_rng(i).random(n) for i in range(10)}
    frame = pl.DataFrame({"sale": np.arange(n), "customer_id": np.arange(n) % 1000, **columns})
    frame = frame.with_columns(when=pl.lit(shop.START) + pl.duration(seconds=pl.col("sale")))
    frame.write_parquet(tmp_path / "many.parquet", row_group_size=100_000)
    assert frame.estimated_size() > 600e6
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_peak_of_ingest, args=(tmp_path, answer))
    process.start()
    assert answer.get(timeout=240) < 1.5 * (256 << 20)
    process.join()
