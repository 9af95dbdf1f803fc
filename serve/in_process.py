"""The transport to a shard in this process."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..engine.errors import Deadline
from .shard import Shard


class InProcess:
    """Calls a shard directly."""

    def __init__(self, shard: Shard, place: str) -> None:
        self._shard, self.place = shard, place

    def close(self) -> None:
        """Let go of what the shard holds open."""
        self._shard.close()

    def call(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Any:
        """The result of a method of the shard. Nothing interrupts it: what came too late is refused when it comes."""
        began = time.monotonic()
        result = getattr(self._shard, method)(*args, **options)
        if timeout_s is not None and time.monotonic() - began > timeout_s:
            raise Deadline(f"{method} was not done within {timeout_s * 1000:g} ms.")
        return result

    async def acall(self, method: str, args: tuple[Any, ...], options: dict[str, Any], timeout_s: float | None) -> Any:
        """The same from a thread beside the event loop."""
        return await asyncio.to_thread(self.call, method, args, options, timeout_s)
