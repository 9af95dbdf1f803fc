"""Sources: rows of events or facts, what they are about, and when each was known."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from typing import Any

import polars as pl

from ..errors import Invalid, UnknownColumn, WrongType, did_you_mean
from ..folds.column import Index
from ..plan.reader import Reader
from . import dtype as types
from .build import both, rows_over, unfiltered
from .duration import Duration, microseconds, not_negative
from .entity import Entity, checked_name, entities, keys_of
from .expr import Expr, apply, shared
from .fold import Fold
from .instant import checked_zone, instants
from .nodes import SourceColumn
from .plain import told
from .registry import operators
from .reserved import refuse_reserved


@dataclass(frozen=True, eq=False)
class SourceSpec:
    """What a source is. Compared by identity: two sources of one name over different data never mix."""

    name: str
    reader: Reader | None = field(repr=False)
    event_time: str
    entities: tuple[Entity, ...]
    schema: Mapping[str, pl.DataType]
    row_id: str | None = None
    known_time: str | None = None
    known_after: Mapping[str, int] = field(default_factory=dict)
    deleted: str | None = None
    time_zone: str | None = None
    available: str | None = None
    max_ahead: int | None = 300_000_000
    about: str = ""

    @property
    def keys(self) -> dict[str, pl.DataType]:
        """The key columns of all its entities."""
        return keys_of(self.entities)

    def meaning(self) -> list[Any]:
        """What of the source, besides its name and the columns used, changes values."""
        return [self.event_time, self.row_id, self.known_time, self.deleted, self.time_zone, self.available]

    def open(self) -> Reader:
        """The reader, or `Invalid` for a source that only takes pushes."""
        if self.reader is None:
            raise Invalid(
                f"source {self.name!r} has no reader. Give it nt.Parquet(...), nt.Frame(...) or sources={{{self.name!r}: frame}}."
            )
        return self.reader

    def reading(self, reader: Reader) -> SourceSpec:
        """The same source over other data."""
        return replace(self, reader=reader)

    def __getstate__(self) -> dict[str, Any]:
        """A definition travels without its data; tasks get their readers beside it."""
        return {**self.__dict__, "reader": None}

    def column(self, name: str) -> pl.DataType:
        """The type of a column, or `UnknownColumn` with the nearest one."""
        if not isinstance(name, str):
            raise WrongType(f"source {self.name!r}: {told(name)} is not the name of a column. Give one, as text.")
        if name not in self.schema:
            raise UnknownColumn(f"source {self.name!r} has no column {name!r}. {did_you_mean(name, self.schema)}")
        return self.schema[name]

    def is_local(self, dtype: pl.DataType) -> bool:
        """True where values of this type are what clocks of its time zone show, and so no instants yet."""
        return isinstance(dtype, pl.Datetime) and dtype.time_zone is None and self.time_zone not in (None, "UTC")

    def instants(self, rows: pl.DataFrame, column: str, first: int = 0) -> Index:
        """Microseconds UTC of one of its columns of times, as its zone and `available` say. `first` is the number of the first row."""
        what, zone = f"{self.name}.{column}", self.time_zone
        return instants(rows[column], what, time_zone=zone, available=self.available, first=first)

    def __repr__(self) -> str:
        return self.name


class Rows:
    """The rows of a source, all or filtered. `rows.amount` or `rows["amount"]` is a column of them."""

    __slots__ = ("_computed", "_kept", "_spec")

    def __init__(self, spec: SourceSpec, kept: Expr | None, computed: Mapping[str, Expr]) -> None:
        self._spec, self._kept, self._computed = spec, kept, dict(computed)

    @property
    def spec(self) -> SourceSpec:
        """Name, schema, times, keys and reader of the source."""
        return self._spec

    def __getitem__(self, name: str) -> Expr:
        if name in self._computed:
            return self._computed[name]
        dtype = types.settled(self._spec.column(name))
        column = shared(SourceColumn(self._spec, name, dtype, self._kept))
        if self._spec.is_local(dtype):
            return apply("dt.replace_time_zone", column, time_zone=self._spec.time_zone)
        return column

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = operators().get(name)
        if isinstance(found, type) and issubclass(found, Fold) and found.of_rows:
            event_time = types.settled(self._spec.schema[self._spec.event_time])
            return lambda where=None: rows_over(found, self._spec, self._kept, event_time, where)
        return self[name]

    def __dir__(self) -> list[str]:
        return sorted({*self._spec.schema, *self._computed, "spec", "count", "filter", "select", "with_columns"})

    def filter(self, *predicates: Expr) -> Rows:
        """The rows for which every predicate is true (null is not true)."""
        kept = self._kept
        for predicate in predicates:
            kept = both(kept, predicate, self._spec)
        return Rows(self._spec, kept, {name: _refiltered(expr, kept) for name, expr in self._computed.items()})

    def with_columns(self, **columns: Expr) -> Rows:
        """The rows with more columns, computed from those they have."""
        for name, expr in columns.items():
            if not isinstance(expr, Expr) or expr.rows not in (self._spec, None):
                raise WrongType(f"{name}={told(expr)} does not live on the rows of {self._spec.name!r}.")
        return Rows(self._spec, self._kept, {**self._computed, **columns})

    def select(self, *names: str) -> Rows:
        """The rows with these columns alone."""
        missing = [name for name in names if name not in self._computed and name not in self._spec.schema]
        if missing:
            self._spec.column(missing[0])
        schema = {
            name: dtype for name, dtype in self._spec.schema.items() if name in names or name == self._spec.event_time
        }
        return _Selected(self._spec, self._kept, {n: e for n, e in self._computed.items() if n in names}, schema)

    def __repr__(self) -> str:
        kept = f".filter({self._kept!r})" if self._kept is not None else ""
        return f"{self._spec.name}{kept}"

    def _repr_html_(self) -> str:
        lines = "".join(f"<tr><td>{name}</td><td>{dtype}</td></tr>" for name, dtype in self._spec.schema.items())
        about = ", ".join(entity.name for entity in self._spec.entities)
        return f"<table><caption>{self!r}: about {about}, at {self._spec.event_time}</caption>{lines}</table>"


class _Selected(Rows):
    """Rows that show only some columns."""

    __slots__ = ("_shown",)

    def __init__(
        self, spec: SourceSpec, kept: Expr | None, computed: Mapping[str, Expr], shown: Mapping[str, pl.DataType]
    ) -> None:
        super().__init__(spec, kept, computed)
        self._shown = shown

    def __getitem__(self, name: str) -> Expr:
        if name not in self._computed and name not in self._shown:
            raise UnknownColumn(
                f"these rows of {self._spec.name!r} have no column {name!r}. {did_you_mean(name, self._shown)}"
            )
        return super().__getitem__(name)


class Source(Rows):
    """A table of events or facts that features are made of.

    `event_time` is the column that says when a row happened, `known_time` (optional) when it could be known. Rows with equal
    `row_id` are versions of one row. `known_after={"fraud": "7d"}` declares a column that is only known that long after its row; a
    fold that could read it earlier is refused. `deleted` names a Boolean column: such a version ends its row. Naive times are UTC
    unless `time_zone` says otherwise: then each is the instant at which clocks there show it, also in expressions. `schema` lets
    definitions be imported where the data is not.
    """

    __slots__ = ()

    def __init__(
        self,
        name: str,
        reader: Reader | None = None,
        *,
        event_time: str,
        entities: Entity | Sequence[Entity] = (),
        row_id: str | None = None,
        known_time: str | None = None,
        known_after: Mapping[str, Duration] | None = None,
        deleted: str | None = None,
        time_zone: str | None = None,
        available: str | None = None,
        max_ahead: Duration | None = "5m",
        schema: Mapping[str, Any] | None = None,
        about: str = "",
    ) -> None:
        spec = SourceSpec(
            checked_name(name, "a source"), reader, event_time, _several(entities, f"source {name!r}"), _schema(name, reader, schema), row_id, known_time,
            _waits(name, known_after or {}), deleted, time_zone, available,
            None if max_ahead is None else microseconds(max_ahead), about,
        )  # fmt: skip
        _check(spec)
        super().__init__(spec, None, {})


_several = entities


def _waits(name: str, known_after: Mapping[str, Duration]) -> dict[str, int]:
    if not isinstance(known_after, Mapping):
        raise WrongType(
            f"source {name!r}: known_after is {told(known_after)}; give columns and waits, as in {{'fraud': '7d'}}."
        )
    return {column: not_negative(wait, f"known_after of {column!r}") for column, wait in known_after.items()}


def _schema(name: str, reader: Reader | None, schema: Mapping[str, Any] | None) -> dict[str, pl.DataType]:
    _check_reader(name, reader)
    if schema is not None:
        return types.schema(schema, f"source {name!r}: schema")
    if reader is None:
        raise Invalid(
            f"source {name!r} has neither data nor schema. Give a reader (nt.Parquet, nt.Frame, ...) or schema={{...}}."
        )
    return dict(reader.schema())


def _check_reader(name: str, given: Any) -> None:
    """Refuse data that nothing is wrapped around to read it; a lazy frame is not asked, as that would resolve its schema."""
    if isinstance(given, str | PathLike):
        path = fspath(given)
        raise WrongType(
            f"source {name!r} is given {path!r}, a path, which does not say how it is read; wrap it: nt.Parquet({path!r}), nt.Csv or nt.Lance."
        )
    no_reader = isinstance(given, type | pl.LazyFrame | Rows) or not isinstance(given, Reader)
    if given is not None and no_reader:
        what = f"the class {given.__name__}" if isinstance(given, type) else f"data of type {type(given).__name__}"
        raise WrongType(
            f"source {name!r} is given {what}, which is no reader; wrap a frame: nt.Frame(...), or a path: nt.Parquet, nt.Csv or nt.Lance."
        )


def _check(spec: SourceSpec) -> None:
    refuse_reserved(spec.schema, f"source {spec.name!r}", reader=spec.reader)
    for column in (spec.event_time, spec.row_id, spec.known_time, spec.deleted, *spec.known_after):
        if column is not None:
            spec.column(column)
    if spec.time_zone is not None:
        checked_zone(spec.time_zone, f"source {spec.name!r}: time_zone")
    _check_times(spec)
    _check_row_id(spec)
    if spec.deleted and not isinstance(spec.column(spec.deleted), pl.Boolean):
        raise WrongType(
            f"source {spec.name!r}: deleted={spec.deleted!r} is {spec.column(spec.deleted)}; it must be Boolean."
        )
    if spec.deleted and not spec.row_id:
        raise Invalid(f"source {spec.name!r}: deleted= needs row_id=, which says whose row is deleted.")
    for column, dtype in spec.keys.items():
        _check_key(spec, column, dtype)
    shadowed = sorted(set(spec.schema) & {"count", "filter", "select", "with_columns", "spec"})
    if shadowed:
        warnings.warn(
            f"source {spec.name!r}: columns {shadowed} are hidden by methods; read them as {spec.name}[{shadowed[0]!r}].",
            stacklevel=4,
        )


def _check_times(spec: SourceSpec) -> None:
    for column in (spec.event_time, spec.known_time):
        dtype = None if column is None else spec.column(column)
        if isinstance(dtype, pl.Date) and spec.available != "end_of_day":
            raise WrongType(
                f"source {spec.name!r}: {column!r} is a Date, which is not an instant. Pass available='end_of_day', or give a Datetime."
            )
        if dtype is not None and not isinstance(dtype, pl.Datetime | pl.Date):
            raise WrongType(f"source {spec.name!r}: {column!r} is {dtype}; a time is a Datetime.")


def _check_row_id(spec: SourceSpec) -> None:
    dtype = None if spec.row_id is None else spec.column(spec.row_id)
    if dtype is not None and (dtype.is_nested() or isinstance(dtype, (pl.Object, *types.WIDE))):
        raise WrongType(
            f"source {spec.name!r}: row_id={spec.row_id!r} is {dtype}; an id is one value: Int64, UInt64, String or the like."
        )


def _check_key(spec: SourceSpec, column: str, dtype: pl.DataType) -> None:
    found = spec.column(column)
    same = (
        found == dtype or (found.is_integer() and dtype.is_integer()) or (types.settled(found) == types.settled(dtype))
    )
    if not same:
        raise WrongType(f"source {spec.name!r}: key {column!r} is {found}, but {dtype} in the entity.")


def _refiltered(expr: Expr, kept: Expr | None) -> Expr:
    """A computed column read through a new filter."""
    plain = unfiltered(expr)
    return plain if kept is None else filtered(plain, kept)


def filtered(expr: Expr, kept: Expr) -> Expr:
    """A row expression whose columns are read through a filter."""
    from .nodes import Apply

    if isinstance(expr, SourceColumn):
        return shared(SourceColumn(expr.source, expr.name, expr.dtype, kept))
    if isinstance(expr, Apply):
        return shared(Apply(expr.operator, tuple(filtered(arg, kept) for arg in expr.args), expr.params, expr.dtype))
    return expr
