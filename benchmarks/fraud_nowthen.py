"""The fraud-15 features in NowThen: the definitions of the example, asked at every transaction of the file.

The variant is the engine: "local" is this process, "ray" a Ray cluster on this machine, started before the clock runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

import nowthen as nt

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "fraud"))

import features  # the example is no package, so its folder is put on the path first


def prepare(path: Path, variant: str) -> Callable[[], pl.DataFrame]:
    """A function that computes the features of the file once."""
    if variant == "ray":
        start_ray()
    service = features.define(path)
    return lambda: nt.training_set(path, service, at="tx_datetime").collect(engine=variant)


def start_ray(attempts: int = 3) -> None:
    """A cluster of this machine's cores, without the dashboard, whose processes would count as ours.

    On a busy machine Ray gives up after 30 seconds (2.60), and a second attempt succeeds.
    """
    import ray

    for attempt in range(1, attempts + 1):
        try:
            ray.init(include_dashboard=False, log_to_driver=False)
            return
        except Exception:  # Ray raises nothing more precise
            ray.shutdown()
            if attempt == attempts:
                raise
