"""Training sets from the sources themselves, without a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from ...engine.errors import Invalid, NotFound, WrongType, did_you_mean
from ...engine.language import dtype as types
from ...engine.language.instant import instant
from ...engine.language.nodes import FoldOver, Reference, RequestField, SourceColumn, walk
from ...engine.language.plain import plain, plains, told
from ...engine.language.reserved import RUN, refuse_reserved
from ...engine.language.service import FeatureService, keys_of, named
from ...engine.language.source import SourceSpec
from ...engine.plan.reader import Reader
from ...engine.running.training_set import TrainingSet
from ...engine.running.training_set import training_set as over_spine
from .conform import conforming
from .reading import reader_of


def training_set(
    labels: Any,
    features: Any,
    *,
    at: str,
    known_at: str | datetime | None = None,
    request: Mapping[str, str] | None = None,
    full_names: bool = False,
    sources: Mapping[str, Any] | None = None,
) -> TrainingSet:
    """The label rows with the features as of each row's own time, read from the sources when collected.

    `labels` is any frame or path; `at` its column with the time asked at. `known_at` is a column, one datetime or "latest" (hindsight).
    `request` says which label column holds a request field of another name. `sources` replaces data: {"transactions": frame}.
    """
    check_given(at, request, sources)
    return _of_columns(
        labels, columns_of(features, full_names=full_names), sources, at=at, known_at=known_at, request=request
    )


def _of_columns(
    labels: Any, chosen: Mapping[str, Reference], sources: Mapping[str, Any] | None, **asked: Any
) -> TrainingSet:
    """The training set of output columns and their features."""
    given = {name: reader_of(rows, name) for name, rows in (sources or {}).items()}
    known = {spec.name for spec in sources_of(chosen)}
    for name in given:
        if name not in known:
            raise NotFound(f"sources={{{name!r}: ...}}: no feature reads it. {did_you_mean(name, known)}")

    def open_source(spec: SourceSpec) -> Reader:
        return opened(spec, given[spec.name] if spec.name in given else spec.open())

    return over_spine(reader_of(labels, "labels"), chosen, open_source=open_source, **asked)


def check_given(at: object, request: object, sources: object = None) -> None:
    """Refuse what is of no type that these arguments take."""
    if not isinstance(at, str):
        raise WrongType(
            f"at={told(at)} is not the name of a column. Give the labels' column of times, as in at='asked'."
        )
    if request is not None and not isinstance(request, Mapping):
        raise WrongType(
            f"request={told(request)}; give fields and the columns that hold them, as in {{'amount': 'price'}}."
        )
    if sources is not None and not isinstance(sources, Mapping):
        raise WrongType(f"sources={told(sources)}; give names of sources and their data, as in {{'sales': frame}}.")
    for field, column in (request or {}).items():
        if not isinstance(column, str):
            raise WrongType(
                f"request={{{field!r}: {told(column)}}}: that is not the name of a column. Give one, as text."
            )


def opened(spec: SourceSpec, reader: Reader) -> Reader:
    """The reader of a source's own data, its rows brought to the types that the source says."""
    refuse_reserved(reader.schema(), f"source {spec.name!r}", among=RUN, reader=reader)
    return conforming(spec, reader)


def preview(view: Any, keys: Any, *, at: Any, sources: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """A few rows of features at once: for these keys (and request fields) at this time, or at these times.

    `keys` is a frame or a mapping such as {"customer_id": [1, 2]}; `at` a datetime or one for each row, in a list, a series or an array.
    Keys without rows give none; {} is for views without keys: a row for each time.
    """
    check_given("at", None, sources)
    chosen, rows = columns_of(view), _listed(keys)
    if "at" in rows.columns:
        raise Invalid("preview: 'at' is the time asked at; rename the key column.")
    times = _times(at, rows.height if rows.width else 1)
    if rows.width and len(times) != rows.height:
        raise Invalid(f"preview: {rows.height} rows of keys, but {len(times)} times.")
    asked = pl.DataFrame([*_in_types(rows, chosen), times])
    return _of_columns(asked, chosen, sources, at="at").collect(engine="local")


def _times(at: Any, rows: int) -> pl.Series:
    """The times asked at, as a column; a single one for each of the rows."""
    from .array_columns import column_of  # only here, as below

    given = column_of("at", at)
    times = given.alias("at") if isinstance(given, pl.Series) else _told_times(at, given, rows)
    if isinstance(times.dtype, pl.Null) and not len(times):
        return times.cast(types.UTC)
    if not isinstance(times.dtype, pl.Datetime):
        raise WrongType(f"at={told(at)} is {times.dtype}; give a datetime, or a list of them.")
    if times.null_count():
        raise WrongType(f"at={told(at)} is null in row {times.is_null().arg_max()}; give a datetime for each row.")
    return times


def _told_times(at: Any, given: Any, rows: int) -> pl.Series:
    """Python's, numpy's or pandas' times as a column."""
    several = None if isinstance(given, set | frozenset) else plains(given)
    if several is not None:
        return _column(
            [_checked(at, time, f" has {told(time)} in row {row}, which") for row, time in enumerate(several)]
        )
    return _column([_checked(at, plain(given), "")]).new_from_index(0, rows)


def _checked(at: Any, time: Any, where: str) -> datetime:
    if isinstance(time, datetime):
        return time
    kind = "no time" if time is None else f"of type {type(time).__name__}"
    raise WrongType(f"at={told(at)}{where} is {kind}; give a datetime, or a list of them.")


def _column(times: Sequence[datetime]) -> pl.Series:
    """Times as they are, or in UTC where they are of several zones, as naive ones are of UTC."""
    if len({time.tzinfo for time in times}) == 1:
        return pl.Series("at", times)
    return pl.Series("at", [instant(time, "at=") for time in times], dtype=pl.Int64).cast(types.UTC)


def _in_types(rows: pl.DataFrame, features: Mapping[str, Reference]) -> pl.DataFrame:
    """The rows; a column without any value is of the type of its key or request field."""
    nodes = [node for reference in features.values() for node in walk(reference)]
    kinds = {node.name: node.dtype for node in nodes if isinstance(node, RequestField)} | keys_of(*features.values())
    bare = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.Null) and name in kinds]
    return rows.with_columns(pl.col(name).cast(types.settled(kinds[name])) for name in bare)


def _listed(keys: Any) -> pl.DataFrame:
    from .array_columns import COLUMNS, column_of  # only here: a training set does without them and Arrow
    from .frame import as_frame

    if not isinstance(keys, Mapping):
        return as_frame(keys)
    columns = {name: column_of(name, value) for name, value in keys.items()}
    lengths = {len(value) for value in columns.values() if isinstance(value, COLUMNS)}
    if len(lengths) > 1:
        raise Invalid(f"preview: columns of different lengths {sorted(lengths)}.")
    rows = lengths.pop() if lengths else 1
    return pl.DataFrame(
        {name: value if isinstance(value, COLUMNS) else [value] * rows for name, value in columns.items()}
    )


def columns_of(features: Any, *, full_names: bool = False) -> dict[str, Reference]:
    """Output columns and their features; a service's own columns as it names them."""
    if isinstance(features, FeatureService) and not full_names:
        return dict(features.features)
    return named(features, full_names=full_names)


def sources_of(features: Mapping[str, Reference]) -> list[SourceSpec]:
    """The sources that features read, each once."""
    nodes = [node for reference in features.values() for node in walk(reference)]
    found = [node.source for node in nodes if isinstance(node, FoldOver | SourceColumn)]
    return list({id(spec): spec for spec in found}.values())
