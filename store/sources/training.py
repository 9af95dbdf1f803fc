"""Training sets from the sources themselves, without a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from ...engine.errors import Invalid, NotFound, WrongType, did_you_mean
from ...engine.language.nodes import FoldOver, Reference, SourceColumn, walk
from ...engine.language.reserved import RUN, refuse_reserved
from ...engine.language.service import FeatureService, named
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
    chosen = columns_of(features, full_names=full_names)
    given = {name: reader_of(rows, name) for name, rows in (sources or {}).items()}
    known = {spec.name for spec in sources_of(chosen)}
    for name in given:
        if name not in known:
            raise NotFound(f"sources={{{name!r}: ...}}: no feature reads it. {did_you_mean(name, known)}")

    def open_source(spec: SourceSpec) -> Reader:
        return opened(spec, given[spec.name] if spec.name in given else spec.open())

    return over_spine(
        reader_of(labels, "labels"), chosen, at=at, open_source=open_source, known_at=known_at, request=request
    )


def opened(spec: SourceSpec, reader: Reader) -> Reader:
    """The reader of a source's own data, its rows brought to the types that the source says."""
    refuse_reserved(reader.schema(), f"source {spec.name!r}", among=RUN, reader=reader)
    return conforming(spec, reader)


def preview(view: Any, keys: Any, *, at: Any, sources: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """A few rows of features at once: for these keys (and request fields) at this time, or at these times.

    `keys` is a frame or a mapping such as {"customer_id": [1, 2]}; `at` a datetime or one for each row.
    """
    rows = _listed(keys)
    if "at" in rows.columns:
        raise Invalid("preview: 'at' is the time asked at; rename the key column.")
    times = pl.Series("at", list(at) if isinstance(at, Sequence) and not isinstance(at, str) else [at] * rows.height)
    if not isinstance(times.dtype, pl.Datetime):
        raise WrongType(f"at={at!r} is {times.dtype}; give a datetime, or a list of them.")
    if len(times) != rows.height:
        raise Invalid(f"preview: {rows.height} rows of keys, but {len(times)} times.")
    return training_set(rows.with_columns(times), view, at="at", sources=sources).collect(engine="local")


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
