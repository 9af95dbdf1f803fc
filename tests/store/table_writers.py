"""Processes that all write to one source: rows come, a stretch of time is replaced, files are merged, removed and a customer is forgotten."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import nowthen as nt
from nowthen.engine.errors import CommitUnknown, Conflict, NotFound, Unavailable

from . import shop

APPENDERS, STRETCH, FORGOTTEN, PATIENCE_S = 4, 20, 3, 240.0
FAR = 10_000  # hours after the first sale, where the stretch that is replaced begins

Storage = Mapping[str, str] | None


def rounds_at_once(url: str, storage: Storage, rounds: int, machines: Path) -> list[int]:
    """Eight processes of five kinds at work; the sales that were acknowledged to whoever appended them.

    Each has a temporary folder of its own, as if it ran on another machine: at an object store no lock makes them queue.
    """
    first = shop.sales(7, first=2 * FAR)  # so that there is something to merge and to forget
    nt.connect(url, storage=storage).ingest(shop.source(first))
    works = [*[_append] * APPENDERS, _replace, _compact, _clean, _forget]
    with ProcessPoolExecutor(len(works), multiprocessing.get_context("spawn"), _settle, (machines,)) as pool:
        jobs = [pool.submit(work, url, storage, number, rounds) for number, work in enumerate(works)]
        return sorted([*first["sale"].to_list(), *(sale for job in jobs for sale in job.result())])


def _settle(machines: Path) -> None:
    tempfile.tempdir = tempfile.mkdtemp(dir=machines)


def _append(url: str, storage: Storage, number: int, rounds: int) -> list[int]:
    told: list[int] = []
    for one in range(rounds):
        rows = shop.sales(15, first=(one * APPENDERS + number) * 15)
        _until_done(lambda store, rows=rows: store.ingest(shop.source(rows)), url, storage)  # type: ignore[misc]
        told += rows["sale"].to_list()
    return told


def _replace(url: str, storage: Storage, number: int, rounds: int) -> list[int]:
    start, end = (shop.START + timedelta(hours=FAR + hours) for hours in (0, STRETCH))
    for one in range(rounds):
        rows = shop.sales(STRETCH, first=FAR).with_columns(amount=float(one))
        _until_done(lambda store, rows=rows: store.replace(shop.source(rows), rows, start, end), url, storage)  # type: ignore[misc]
    return list(range(FAR, FAR + STRETCH))


def _compact(url: str, storage: Storage, number: int, rounds: int) -> list[int]:
    for _ in range(rounds):
        _until_done(lambda store: store.compact("sales"), url, storage)
    return []


def _clean(url: str, storage: Storage, number: int, rounds: int) -> list[int]:
    for _ in range(rounds):
        _until_done(lambda store: store.cleanup(keep="0s", versions=1), url, storage)
    return []


def _forget(url: str, storage: Storage, number: int, rounds: int) -> list[int]:
    for _ in range(rounds // 2):
        _until_done(lambda store: store.forget(shop.CUSTOMER, [FORGOTTEN]), url, storage)
    return []


def _until_done(act: Callable[[Any], object], url: str, storage: Storage) -> None:
    """As a user would: what collided, got no answer or found nothing yet is done again."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            act(nt.connect(url, storage=storage))
            return
        except (Conflict, CommitUnknown, Unavailable, NotFound):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
