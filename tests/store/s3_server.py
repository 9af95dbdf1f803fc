"""An S3 server on this machine, in memory, whose conditional puts are honest."""

from __future__ import annotations

import logging
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

BUCKET = "bucket"


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server with one empty bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = _OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    for method in ("POST", "PUT"):  # forget other tests' objects, make the bucket
        path = "/moto-api/reset" if method == "POST" else f"/{BUCKET}"
        urllib.request.urlopen(urllib.request.Request(address + path, method=method)).close()
    try:
        yield address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def options(address: str, **more: str) -> dict[str, str]:
    """What `storage=` says to reach the server."""
    return {
        "aws_access_key_id": "test-access-key",
        "aws_secret_access_key": "test-secret-key",
        "aws_endpoint": address,
        "aws_region": "us-east-1",
        "allow_http": "true",
        **more,
    }


class _OneAtATime:
    """moto looks whether an object is there and then puts it; between the two another request may come. Here it may not."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return self._app(environ, start_response)  # type: ignore[no-any-return]
        with self._lock:
            return list(self._app(environ, start_response))
