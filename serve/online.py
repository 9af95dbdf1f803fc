"""Features online: one client, whatever carries its calls."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Protocol, Self

from ..engine.language.duration import Duration, positive
from .answer import Answer


class Transport(Protocol):
    """What carries a call to a shard and brings its result or typed error back."""

    def call(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Any:
        """The result of a method of the shard."""

    async def acall(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Any:
        """The same for an event loop."""

    def close(self) -> None:
        """Let go of connections and files."""


class Features:
    """Asks for features and pushes rows. Every method has a form for event loops, named with an `a` before."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Let go of connections and files."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, service: str, keys: Mapping[str, Any], *, deadline: Duration | None = None, **options: Any) -> Answer:
        """The features of a service for keys, one row for each; scalars stand for every row.

        `request=` holds request fields, `at=` the time (default: the server's clock), `with_rows={source: rows}` rows that count as
        arrived for this answer, `push=True` makes them durable first, `after=` is the token of a push that must be seen.
        """
        return self._transport.call("get", (service, keys), asked(options), seconds(deadline))  # type: ignore[no-any-return]

    async def aget(
        self, service: str, keys: Mapping[str, Any], *, deadline: Duration | None = None, **options: Any
    ) -> Answer:
        """As `get`."""
        return await self._transport.acall("get", (service, keys), asked(options), seconds(deadline))  # type: ignore[no-any-return]

    def push(self, source: str, rows: Any, *, key: str | None = None, deadline: Duration | None = None) -> str:
        """Make rows of a source durable and visible; the token to read them by.

        The same `key` again finishes an interrupted push and never stores rows twice.
        """
        return self._transport.call("push", (source, rows, key or new_key()), {}, seconds(deadline))  # type: ignore[no-any-return]

    async def apush(self, source: str, rows: Any, *, key: str | None = None, deadline: Duration | None = None) -> str:
        """As `push`."""
        return await self._transport.acall("push", (source, rows, key or new_key()), {}, seconds(deadline))  # type: ignore[no-any-return]

    def services(self) -> dict[str, dict[str, Any]]:
        """What can be asked, by service."""
        return self._transport.call("services", (), {}, None)  # type: ignore[no-any-return]

    async def aservices(self) -> dict[str, dict[str, Any]]:
        """As `services`."""
        return await self._transport.acall("services", (), {}, None)  # type: ignore[no-any-return]

    def service(self, name: str) -> dict[str, Any]:
        """What one service can be asked."""
        return self._transport.call("service", (name,), {}, None)  # type: ignore[no-any-return]

    async def aservice(self, name: str) -> dict[str, Any]:
        """As `service`."""
        return await self._transport.acall("service", (name,), {}, None)  # type: ignore[no-any-return]


_OPTIONS = ("request", "at", "with_rows", "push", "after", "key")


def asked(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given. A push gets an idempotency key, so that a repeated call stores nothing twice."""
    for name in options:
        if name not in _OPTIONS:
            raise TypeError(f"get() has no option {name!r}. There are: {', '.join(_OPTIONS)}, deadline.")
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    if "push" in given:
        given.setdefault("key", new_key())
    return given


def new_key() -> str:
    """An idempotency key that nobody else has."""
    return uuid.uuid4().hex


def seconds(deadline: Duration | None) -> float | None:
    """A deadline in seconds."""
    return None if deadline is None else positive(deadline, "the deadline") / 1e6


def online(url: str | None = None) -> Features:
    """The client of what is served: in this Ray cluster, or at an address such as "http://host:8000"."""
    if url is None:
        from .in_cluster import InCluster

        return Features(InCluster())
    from .over_http import OverHttp

    return Features(OverHttp(url))
