"""Columns given as arrays: numpy's, torch's and Arrow's, in the Polars type of equal values, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from ...engine.errors import Invalid, WrongType
from .arrow_rows import plain
from .plain_values import plain_values

# What a column is after `column_of`; all else is one value.
COLUMNS = (list, tuple, range, pl.Series, np.ndarray)

# Units of numpy's times that Polars has not, and the one that holds them.
_UNITS = {"h": "us", "m": "us", "s": "us", "W": "D", "M": "D", "Y": "D"}


def column_of(name: str, values: Any) -> Any:
    """The column as something Polars makes a series of; one value comes back as it is."""
    if isinstance(values, pl.Series):
        return values
    if isinstance(values, list | tuple):
        return plain_values(name, values)
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = _of_tensor(name, values)
    if isinstance(values, np.ndarray):
        return _of_numpy(name, values) if values.ndim else values[()]
    if any(hasattr(values, way) for way in ("__arrow_c_stream__", "__arrow_c_array__", "__arrow_array__")):
        return _of_arrow(name, values)
    return values


def _of_arrow(name: str, values: Any) -> Any:
    try:
        array = values if isinstance(values, pa.ChunkedArray | pa.Array) else pa.array(values, from_pandas=True)
    except pa.ArrowException as error:
        raise WrongType(
            f"column {name!r} has values that are not all of one Arrow type: {str(error).splitlines()[0]}"
        ) from None
    return pl.from_arrow(plain(name, array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])))


def _of_tensor(name: str, tensor: Any) -> Any:
    try:
        return tensor.detach().cpu().numpy()
    except (TypeError, RuntimeError) as error:
        raise WrongType(
            f"column {name!r} is a tensor of {tensor.dtype} that numpy cannot hold; convert it: {str(error).splitlines()[0]}"
        ) from None


def _of_numpy(name: str, values: np.ndarray[Any, Any]) -> Any:
    kind = values.dtype.kind
    if kind in "cV" or values.dtype == np.longdouble:
        raise WrongType(
            f"column {name!r} is an array of {values.dtype}, a type that Polars does not support. Convert it."
        )
    return _in_known_unit(name, values) if kind in "mM" else values


def _in_known_unit(name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Times and durations in a unit that Polars has."""
    unit = np.datetime_data(values.dtype)[0]
    known = unit in ("ms", "us", "ns") or (unit == "D" and values.dtype.kind == "M")
    if known and np.datetime_data(values.dtype)[1] == 1:
        return values
    finer = _UNITS.get(unit) if values.dtype.kind == "M" else {**_UNITS, "D": "us", "W": "us"}.get(unit)
    if finer is None or (values.dtype.kind == "m" and unit in "MY"):
        raise WrongType(f"column {name!r} is an array of {values.dtype}. Give times in ms, us or ns.")
    made = values.astype(f"{values.dtype.kind}8[{finer}]")
    if not np.array_equal(made.astype(values.dtype), values, equal_nan=True):
        raise Invalid(f"column {name!r} is {values.dtype}, and a value is beyond all times in {finer}.")
    return made
