"""What a user's function gave: held to what it declares, and to looking at one row at a time."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..errors import FunctionFailed

_OF_ONE, _OF_ALL = 1e-3, 1e-9  # of a value, of the largest: more is no rounding, by whatever library computes it


def called(name: str, body: Any, series: Sequence[pl.Series], params: Mapping[str, Any]) -> object:
    """What a function gives for series of equal length; whatever it raises says which function it was, and where."""
    try:
        with np.errstate(all="ignore"):
            return body(*series, **params)
    except (Exception, pl.exceptions.PanicException) as error:
        file = body.__code__.co_filename
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        where = f" in line {lines[-1]} of {Path(file).name}" if lines else ""
        raise FunctionFailed(
            f"function {name} failed on {len(series[0])} rows: {type(error).__name__}: {error}{where}. "
            "It must give a value or null for every row, even where columns are null."
        ) from error


def as_declared(name: str, given: object, n: int, dtype: pl.DataType) -> pl.Series:
    """What a function gave for n rows as a series of its declared type, if it is one and no value is another then.

    A wider integer, float or unit of time takes a narrower one; an integer or time that would change on the way is refused with its value.
    """
    if not isinstance(given, pl.Series):
        hint = " Evaluate the expression: pl.select(...).to_series()." if isinstance(given, pl.Expr) else ""
        raise FunctionFailed(f"function {name} gave {_kind(given)} for {n} rows, not a pl.Series.{hint}")
    if len(given) != n:
        raise FunctionFailed(
            f"function {name} gave {len(given)} values for {n} rows. It must give one for each; fold rows with .mean(), .sum(), ..."
        )
    if given.dtype == dtype:
        return given
    if not _goes_into(given.dtype, dtype):
        raise FunctionFailed(
            f"function {name} gave {given.dtype}, but declares returns={dtype}. Cast in the function, or declare what it gives."
        )
    made = given.cast(dtype, strict=False)
    if given.dtype.is_numeric() or given.dtype.is_temporal():
        bad = given.filter(given.ne_missing(made.cast(given.dtype, strict=False)))
        if len(bad):
            raise FunctionFailed(
                f"function {name} gave {_said(bad)} as {given.dtype}, which {dtype} cannot hold ({len(bad)} of {n} values). Declare a wider type."
            )
    return made


def _goes_into(given: pl.DataType, dtype: pl.DataType) -> bool:
    """Whether values of one type are those of another by nature, whatever they are."""
    if isinstance(given, pl.Datetime) and isinstance(dtype, pl.Datetime):
        return given.time_zone == dtype.time_zone
    return (
        isinstance(given, pl.Null)
        or (given.is_integer() and dtype.is_numeric())
        or (isinstance(given, pl.Float32) and isinstance(dtype, pl.Float64))
        or (isinstance(given, pl.Duration) and isinstance(dtype, pl.Duration))
        or (isinstance(given, pl.Categorical | pl.Enum) and isinstance(dtype, pl.String))
    )


def _kind(given: object) -> str:
    return "nothing (None)" if given is None else f"a {type(given).__name__}"


def refuse_if_not_rowwise(
    name: str, ask: Callable[[Sequence[pl.Series]], pl.Series], given: Sequence[pl.Series], made: pl.Series
) -> None:
    """Ask again for some rows alone: a value that depends on other rows would be another one when it is served."""
    for row in _some(made):
        among, alone = made[row : row + 1], ask([series[row : row + 1] for series in given])
        if not (among.equals(alone) or _near(among[0], alone[0], made)):
            raise FunctionFailed(
                f"function {name} gave {_said(among)} for row {row} of {len(made)}, and {_said(alone)} for that row alone. "
                "It may look at only one row at a time; fold the rows first, as in x.mean().over(...)."
            )


def _some(made: pl.Series) -> list[int]:
    """The first, middle and last row; the same of those that have a value."""
    places = (pl.arange(len(made), eager=True), made.is_not_null().arg_true())
    return sorted({int(rows[place]) for rows in places if len(rows) for place in (0, len(rows) // 2, len(rows) - 1)})


def _said(values: pl.Series) -> str:
    """The first value; of times the number, as not all of them are times of Python."""
    return repr((values.to_physical() if values.dtype.is_temporal() else values)[0])


def _near(one: object, other: object, values: pl.Series) -> bool:
    """Whether two floats differ by no more than libraries do that compute many at once in another way than one."""
    if not (isinstance(one, float) and isinstance(other, float) and math.isfinite(one) and math.isfinite(other)):
        return False
    largest = values.filter(values.is_finite()).abs().max()
    assert isinstance(largest, float)
    return abs(one - other) <= max(_OF_ONE * max(abs(one), abs(other)), _OF_ALL * largest)
