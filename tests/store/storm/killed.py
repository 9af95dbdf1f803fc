"""Processes that do rounds of work until they are killed, at any instant, and tell over a pipe how far they came.

They are forked from a server that has imported everything and used nothing: Lance and the threads of Polars begin only in the child.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import nowthen as nt

_PRELOADED: Final = (
    "lance.file",
    "nowthen.ops",
    "nowthen.store.features.backfill",
    "nowthen.store.features.compaction",
    "nowthen.store.rows.compaction",
    "nowthen.store.care.forget",
    "nowthen.store.rows.ingest",
    "nowthen.store.store",
    "polars",
    "pyarrow.dataset",
)
_READY_S: Final = 60.0
_AT_MOST: Final = 6  # rounds a process
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(_PRELOADED))


@dataclass(frozen=True)
class Outcome:
    """How far a process came: rounds acknowledged, whether it was in one more, and whether it was killed before it was done with all."""

    acknowledged: int
    in_doubt: bool
    killed: bool


class Victims:
    """Starts processes ahead, one kind of work each, and kills them."""

    def __init__(self, kind: str, seed: int) -> None:
        self._kind = kind
        self._random = random.Random(seed)
        self._round_s = 0.2  # how long a round takes, as far as seen
        self._waiting = self._started()

    def run(self, store: Path, first: int) -> Outcome:
        """Let a process do rounds from the first on, and kill it at some instant within the time of two or three."""
        process, pipe = self._waiting
        self._waiting = self._started()
        pipe.send((str(store), first))
        began = time.monotonic()
        time.sleep(self._random.uniform(0, 2.5 * self._round_s))
        process.kill()
        lasted = time.monotonic() - began
        process.join()
        outcome = _told(pipe)
        rounds = outcome.acknowledged + 0.5
        self._round_s = (
            0.8 * self._round_s + 0.2 * min(lasted / rounds, 5.0) if outcome.acknowledged else 1.1 * self._round_s
        )
        return outcome

    def close(self) -> None:
        """End the process that waits."""
        process, pipe = self._waiting
        process.kill()
        process.join()
        pipe.close()

    def _started(self) -> tuple[multiprocessing.process.BaseProcess, Connection]:
        ours, theirs = _context.Pipe()
        process = _context.Process(target=_rounds, args=(self._kind, theirs), daemon=True)
        process.start()
        theirs.close()
        if not ours.poll(_READY_S) or ours.recv() != "ready":
            raise RuntimeError(f"a process that should do {self._kind} did not come up")
        return process, ours


def _told(pipe: Connection) -> Outcome:
    """What came over the pipe before it broke."""
    begun = acknowledged = 0
    killed = True
    with pipe:
        try:
            while True:
                said = pipe.recv()
                begun += said == "begun"
                acknowledged += said == "done"
                killed = killed and said != "finished"
                if isinstance(said, Exception):
                    raise said
        except (EOFError, ConnectionResetError):
            return Outcome(acknowledged, begun > acknowledged, killed)


def _rounds(kind: str, pipe: Connection) -> None:
    from .works import WORKS

    work = WORKS[kind]
    pipe.send("ready")
    place, first = pipe.recv()
    store = nt.connect(place)
    for number in range(first, first + _AT_MOST):
        pipe.send("begun")
        try:
            work.do(store, number)
        except Exception as error:
            pipe.send(RuntimeError(f"round {number} of {kind}: {type(error).__name__}: {error}"))
            return
        pipe.send("done")
    pipe.send("finished")
