"""A process that dies at a step: between two of the operations by which a store's files come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from nowthen.store.ports import Folder

_STEPS = ("put_new", "put", "take_in", "delete", "sweep")


class Crash(BaseException):
    """The process is gone."""


@contextmanager
def crashing(folder: Folder, step: int) -> Iterator[None]:
    """Die before the step-th operation that changes the folder, or right after it where the number is even."""
    left = (step + 1) // 2

    def dying(plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0 and step % 2:
                raise Crash
            done = plain(*args)
            if left <= 0:
                raise Crash
            return done

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in _STEPS:
            patch.setattr(folder, name, dying(getattr(folder, name)))
        yield
