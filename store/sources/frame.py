"""Rows in memory: any dataframe as a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from ...engine.errors import Invalid, UnknownColumn, WrongType, did_you_mean
from ...engine.plan.reader import Loaded, TimeBound, within


class Frame(Loaded):
    """A reader of a frame in memory: Polars, pandas, Arrow, DuckDB, Ray Data, whatever narwhals knows, or plain columns and rows.

    What it is given is read once, here, and kept: a stream or a lazy frame is not asked again.

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
    """The rows of any dataframe, of a mapping of columns, of one row, or of a list or iterator of rows or of frames.

    >>> as_frame([{"a": 1}, {"a": None}])["a"].to_list()
    [1, None]
    """
    if isinstance(given, pl.DataFrame):
        return given
    try:
        return _rows(given) if isinstance(given, Mapping | list | tuple) else _read(given)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OverflowError) as error:
        raise Invalid(f"these rows make no table: {str(error).splitlines()[0]}") from None


def _read(given: Any) -> pl.DataFrame:
    from .foreign import foreign, is_frame  # only here, as below: a frame of Polars' own does without them and Arrow

    if not isinstance(given, Iterator) or is_frame(given):
        return foreign(given)
    parts = list(given)
    if not parts:
        raise Invalid(
            f"this {type(given).__name__} has nothing to read. It can be read only once, and may have been: "
            "keep nt.Frame(...) of it to use it again."
        )
    return _rows(parts)


def _rows(given: Mapping[str, Any] | Sequence[Any]) -> pl.DataFrame:
    from .array_columns import column_of
    from .foreign import is_frame
    from .plain_values import plain_rows

    if isinstance(given, Mapping):
        columns = {name: column_of(name, values) for name, values in given.items()}
        return _table(plain_rows([columns]) if _is_one_row(columns) else columns)
    rows = given
    if rows and all(is_frame(part) for part in rows):
        return pl.concat([as_frame(part) for part in rows])
    if not all(isinstance(row, Mapping) for row in rows):
        raise WrongType("rows are given as a dataframe, a mapping of columns, or a list of mappings, one a row.")
    names = {name for row in rows for name in row}
    ragged = next((row for row in rows if set(row) != names), None)
    if ragged is not None:
        raise Invalid(
            f"row {list(rows).index(ragged)} lacks {sorted(names - set(ragged))}, which other rows have. Use None for an unknown value."
        )
    return _table(plain_rows(rows))


def _table(given: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of columns or of mappings, as Polars makes them."""
    try:
        made = pl.DataFrame(given, infer_schema_length=None)
    except (TypeError, ValueError) as error:
        raise WrongType(f"these rows make no table: {str(error).splitlines()[0]}") from None
    for name, dtype in made.schema.items():
        if isinstance(dtype, pl.Object):
            raise WrongType(f"column {name!r} has values that are not all of one Polars type. Convert the column.")
    return made


def _is_one_row(columns: Mapping[str, Any]) -> bool:
    """True where a mapping holds plain values and no columns."""
    from .array_columns import COLUMNS

    return bool(columns) and not any(isinstance(value, COLUMNS) for value in columns.values())
