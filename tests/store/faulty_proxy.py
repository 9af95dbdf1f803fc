"""A proxy before an object store that fails as networks do: by chance, at every point of a request.

A failure before the request was passed on means that nothing happened; one after it that it happened and nobody was told; a late one that it
happens when its sender has long given up.
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

FAULTS: Final = ("reset before", "reset after", "503 before", "503 after", "cut body", "delay", "late")


@dataclass
class Faults:
    """Which share of requests fails, and how long a late one waits; a script says it of the first requests. `counted` says what was done."""

    share: float = 0.2
    seed: int = 0
    late_s: float = 1.5
    script: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._lock = threading.Lock()

    def next(self) -> str:
        """The fault of the next request; empty for none."""
        with self._lock:
            if self.script:
                return self.script.pop(0)
            fault = self._chance.choice(FAULTS) if self._chance.random() < self.share else ""
            self.counted[fault] += 1
            return fault


@contextmanager
def faulty_proxy(backend: str, faults: Faults) -> Iterator[str]:
    """The address of a proxy that passes requests on to the backend, or fails."""
    host = str(urlsplit(backend).netloc)

    class Handler(_Handler):
        def passed_on(self) -> tuple[int, list[tuple[str, str]], bytes]:
            return _passed_on(host, self)

        def fault(self) -> str:
            return faults.next()

        late_s = faults.late_s

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    late_s = 0.0
    body = b""

    def passed_on(self) -> tuple[int, list[tuple[str, str]], bytes]:
        raise NotImplementedError

    def fault(self) -> str:
        raise NotImplementedError

    def _any(self) -> None:
        self.close_connection = True
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.fault()
        try:
            self._answered(fault)
        except OSError:
            return  # the client has gone

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any  # noqa: N815

    def _answered(self, fault: str) -> None:
        if fault == "reset before":
            return self._reset()
        if fault in ("503 before", "409 before", "507 before"):
            return self._sent(int(fault[:3]), [], b"")
        if fault in ("delay", "late"):
            time.sleep(self.late_s * (0.1 if fault == "delay" else 1.0))
        status, headers, content = self.passed_on()
        if fault == "reset after":
            return self._reset()
        if fault == "503 after":
            return self._sent(503, [], b"")
        return self._sent(status, headers, content, cut=fault == "cut body")

    def _sent(self, status: int, headers: list[tuple[str, str]], content: bytes, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.wfile.flush()
        if cut:
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test prints what it finds."""


def _passed_on(host: str, asked: _Handler) -> tuple[int, list[tuple[str, str]], bytes]:
    backend = http.client.HTTPConnection(host, timeout=30)
    try:
        headers = {name: value for name, value in asked.headers.items() if name.lower() != "connection"}
        backend.request(asked.command, asked.path, asked.body, headers)
        reply = backend.getresponse()
        content = reply.read()
        kept = [one for one in reply.getheaders() if one[0].lower() not in ("connection", "transfer-encoding", "date")]
        return reply.status, kept, content
    finally:
        backend.close()
