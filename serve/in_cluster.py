"""The transport over a Ray Serve handle: typed errors, deadlines, and another try where the replica died."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Generator
from typing import Any

from ray import serve
from ray.exceptions import RayActorError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException
from ray.serve.handle import DeploymentHandle

from ..engine.errors import Deadline, NowThenError, Overloaded, Unavailable
from .failure import Failure
from .join_ray import join

APP = "nowthen"
_PATIENCE_S = 60.0  # a replica that died is back within a quarter of it
_PAUSE_S = 0.1
_LOST = (RayActorError, DeploymentUnavailableError)
_FAILED = (*_LOST, TimeoutError, RayTaskError, BackPressureError)


def shard_name(number: int) -> str:
    """The deployment of a shard."""
    return f"nowthen-shard-{number}"


class InCluster:
    """Calls the replicas of a shard."""

    place = "this Ray cluster"

    def __init__(self, number: int = 0) -> None:
        _connect()
        try:
            handle = serve.get_deployment_handle(shard_name(number), APP)
        except RayServeException as error:
            raise Unavailable(f"nothing is served in this cluster: {error} Start it with `nowthen serve`.") from None
        self._methods: dict[str, Any] = {}
        self._handle: DeploymentHandle[Any] = handle

    def call(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Any:
        """The result of a method of the shard."""
        return self.begin(method, args, options, timeout_s).result()

    async def acall(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Any:
        """The same for an event loop."""
        return await self.begin(method, args, options, timeout_s)

    def close(self) -> None:
        """Nothing: handles are shared by the process."""

    def begin(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Pending:
        """Send the call now; its result is awaited, or taken with `result()`."""
        remote = self._methods.get(method)
        if remote is None:
            remote = self._methods[method] = getattr(self._handle, method)
        return Pending(remote, pickle.dumps((*args, options), protocol=5), timeout_s)


def _connect() -> None:
    try:
        join("auto")
    except Unavailable:
        raise Unavailable(
            "no Ray cluster is running here. Start one with `nowthen serve`, or give the address of a server: nt.online('http://host:8000')."
        ) from None


class Pending:
    """A call under way. Calls may be repeated: reads change nothing, pushes carry an idempotency key."""

    def __init__(self, remote: Any, call: bytes, timeout_s: float | None) -> None:
        self._remote, self._call = remote, call
        self._until = time.monotonic() + (_PATIENCE_S if timeout_s is None else timeout_s)
        self._asked_s = timeout_s
        self._response = remote.remote(call)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        while True:
            try:
                return _opened(await self._in_time())
            except _FAILED as error:
                await asyncio.sleep(self._pause(error))
            self._response = self._remote.remote(self._call)

    async def _in_time(self) -> Any:
        if self._asked_s is None:
            return await self._response
        return await asyncio.wait_for(_waited(self._response), max(self._until - time.monotonic(), 0))

    def result(self) -> Any:
        """The result, for code that is not in an event loop."""
        while True:
            try:
                return _opened(self._response.result(timeout_s=max(self._until - time.monotonic(), 0)))
            except _FAILED as error:
                time.sleep(self._pause(error))
            self._response = self._remote.remote(self._call)

    def _pause(self, error: Exception) -> float:
        """The seconds before the next try; where no other try helps, or there is no time for one, the error that says so is raised."""
        if isinstance(error, _LOST):
            if time.monotonic() + _PAUSE_S > self._until:
                raise Unavailable(f"the shard does not answer: {str(error).splitlines()[0]}") from None
            return _PAUSE_S
        if isinstance(error, TimeoutError):
            raise self._late() from None
        if isinstance(error, RayTaskError):
            raise error.cause from None
        raise Overloaded(str(error)) from None

    def _late(self) -> NowThenError:
        if self._asked_s is None:
            return Unavailable(f"the shard did not answer for {_PATIENCE_S:g} s.")
        return Deadline(f"no answer within {self._asked_s * 1000:g} ms.")


async def _waited(response: Any) -> Any:
    return await response


def _opened(packed: bytes) -> Any:
    result = pickle.loads(packed)
    if isinstance(result, Failure):
        raise result.error()
    return result
