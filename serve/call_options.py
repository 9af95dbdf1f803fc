"""What the options of a call are to a shard: those of a `get`, the idempotency key of a push, and a deadline."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..engine.language.duration import Duration, positive
from ..engine.record import record


@record
class GetOptions:
    """The options of a `get`, as callers write them."""

    request: Mapping[str, Any] | None
    at: Any
    with_rows: Mapping[str, Any] | None
    push: bool
    after: str | None
    key: str | None

    def given(self) -> dict[str, Any]:
        """Those that are set, by name. A push gets an idempotency key, so that a repeated call stores nothing twice."""
        given = {name: value for name, value in vars(self).items() if value is not None and value is not False}
        if "push" in given:
            given.setdefault("key", new_key())
        return given


def new_key() -> str:
    """An idempotency key that nobody else has."""
    return uuid.uuid4().hex


def seconds(deadline: Duration | None) -> float | None:
    """A deadline in seconds."""
    return None if deadline is None else positive(deadline, "the deadline") / 1e6
