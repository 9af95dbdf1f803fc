"""A shard as the actor that Ray Serve keeps alive: async methods, errors as values.

Reads are answered in the event loop, as they take less time than a hop to a thread; what waits for a disk goes to a thread.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..engine.errors import NowThenError
from .failure import Failure
from .published import Publication
from .shard import Shard

_WRITERS = 32  # pushes that may wait for one sync together
_RELOAD_S = 1.0  # how often a newer snapshot is looked for


class Replica:
    """One shard and the threads that write for it."""

    def __init__(self, open_publication: Callable[[], Publication]) -> None:
        self._shard = Shard(open_publication())
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="nowthen-push")
        self._reloading: asyncio.Task[None] | None = None

    async def get(self, call: bytes) -> Any:
        """The answer to a pickled (service, keys, options), or the `Failure`."""
        *args, options = pickle.loads(call)
        if "with_rows" in options:
            return await self._in_thread(self._shard.get, *args, **options)
        try:
            return self._shard.get(*args, **options)
        except NowThenError as error:
            return Failure.of(error)

    async def push(self, call: bytes) -> Any:
        """The token of a pickled (source, rows, key, {}), or the `Failure`."""
        *args, _ = pickle.loads(call)
        return await self._in_thread(self._shard.push, *args)

    async def services(self, _: bytes) -> Any:
        """What can be asked, by service."""
        return self._shard.services()

    async def service(self, call: bytes) -> Any:
        """What one service, of a pickled (name, {}), can be asked, or the `Failure`."""
        *args, _ = pickle.loads(call)
        return await self._in_thread(self._shard.service, *args)

    async def reload(self) -> Any:
        """Take the newest snapshots now."""
        return await self._in_thread(self._shard.reload)

    async def check_health(self) -> None:
        """Asked by Ray Serve; raising has the replica replaced. Looks for a newer snapshot on the way."""
        await self._in_thread(self._shard.check_health)
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.ensure_future(self._reload())

    async def _reload(self) -> None:
        await self._in_thread(self._shard.reload)

    async def _in_thread(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        def safely() -> Any:
            try:
                return call(*args, **options)
            except NowThenError as error:
                return Failure.of(error)

        return await asyncio.get_running_loop().run_in_executor(self._writers, safely)
