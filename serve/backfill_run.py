"""A backfill carried out: one Parquet file, written whole or not at all, and what is said about it."""

from __future__ import annotations

import errno
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer

from ..engine.errors import Conflict, Invalid, NotFound, NowThenError, StorageFull
from ..engine.running.executor import slots
from .backfill import Ready
from .backfill_out import changing, forget, kept, tidy

Note = Callable[[str], None]


def carried_out(ready: Ready, note: Note) -> dict[str, Any]:
    """Run it; what was written, for people and programs. Stopped by Ctrl-C or SIGTERM it leaves only what lets it go on."""
    _said_before(ready, note)
    began = time.monotonic()
    try:
        with stoppable(), _system_errors(ready):
            rows = ready.train.sink_parquet(
                ready.out, **ready.options, deadline=ready.how.deadline, resume=ready.resume
            )
    except Conflict:  # another run has the folder, which is its own
        raise
    except BaseException:
        _said_after(ready, note)
        raise
    seconds = time.monotonic() - began
    facts = {"rows": rows, "seconds": round(seconds, 3), "rows_per_s": round(rows / max(seconds, 1e-3))}
    return {
        "target": ready.target,
        **facts,
        "file": str(ready.out),
        "engine": "ray" if ready.on_ray else "local",
        "columns": list(ready.train.schema),
    }


def told_result(facts: dict[str, Any]) -> str:
    """The result in a line."""
    return f"{facts['rows']:,} rows in {facts['seconds']:,.1f} s ({facts['rows_per_s']:,} rows/s): {facts['file']}"


def _said_before(ready: Ready, note: Note) -> None:
    """What will run, and whether it goes on with what another run has done."""
    workers, count = slots(ready.engine, ready.how.workers), len(ready.train.features)
    where = f"Ray, workers: {workers}" if ready.on_ray else f"this process, threads: {workers}"
    note(f"backfill {ready.target}: {count} feature{'s' * (count > 1)} into {ready.out}, on {where}")
    if ready.resume is None:
        changed = ", ".join(dict.fromkeys(changing(ready.train)))
        note(f"It cannot go on if it is stopped, as rows may change between two runs: {changed}.")
    elif ready.how.fresh:
        forget(ready.resume)
    elif kept(ready.resume):
        note(f"An earlier run was stopped; what it did of the same work is taken from {ready.resume}")


def _said_after(ready: Ready, note: Note) -> None:
    """Where what is done is kept, of a run that was stopped."""
    tidy(ready.resume)
    if kept(ready.resume):
        note(
            f"What is done is kept in {ready.resume}: the same command goes on from there, with --fresh it begins anew."
        )


@contextmanager
def _system_errors(ready: Ready) -> Iterator[None]:
    """What the system refuses, as errors of ours."""
    try:
        yield
    except NowThenError:
        raise
    except FileNotFoundError as error:
        where = (
            "on a node. On Ray give paths from the root, on a disk that all nodes share" if ready.on_ray else "any more"
        )
        raise NotFound(f"{error.filename!r} is not there {where}.") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFull(
                f"no room is left to write {ready.out}, or what waits for it. Make some, and go on."
            ) from error
        raise Invalid(f"{ready.out} cannot be made: {error}") from error


@contextmanager
def stoppable() -> Iterator[None]:
    """Where a job or person stops the process, it ends in order: exit code 143 after SIGTERM, 130 after Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, _stopped) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _stopped(number: int, _: FrameType | None) -> None:
    raise typer.Exit(128 + number)
