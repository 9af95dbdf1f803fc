"""Places inside long work where it can be stopped. Whoever has the work done says how: by a function that raises where nobody wants it any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


def _nobody_stops() -> None:
    """Work goes on."""


_stop: ContextVar[Callable[[], None]] = ContextVar("stop", default=_nobody_stops)


def may_stop() -> None:
    """Stop here, if that is wanted."""
    _stop.get()()


@contextmanager
def stopped_by(check: Callable[[], None]) -> Iterator[None]:
    """Have what runs inside ask `check` whether to go on."""
    before = _stop.set(check)
    try:
        yield
    finally:
        _stop.reset(before)
