"""Features online: one client, whatever carries its calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from ..engine.language.duration import Duration
from .answer import Answer
from .call_options import GetOptions, new_key, seconds


class Transport(Protocol):
    """What carries a call to a shard and brings its result or typed error back."""

    place: str  # where the shard is, for people

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

    def __repr__(self) -> str:
        return f"<Features of {self._transport.place}: get(service, keys), push(source, rows), services()>"

    def close(self) -> None:
        """Let go of connections and files."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(
        self,
        service: str,
        keys: Mapping[str, Any],
        *,
        request: Mapping[str, Any] | None = None,
        at: Any = None,
        with_rows: Mapping[str, Any] | None = None,
        push: bool = False,
        after: str | None = None,
        key: str | None = None,
        deadline: Duration | None = None,
    ) -> Answer:
        """The features of a service for keys, one row for each; scalars stand for every row.

        `request` holds request fields, `at` the time or times (default: the server's clock), `with_rows={source: rows}` rows that count
        as arrived for this answer; `push=True` makes them durable first, once for each idempotency `key`. `after` is the token of a push
        that must be seen.
        """
        options = GetOptions(request, at, with_rows, push, after, key).given()
        return self._transport.call("get", (service, keys), options, seconds(deadline))  # type: ignore[no-any-return]

    async def aget(
        self,
        service: str,
        keys: Mapping[str, Any],
        *,
        request: Mapping[str, Any] | None = None,
        at: Any = None,
        with_rows: Mapping[str, Any] | None = None,
        push: bool = False,
        after: str | None = None,
        key: str | None = None,
        deadline: Duration | None = None,
    ) -> Answer:
        """As `get`."""
        options = GetOptions(request, at, with_rows, push, after, key).given()
        return await self._transport.acall("get", (service, keys), options, seconds(deadline))  # type: ignore[no-any-return]

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


def online(url: str | None = None) -> Features:
    """The client of what is served: in this Ray cluster, or at an address such as "http://host:8000"."""
    if url is None:
        from .in_cluster import InCluster

        return Features(InCluster())
    from .over_http import OverHttp

    return Features(OverHttp(url))
