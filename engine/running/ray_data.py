"""To and from datasets of Ray Data: a batch becomes a block in the object store; blocks become one table, in their order."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import ray
import ray.data
from ray.data import Dataset

from ..errors import Invalid
from .run_ray import connect


def dataset(batches: pa.RecordBatchReader) -> Dataset:
    """The dataset whose blocks are the batches, in their order. Starts a local Ray where none is connected.

    A batch is put into the object store, which writes its columns there once, and forgotten here before the next is asked for.
    """
    connect()
    blocks: list[Any] = [ray.put(pa.Table.from_batches([batch])) for batch in batches]
    return ray.data.from_arrow_refs(blocks)


def rows(dataset: Dataset) -> pa.Table:
    """All rows of a dataset, which runs now. Ray may hand over blocks as they are done; here they come in their order."""
    options = dataset.context.execution_options
    as_it_was, options.preserve_order = options.preserve_order, True
    try:
        blocks = list(dataset.iter_batches(batch_size=None, batch_format="pyarrow"))
    finally:
        options.preserve_order = as_it_was
    return pa.concat_tables(blocks, promote_options="default") if blocks else _no_rows(dataset)


def _no_rows(dataset: Dataset) -> pa.Table:
    schema = dataset.schema()
    if schema is None or not isinstance(schema.base_schema, pa.Schema):
        raise Invalid(
            "this dataset of Ray Data has no rows and so no columns. Pass an Arrow table if it is meant to be empty."
        )
    return schema.base_schema.empty_table()


__all__ = ["Dataset", "dataset", "rows"]
