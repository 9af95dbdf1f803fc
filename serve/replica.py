"""A shard as the actor that Ray Serve keeps alive: async methods, errors as values.

Calls and results are bytes, pickled here: Serve looks into every argument for other responses, and Ray's own pickling asks a Python
function about every object in a result. Bytes pass untouched.

Reads are answered in the event loop, as they take less time than a hop to a thread; what waits for a disk goes to a thread.
"""

from __future__ import annotations

import asyncio
import gc
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ..engine.errors import NowThenError
from .failure import Failure
from .published import Publication
from .shard import Shard

_WRITERS = 32  # pushes that may wait for one sync together


class Replica:
    """One shard and the threads that write for it."""

    def __init__(self, open_publication: Callable[[], Publication]) -> None:
        self._shard = Shard(open_publication())
        gc.freeze()  # what was loaded stays: no collection walks it again
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="nowthen-push")
        self._reloading: asyncio.Future[bool] | None = None

    async def get(self, call: bytes) -> bytes:
        """The answer to (service, keys, options)."""
        *args, options = pickle.loads(call)
        if "with_rows" in options:
            return await self._in_thread(self._shard.get, *args, **options)
        return _safely(self._shard.get, *args, **options)

    async def push(self, call: bytes) -> bytes:
        """The token of (source, rows, key, {})."""
        *args, _ = pickle.loads(call)
        return await self._in_thread(self._shard.push, *args)

    async def services(self, _: bytes) -> bytes:
        """What can be asked, by service."""
        return _safely(self._shard.services)

    async def service(self, call: bytes) -> bytes:
        """What one service, (name, {}), can be asked."""
        *args, _ = pickle.loads(call)
        return await self._in_thread(self._shard.service, *args)

    async def check_health(self) -> None:
        """Asked by Ray Serve; raising has the replica replaced. Looks for a newer snapshot on the way."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writers, self._shard.check_health)
        if self._reloading is None or self._reloading.done():
            self._reloading = loop.run_in_executor(self._writers, self._shard.reload)

    async def _in_thread(self, call: Callable[..., Any], *args: Any, **options: Any) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._writers, partial(_safely, call, *args, **options))


def _safely(call: Callable[..., Any], *args: Any, **options: Any) -> bytes:
    """The pickled result, or the pickled `Failure`."""
    try:
        result = call(*args, **options)
    except NowThenError as error:
        result = Failure.of(error)
    return pickle.dumps(result, protocol=5)
