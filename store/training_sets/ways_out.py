"""The ways out of rows that are saved: to Arrow, pandas, DuckDB, Ray Data and PyTorch, as of a training set that is not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from ...engine.running import handover, tensors

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from ...engine.language.nodes import Reference
    from ...engine.running.ray_data import Dataset
    from ...engine.running.torch_data import TensorBatches


class WaysOut(ABC):
    """Rows that are there, in the forms that other libraries take. Whoever has them says what they are."""

    @property
    @abstractmethod
    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of the columns."""

    @property
    @abstractmethod
    def features(self) -> Mapping[str, Reference]:
        """Which columns are features."""

    @abstractmethod
    def collect(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows, or some columns of them."""

    @abstractmethod
    def batches(self, rows: int = 1_000_000) -> Iterator[pl.DataFrame]:
        """The rows in frames of at most `rows` rows, in order, at least one."""

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self.collect().to_arrow()

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas frame."""
        return handover.pandas_frame(self.collect())

    def to_batches(self, rows: int = handover.ROWS) -> pa.RecordBatchReader:
        """A stream of Arrow batches of at most `rows` rows, read once."""
        return handover.batches(self.schema, self.batches(rows))

    def __arrow_c_schema__(self) -> object:
        return handover.arrow_schema(self.schema).__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_batches().__arrow_c_stream__(requested_schema)

    def to_duckdb(self, connection: DuckDBPyConnection | None = None) -> DuckDBPyRelation:
        """A relation of DuckDB that holds the rows, on its default connection unless one is given."""
        held: DuckDBPyRelation = handover.relation(self.schema, self.batches(handover.ROWS), connection)
        return held

    def to_ray(self, rows: int = 1_000_000) -> Dataset:
        """A dataset of Ray Data with a block for every `rows` rows, in their order."""
        handover.library("pandas", "to_ray()")  # which Ray Data stands on
        from ...engine.running.ray_data import dataset

        return dataset(self.to_batches(rows))

    def to_torch(
        self,
        columns: Sequence[str] | None = None,
        *,
        batch_size: int | None = None,
        dtype: Any = None,
        fill_null: float | None = None,
    ) -> TensorBatches:
        """A `torch.utils.data.IterableDataset` of dicts of tensors, `batch_size` rows each, or all at once.

        The arguments are those of `TrainingSet.to_torch`.
        """
        names = tensors.chosen(self.schema, self.features, columns)
        handover.library("torch", "to_torch()")
        from ...engine.running.torch_data import dataset

        return dataset(tensors.arrays(self.batches(handover.ROWS), names, fill_null), batch_size, dtype)
