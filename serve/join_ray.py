"""Joining Ray: the one that is connected stays; a foreign one that happens to run on this machine is taken only when asked for."""

from __future__ import annotations

import logging
import warnings

import ray

from ..engine.errors import Unavailable


def join(address: str) -> None:
    """Be part of the cluster at an address: "auto" is the one running on this machine, "local" one that is started here."""
    if ray.is_initialized():
        return
    for chatty in ("ray.serve", "ray._private.authentication"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    dashboard = False if address == "local" else None
    try:
        with warnings.catch_warnings():
            # Ray's forks become other programs at once.
            warnings.filterwarnings("ignore", message="lance is not fork-safe")
            ray.init(address, include_dashboard=dashboard, log_to_driver=False, logging_level=logging.WARNING)
    except ConnectionError as error:
        raise Unavailable(f"no Ray cluster at {address!r}: {error}") from None
