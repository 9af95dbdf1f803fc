"""Writes that wait for each other share one sync: the first to come writes for all that came while the last one was writing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from ..engine.errors import Conflict

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Calls of `commit` from many threads, done in batches by `write`, in the order they came.

    >>> GroupCommit(lambda items: [item * 2 for item in items]).commit(21)
    42
    """

    def __init__(self, write: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._write = write
        self._waiting: list[tuple[Item, Future[Result]]] = []
        self._queue, self._writer = threading.Lock(), threading.Lock()

    def commit(self, item: Item) -> Result:
        """What `write` returned for the item, once it is written; its error, where writing failed."""
        done: Future[Result] = Future()
        with self._queue:
            self._waiting.append((item, done))
        with self._writer:
            if not done.done():
                self._write_waiting()
        return done.result()

    def _write_waiting(self) -> None:
        with self._queue:
            batch, self._waiting = self._waiting, []
        try:
            results = self._write([item for item, _ in batch])
        except Conflict as error:
            self._write_alone(batch, error)
        except BaseException as error:
            for _, done in batch:
                done.set_exception(error)
        else:
            for (_, done), result in zip(batch, results, strict=True):
                done.set_result(result)

    def _write_alone(self, batch: list[tuple[Item, Future[Result]]], error: Conflict) -> None:
        """One of several was refused, and nothing was written: only that one may fail."""
        for item, done in batch:
            try:
                if len(batch) == 1:
                    raise error
                done.set_result(self._write([item])[0])
            except BaseException as own:
                done.set_exception(own)
