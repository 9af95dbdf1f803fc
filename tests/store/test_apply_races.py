"""Applies at once, and applies that die: one ledger decides, every definition is whole, and nobody is hurt unseen."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict
from nowthen.store.definitions.registry import Registry
from nowthen.store.store import Store

from . import shop

WRITERS = 8
_CONTEXT = multiprocessing.get_context("spawn")


def view(name: str, width: int, **more: Any) -> Any:
    tx = shop.source(shop.sales(3))
    return nt.feature_view(name, entity=shop.CUSTOMER, features={"f": tx.count().over(f"{width}d"), **more})


def service(number: int, width: int) -> nt.FeatureService:
    return nt.FeatureService(f"s{number}", [view(f"v{number}", width), view("shared", 1)], full_names=True)


def _own_names(given: tuple[Path, int]) -> int:
    store = nt.connect(given[0])
    for width in range(1, 4):
        store.apply(service(given[1], width))
    return given[1]


def _one_name(given: tuple[Path, int]) -> str:
    made = view("same", given[1] + 1)
    nt.connect(given[0]).apply(made)
    return str(Store.at(given[0]).registry.find("view", "same").version)


def _use_or_remove(given: tuple[Path, int]) -> str:
    """Even ones begin to use a feature, odd ones remove it."""
    tx = shop.source(shop.sales(3))
    used = view("shared", 1, extra=tx.amount.max())
    try:
        if given[1] % 2:
            nt.connect(given[0]).apply(view("shared", 1))
            return "removed"
        nt.connect(given[0]).apply(nt.FeatureService(f"user{given[1]}", [used.extra]))
    except Conflict:
        return "refused"
    return "used"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with _CONTEXT.Pool(WRITERS) as made:
        made.map(len, ["warm"] * WRITERS)
        yield made


def whole(store: Store) -> Registry:
    """The registry, after every definition it ever had was read back with its hash."""
    registry = nt.connect(store.root).registry
    for kind, name in registry.current():
        for one in registry.versions(kind, name):
            one.made()
    assert store.scrub().whole
    return registry


@pytest.mark.slow
def test_eight_processes_that_apply_their_own_are_all_heard(store: Store, pool: Pool) -> None:
    assert sorted(pool.map(_own_names, [(store.root, n) for n in range(WRITERS)])) == list(range(WRITERS))
    registry = whole(store)
    assert {
        name: len(registry.versions("service", name)) for kind, name in registry.current() if kind == "service"
    } == {f"s{n}": 3 for n in range(WRITERS)}


def test_eight_processes_that_apply_one_name_leave_a_chain_without_a_gap(store: Store, pool: Pool) -> None:
    pool.map(_one_name, [(store.root, n) for n in range(WRITERS)])
    chain = whole(store).versions("view", "same")
    assert len({one.version for one in chain}) == len(chain) == WRITERS
    assert [one.previous for one in chain[1:]] == [one.note for one in chain[:-1]]


def test_a_feature_is_not_removed_from_under_who_begins_to_use_it(store: Store, pool: Pool) -> None:
    pool.map(_use_or_remove, [(store.root, n) for n in range(WRITERS)])
    registry = whole(store)
    users = [name for kind, name in registry.current() if kind == "service"]
    has = "extra" in store.view("shared").spec.features
    assert has or not users


@contextmanager
def killed(target: Any, *args: Any, after_s: float) -> Iterator[None]:
    """A process that is killed so long after it said that it begins."""
    reader, writer = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=target, args=(writer, *args))
    process.start()
    reader.recv()
    time.sleep(after_s)
    os.kill(process.pid, signal.SIGKILL)  # type: ignore[arg-type]
    process.join()
    yield


def _apply_on_and_on(told: Any, root: Path, acknowledged: Path) -> None:
    told.send("begins")
    store = nt.connect(root)
    for width in range(1, 10_000):
        store.apply(service(0, width))
        with acknowledged.open("a") as file:
            file.write(f"{width}\n")


@pytest.mark.fault
@pytest.mark.parametrize("seed", range(3))
def test_a_killed_apply_loses_nothing_that_was_acknowledged(store: Store, tmp_path: Path, seed: int) -> None:
    acknowledged = tmp_path / "acknowledged"
    acknowledged.touch()
    with killed(_apply_on_and_on, store.root, acknowledged, after_s=random.Random(seed).uniform(0.1, 0.8)):
        done = len(acknowledged.read_text().splitlines())
    versions = whole(store).versions("service", "s0")
    assert len(versions) in (done, done + 1)
    store.apply(service(0, 77_777))
    assert whole(store).find("service", "s0").version == service(0, 77_777).version
