"""Rows in memory: any dataframe as a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from ..engine.errors import Invalid, UnknownColumn, WrongType, did_you_mean
from ..engine.reader import Loaded, TimeBound, within


class Frame(Loaded):
    """A reader of a frame in memory: Polars, pandas, Arrow, DuckDB, whatever narwhals knows, or plain columns and rows.

    >>> Frame({"amount": [1.5, 2.0]}).schema()
    {'amount': Float64}
    """

    def __init__(self, frame: Any, name: str = "frame") -> None:
        super().__init__(as_frame(frame), name)

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of all rows, or of those within the bound."""
        missing = [column for column in columns if column not in self.frame.columns]
        if missing:
            raise UnknownColumn(
                f"{self.describe()} has no column {missing[0]!r}. {did_you_mean(missing[0], self.frame.columns)}"
            )
        kept = within(bound, self.frame.schema[bound.column]) if bound and bound.column in self.frame.columns else None
        return self.frame.select(columns) if kept is None else self.frame.lazy().filter(kept).select(columns).collect()


def as_frame(given: Any) -> pl.DataFrame:
    """The rows of any dataframe, of a mapping of columns, of one row or of a list of rows.

    >>> as_frame([{"a": 1}, {"a": None}])["a"].to_list()
    [1, None]
    """
    if isinstance(given, pl.DataFrame):
        return given
    try:
        return _rows(given) if isinstance(given, Mapping | list | tuple) else _foreign(given)
    except (pl.exceptions.PolarsError, OverflowError) as error:
        raise Invalid(f"these rows make no table: {str(error).splitlines()[0]}") from None


def _rows(given: Mapping[str, Any] | Sequence[Any]) -> pl.DataFrame:
    rows = given if not isinstance(given, Mapping) else [given] if _is_one_row(given) else None
    if rows is None:
        return pl.DataFrame(given)
    if not all(isinstance(row, Mapping) for row in rows):
        raise WrongType("rows are given as a dataframe, a mapping of columns, or a list of mappings, one a row.")
    names = {name for row in rows for name in row}
    ragged = next((row for row in rows if set(row) != names), None)
    if ragged is not None:
        raise Invalid(
            f"row {list(rows).index(ragged)} lacks {sorted(names - set(ragged))}, which other rows have. Say None for an unknown value."
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _is_one_row(given: Mapping[str, Any]) -> bool:
    """True where a mapping holds plain values and no columns."""
    return bool(given) and not any(
        isinstance(value, list | tuple | pl.Series) or hasattr(value, "__array__") for value in given.values()
    )


def _foreign(given: Any) -> pl.DataFrame:
    try:
        frame = nw.from_native(given)
    except TypeError:
        raise WrongType(
            f"{type(given).__name__} is no dataframe. Give Polars, pandas, Arrow, DuckDB or anything narwhals knows."
        ) from None
    eager = frame.collect("polars") if isinstance(frame, nw.LazyFrame) else frame
    return eager.to_polars()
