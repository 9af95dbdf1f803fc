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
    """Run it; what was written, for people and programs. After Ctrl-C or SIGTERM only what lets it resume is left."""
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
    """What will run, and whether it resumes what another run has done."""
    workers, count = slots(ready.engine, ready.how.workers), len(ready.train.features)
    where = f"Ray, workers: {workers}" if ready.on_ray else f"this process, threads: {workers}"
    note(f"backfill {ready.target}: {count} feature{'s' * (count > 1)} into {ready.out}, on {where}")
    if ready.resume is None:
        changed = ", ".join(dict.fromkeys(changing(ready.train)))
        note(f"It cannot resume after a stop, because rows may change between two runs: {changed}.")
    elif ready.how.fresh:
        forget(ready.resume)
    elif kept(ready.resume):
        note(f"An earlier run was stopped; the work it finished is taken from {ready.resume}")


def _said_after(ready: Ready, note: Note) -> None:
    """Where what is done is kept, of a run that was stopped."""
    tidy(ready.resume)
    if kept(ready.resume):
        note(
            f"Finished work is kept in {ready.resume}: the same command resumes from there; with --fresh it starts from scratch."
        )


@contextmanager
def _system_errors(ready: Ready) -> Iterator[None]:
    """Errors of the operating system, as errors of ours."""
    try:
        yield
    except NowThenError:
        raise
    except FileNotFoundError as error:
        where = "on a node. On Ray give absolute paths, on a disk that all nodes share" if ready.on_ray else "any more"
        raise NotFound(f"{error.filename!r} is not there {where}.") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFull(
                f"no space is left to write {ready.out} or its intermediate files. Free some, and run the same command again."
            ) from error
        raise Invalid(f"{ready.out} cannot be written: {error}") from error


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
