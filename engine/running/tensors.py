"""Columns as arrays that become tensors: numbers and truth values without nulls; what cannot be one is refused with what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from ..errors import Invalid, UnknownColumn, WrongType, did_you_mean
from ..folds.column import Array

# Tensors of these types have hardly any operators.
_WIDER: dict[pl.DataType, pl.DataType] = {
    pl.UInt16(): pl.Int32(),
    pl.UInt32(): pl.Int64(),
    pl.UInt64(): pl.Int64(),
}


def chosen(schema: Mapping[str, pl.DataType], features: Iterable[str], columns: Sequence[str] | None) -> list[str]:
    """The columns asked for; else all features, and what else of the training set are numbers or truth values."""
    if isinstance(columns, str):
        raise WrongType(f"columns={columns!r}; give a list of names.")
    wanted = set(features)
    if columns is None:
        columns = [name for name, dtype in schema.items() if name in wanted or why_not(dtype) is None]
    for name in columns:
        if name not in schema:
            raise UnknownColumn(f"the training set has no column {name!r}. {did_you_mean(name, schema)}")
        reason = why_not(schema[name])
        if reason is not None:
            raise WrongType(f"column {name!r} is {schema[name]}, {reason}, or leave it out: columns=[...].")
    return list(columns)


def why_not(dtype: pl.DataType) -> str | None:
    """Why columns of a type make no tensor, and what to do; None where they do.

    >>> why_not(pl.Int8()), why_not(pl.String())
    (None, 'which is not a number. Encode it in the definition')
    """
    inner = _inner(dtype)
    if isinstance(inner, pl.Boolean | pl.Float16 | pl.Float32 | pl.Float64):
        return None
    if inner.is_integer() and not isinstance(inner, pl.Int128 | pl.UInt128):
        return None
    if dtype.is_temporal():
        return "which is not a number. Define a feature such as the time passed since then"
    if isinstance(dtype, pl.List):
        return "which makes no tensor, as lists differ in length. Take the numbers you need by an @nt.function"
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "which is not a number. Encode it in the definition"
    return "which makes no tensor. Cast it to a number, a truth value or an Array of them"


def arrays(
    frames: Iterable[pl.DataFrame], columns: Sequence[str], fill_null: float | None
) -> Iterator[dict[str, Array]]:
    """The columns of each frame as arrays of their own; `fill_null` stands for nulls, which are refused without it."""
    begin = 0
    for frame in frames:
        yield {name: _array(frame[name], fill_null, begin) for name in columns}
        begin += frame.height


def _array(column: pl.Series, fill_null: float | None, begin: int) -> Array:
    nulls = _nulls(column)
    if nulls is not None and (fill_null is None or isinstance(column.dtype, pl.Array)):
        raise Invalid(
            f"column {column.name!r} is null in row {begin + int(nulls.arg_max() or 0)}, and tensors have no nulls. "
            "Give it a default, nt.feature(..., default=), or pass fill_null=, or leave it out: columns=[...]."
        )
    if nulls is not None and fill_null is not None:
        column = column.fill_null(pl.lit(_filling(column, fill_null), dtype=column.dtype))
    wider = _WIDER.get(column.dtype)
    return (column if wider is None else _widened(column, wider, begin)).to_numpy(writable=True)


def _nulls(column: pl.Series) -> pl.Series | None:
    """Which rows are null or hold one, if any."""
    nulls = column.is_null()
    if isinstance(column.dtype, pl.Array):
        nulls = nulls | column.arr.to_list().list.eval(pl.element().is_null().any()).list.first().fill_null(False)
    return nulls if nulls.any() else None


def _filling(column: pl.Series, fill_null: float) -> float:
    """The value for nulls, if the column's type has it."""
    if column.dtype.is_float():
        return fill_null
    try:
        fits = pl.Series([fill_null]).cast(column.dtype).cast(pl.Float64).item() == fill_null
    except pl.exceptions.PolarsError:
        fits = False
    if not fits:
        raise WrongType(f"fill_null={fill_null!r} is not a value of column {column.name!r}, which is {column.dtype}.")
    return fill_null


def _widened(column: pl.Series, dtype: pl.DataType, begin: int) -> pl.Series:
    cast = column.cast(dtype, strict=False)
    if cast.null_count():
        row = int(cast.is_null().arg_max() or 0)
        raise Invalid(
            f"column {column.name!r} row {begin + row}: {column[row]} does not fit {dtype}, the widest type of a tensor."
        )
    return cast


def _inner(dtype: pl.DataType) -> pl.DataType:
    return _inner(dtype.inner) if isinstance(dtype, pl.Array) else dtype  # type: ignore[arg-type]
