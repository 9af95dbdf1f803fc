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
        from ray_cluster import start_ray  # only here: the local engine does without Ray

        start_ray()
    service = features.define(path)
    return lambda: nt.training_set(path, service, at="tx_datetime").collect(engine=variant)
