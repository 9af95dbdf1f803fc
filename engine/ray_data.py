"""A training set as a dataset of Ray Data: each batch becomes a block in the object store."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import ray
import ray.data
from ray.data import Dataset

from .run_ray import Runner


def dataset(batches: pa.RecordBatchReader) -> Dataset:
    """The dataset whose blocks are the batches, in their order. Starts a local Ray where none is connected.

    A batch is put into the object store, which writes its columns there once, and forgotten here before the next is asked for.
    """
    Runner()
    blocks: list[Any] = [ray.put(pa.Table.from_batches([batch])) for batch in batches]
    return ray.data.from_arrow_refs(blocks)


__all__ = ["Dataset", "dataset"]
