"""The server of the command line: starts, says where it is, and stays until it is told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

import ray

from ..store.store import Store
from .deployment import start, stop
from .online import online


def run_server(store: Store, host: str, port: int, address: str | None, say: Callable[[dict[str, Any]], None]) -> None:
    """Serve a store until SIGINT or SIGTERM; `say` gets where it can be reached."""
    ended = threading.Event()
    joined = ray.is_initialized()
    start(store, host=host, port=port, address=address)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        say({"url": f"http://{host}:{port}", "services": sorted(online().services()), "store": store.here.folder.url})
        ended.wait()
    finally:
        stop()
        if not joined:
            ray.shutdown()
