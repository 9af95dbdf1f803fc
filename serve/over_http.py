"""The transport to an HTTP gateway, for code outside the cluster."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import narwhals as nw
import numpy as np
import polars as pl

from ..engine.errors import Deadline, Invalid, Unavailable
from .answer import Answer
from .failure import Failure
from .json_values import plain, unreal

_PATIENCE_S = 60.0
_PAUSE_S = 0.1


class OverHttp:
    """Calls a gateway; one connection a thread, kept open."""

    def __init__(self, url: str) -> None:
        self._open: list[http.client.HTTPConnection] = []
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"{url!r} is not an address. Write it as 'http://host:8000'.")
        self._parts, self._own = parts, threading.local()
        self.place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # without a password

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._open:
            self._open.pop().close()

    def __del__(self) -> None:
        self.close()

    def call(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Any:
        """The result of a method of the shard behind the gateway. Calls may be repeated: pushes carry an idempotency key."""
        verb, path, body = _request(method, args, options, timeout_s)
        found = self._send(verb, self._parts.path.rstrip("/") + path, body, timeout_s)
        if method == "get":
            return Answer.from_json(found)
        return found["token"] if method == "push" else found

    async def acall(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Any:
        """The same from a thread beside the event loop."""
        return await asyncio.to_thread(self.call, method, args, options, timeout_s)

    def _send(self, verb: str, path: str, body: bytes | None, timeout_s: float | None) -> Any:
        until = time.monotonic() + (_PATIENCE_S if timeout_s is None else timeout_s)
        while True:
            try:
                status, answer = self._sent(verb, path, body, max(until - time.monotonic(), 1e-3))
                break
            except (OSError, http.client.HTTPException) as error:
                self._own.connection.close()
                if isinstance(error, TimeoutError) and timeout_s is not None:
                    raise Deadline(f"no answer within {timeout_s * 1000:g} ms.") from None
                if isinstance(error, ConnectionRefusedError) or time.monotonic() + _PAUSE_S > until:
                    raise Unavailable(f"{self._parts.geturl()} does not answer: {error}") from None
                time.sleep(_PAUSE_S)
        return _opened(status, answer)

    def _sent(self, verb: str, path: str, body: bytes | None, timeout_s: float) -> tuple[int, bytes]:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            connection = self._own.connection = kind(self._parts.hostname or "", self._parts.port, timeout=timeout_s)
            self._open.append(connection)
        connection.timeout = timeout_s
        if connection.sock is not None:
            connection.sock.settimeout(timeout_s)
        connection.request(verb, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()


def _request(
    method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None
) -> tuple[str, str, bytes | None]:
    if method == "services":
        return "GET", "/v1/services", None
    if method == "service":
        return "GET", "/v1/services/" + quote(str(args[0]), safe=""), None
    names = ("service", "keys") if method == "get" else ("source", "rows", "key")
    body = {**dict(zip(names, args, strict=True)), **options}
    if timeout_s is not None:
        body["deadline"] = f"{int(timeout_s * 1e6)}us"
    return "POST", f"/v1/{method}", json.dumps(_plain(body), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """A value as JSON has it; frames are columns of lists."""
    if isinstance(value, float):
        return value if np.isfinite(value) else unreal(value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, pl.Series):
        return plain(value)
    frame = nw.from_native(value, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        return {name: plain(frame.to_polars()[name]) for name in frame.columns}
    raise Invalid(f"{type(value).__name__} cannot be sent as JSON.")


def _opened(status: int, body: bytes) -> Any:
    try:
        found = json.loads(body)
    except ValueError:
        raise Unavailable(f"the gateway answered {status} with something that is not JSON: {body[:200]!r}") from None
    if status == 200:
        return found
    raise Failure.from_json(found).error()
