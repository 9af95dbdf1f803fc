"""Rows in the frames of other libraries. None of them is imported here: who has such a frame has the library."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import polars as pl
import pyarrow as pa

from ...engine.errors import WrongType
from ...engine.running.training_set import TrainingSet
from .arrow_rows import from_stream, from_table, unique


def foreign(given: Any) -> pl.DataFrame:
    """The rows of a lazy frame, a training set, a frame of another library, or anything that gives an Arrow stream, read now."""
    if isinstance(given, pl.LazyFrame | TrainingSet):
        return given.collect()
    for module, kind, read in _KINDS:
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(given, getattr(loaded, kind)):
            return from_table(read(given))
    if hasattr(given, "__arrow_c_stream__"):
        return from_stream(given)
    if callable(getattr(given, "to_polars", None)):
        return pl.DataFrame(given.to_polars())
    return _through_narwhals(given)


def is_frame(given: Any) -> bool:
    """Whether something holds rows in a form that says so."""
    return isinstance(given, pl.DataFrame | pl.LazyFrame) or hasattr(given, "__arrow_c_stream__")


def _of_pandas(frame: Any) -> pa.Table:
    """The columns without the index, which Polars ignores as well."""
    unique([str(name) for name in frame.columns])
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError):
        for place, name in enumerate(frame.columns):
            _refuse_column(name, frame.iloc[:, [place]])
        raise  # every column alone can be read


def _refuse_column(name: Any, column: Any) -> None:
    try:
        pa.Table.from_pandas(column, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise WrongType(
            f"column {name!r} of pandas ({column.dtypes.iloc[0]}) cannot be read; convert it: {str(error).splitlines()[0]}"
        ) from None


def _of_ray(dataset: Any) -> pa.Table:
    from ...engine.running.ray_data import rows

    return rows(dataset)


def _through_narwhals(given: Any) -> pl.DataFrame:
    import narwhals as nw  # only here: it takes 40 ms to load

    try:
        frame = nw.from_native(given)
    except TypeError:
        raise WrongType(
            f"{type(given).__name__} is not a dataframe. Pass Polars, pandas, Arrow, DuckDB, Ray Data or anything narwhals knows."
        ) from None
    eager = frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame
    return from_table(eager.to_arrow())


_KINDS: tuple[tuple[str, str, Callable[[Any], pa.Table]], ...] = (
    ("pandas", "DataFrame", _of_pandas),
    ("ray.data", "Dataset", _of_ray),
)
