"""Handles for inference services: `await handle.get.remote({...})`, straight to the replica that holds the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.language.duration import Duration
from .call_options import GetOptions, new_key, seconds
from .in_cluster import InCluster, Pending


class Handle:
    """One service in the cluster. `handle.get.remote(...)` and `handle.push.remote(...)` send at once; await what they return."""

    def __init__(self, service: str) -> None:
        self.service = service
        transport = InCluster()
        self.get, self.push = _Get(service, transport), _Push(transport)

    def __reduce__(self) -> tuple[Any, ...]:
        return Handle, (self.service,)

    def __repr__(self) -> str:
        return f"<Handle of service {self.service!r}: get.remote(keys), push.remote(source, rows)>"


class _Get:
    """`remote(keys, ...)` asks for features."""

    def __init__(self, service: str, transport: InCluster) -> None:
        self._service, self._transport = service, transport

    def __repr__(self) -> str:
        return f"<get of service {self._service!r}: remote(keys)>"

    def remote(
        self,
        keys: Mapping[str, Any],
        *,
        request: Mapping[str, Any] | None = None,
        at: Any = None,
        with_rows: Mapping[str, Any] | None = None,
        push: bool = False,
        after: str | None = None,
        key: str | None = None,
        deadline: Duration | None = None,
    ) -> Pending:
        """An `Answer`, awaited or taken with `.result()`; the options are those of `nt.online().get`."""
        options = GetOptions(request, at, with_rows, push, after, key).given()
        return self._transport.begin("get", (self._service, keys), options, seconds(deadline))


class _Push:
    """`remote(source, rows)` makes rows durable and visible."""

    def __init__(self, transport: InCluster) -> None:
        self._transport = transport

    def __repr__(self) -> str:
        return "<push to this Ray cluster: remote(source, rows)>"

    def remote(self, source: str, rows: Any, *, key: str | None = None, deadline: Duration | None = None) -> Pending:
        """The token of the push, awaited or taken with `.result()`."""
        return self._transport.begin("push", (source, rows, key or new_key()), {}, seconds(deadline))


def handle(service: str) -> Handle:
    """The handle of a published service, for code inside the cluster."""
    return Handle(service)
