"""The Ray Serve application: the shard that holds the state, and the HTTP gateway before it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve.config import HTTPOptions
from ray.serve.schema import ProxyStatus

from ..engine.errors import Unavailable
from ..store.store import Store
from .http import gateway
from .in_cluster import APP, InCluster, shard_name
from .join_ray import join
from .online import Features
from .published import Publication, StorePublication
from .replica import Replica

_ONGOING = 256  # calls a replica works on at once; Serve's default of 5 would have them wait
# The shard's own methods never wait in the event loop, so they may run in the replica's main one: a hop between threads costs more than
# the look-up where cores are few (p50 over an empty method: 1 key 1.4 -> 1.25, 100 keys 1.75 -> 1.5; 2 cores, 2026-11).
_ONE_THREAD = {"RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0"}
_HTTP_S = 60.0
_HEALTH_S = 2.0  # a stopped replica is worse than a dead one: it is found within a few of these


def start(store: Any, *, host: str = "127.0.0.1", port: int | None = 8000, address: str | None = None) -> None:
    """Serve a store's published services on Ray: handles for the cluster, HTTP at `host:port` (None: no HTTP).

    Uses the Ray that is connected, else the one at `address` ("auto": the one running on this machine), else starts one here. Returns
    when requests are answered; `stop` ends it. If Ray Serve already runs for others, it keeps the address it listens on.
    """
    join(address or os.environ.get("RAY_ADDRESS") or "local")
    # A path means this machine's folder, and a store travels without secrets: replicas take them from their own environment.
    opened = store if isinstance(store, Store) else Store.at(store)
    run(partial(StorePublication, opened), host=host, port=port)


def run(open_publication: Callable[[], Publication], *, host: str, port: int | None) -> None:
    """Serve what a publication holds."""
    if port is not None:
        serve.start(http_options=HTTPOptions(host=host, port=port))
    application = (
        _gateway().bind(_shard(0).bind(open_publication)) if port is not None else _shard(0).bind(open_publication)
    )
    serve.run(application, name=APP, route_prefix="/" if port is not None else None)
    if port is not None:
        _wait_for_http()


def _wait_for_http() -> None:
    """Wait for the proxies: Serve starts them beside the application, and on a busy machine they may be later."""
    until = time.monotonic() + _HTTP_S
    while ProxyStatus.HEALTHY not in (states := serve.status().proxies.values()) or ProxyStatus.STARTING in states:
        if time.monotonic() > until:
            raise Unavailable(f"Ray Serve's HTTP proxies are not up after {_HTTP_S:g} s: {serve.status().proxies}")
        time.sleep(0.05)


def stop() -> None:
    """End serving. The store keeps everything; Ray goes on where it was running before, and Serve where it serves others too.

    Serve keeps the address it listens on as long as it runs, so it ends with the last that it serves.
    """
    if not ray.is_initialized():
        return
    serve.delete(APP)
    if not serve.status().applications:
        serve.shutdown()  # type: ignore[no-untyped-call]


def _shard(number: int) -> Any:
    return serve.deployment(
        Replica,
        name=shard_name(number),
        num_replicas=1,
        max_ongoing_requests=_ONGOING,
        health_check_period_s=_HEALTH_S,
        health_check_timeout_s=10.0,
        graceful_shutdown_timeout_s=5.0,
        ray_actor_options={"num_cpus": 0.1, "runtime_env": {"env_vars": _ONE_THREAD}},
    )


def _gateway() -> Any:
    made = serve.ingress(_web)()
    return serve.deployment(
        made, name="nowthen-http", max_ongoing_requests=_ONGOING, ray_actor_options={"num_cpus": 0.1}
    )


def _web() -> FastAPI:
    return gateway(Features(InCluster()))
