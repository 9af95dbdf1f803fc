"""Training sets: features as of each row's own time, lazily."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl

from ..errors import Invalid, UnknownColumn, WrongType, did_you_mean
from ..folds.at import FOREVER
from ..language import dtype as types
from ..language.duration import Duration, not_negative, positive
from ..language.instant import instant
from ..language.nodes import Reference, RequestField, walk
from ..language.plain import plain, plains, told
from ..language.reserved import RUN, refuse_reserved
from ..language.service import keys_of
from ..plan.budget import bytes_of
from ..plan.lower import Open, lower
from ..plan.pieces import pinned
from ..plan.plan import Plan, Spine
from ..plan.reader import Loaded, Reader
from ..plan.way import Resources
from ..rules import optimize
from ..showing.progress import Progress
from . import handover, tensors
from .executor import executor, on, slots
from .keeper import kept_by
from .run import Run
from .run_options import RunOptions, check_options, check_rows, check_workers

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from ..showing.explained import Explained
    from .journal import Journal
    from .keeper import Keeper
    from .ray_data import Dataset
    from .torch_data import TensorBatches


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Spine rows with the features as of each row's time. They are made by `collect`, or another way out, and not before.

    Until then no row is read, except that `plan` and `explain` read the times of the spine, and `split` reads all of it.
    Output rows are the spine's rows: same number, same order, duplicates kept, its columns untouched; one column a feature follows.
    """

    features: Mapping[str, Reference]
    spine: Spine
    open_source: Open
    keeper: Keeper | None = None  # who can save it

    def plan(
        self,
        *,
        status: bool = False,
        engine: str = "auto",
        memory: str | int | None = None,
        workers: int | None = None,
    ) -> Plan:
        """The plan that will run, after all rules; statuses need rows that values can do without."""
        return optimize(self._written(status, _resources(engine, memory, workers)))

    def explain(
        self,
        *,
        analyze: bool = False,
        status: bool = False,
        engine: str = "auto",
        memory: str | int | None = None,
        workers: int | None = None,
        deadline: Duration | None = None,
    ) -> Explained:
        """The plan as written and as it will run, with statuses or without: text, and a graph with `svg()`.

        `analyze=True` runs it, throws the rows away, and says what every part of the plan did and took.
        """
        from ..showing.analysis import (
            analyzed,  # only here, as whatever not every way out needs: a run that is short feels it
        )
        from ..showing.explained import Explained

        plan, run = self._run(status, engine, memory, workers, deadline)
        return Explained.of(self._written(status, None), plan, analyzed(plan, run, on(engine)) if analyze else None)

    def collect(
        self,
        *,
        engine: str = "auto",
        status: bool = False,
        memory: str | int | None = None,
        workers: int | None = None,
        deadline: Duration | None = None,
        resume: str | PathLike[str] | None = None,
    ) -> pl.DataFrame:
        """The training set as a frame; `status=True` adds `<feature>__status` beside each feature.

        `engine` is "local" (threads of this process), "ray", or "auto" (Ray where connected). The result is the same. `memory`
        ("4GiB") is what may be in use at once beside the result, by default most of the machine; what does not fit is done in parts,
        with files between. `workers` is how many cores to use at most, and `deadline` ("10m") is how long the run may take. `resume`
        is a folder, on Ray one that all nodes share, where what is done is kept until the end: a run that died is taken up again.
        The other ways out take all these too.
        """
        plan, run = self._run(status, engine, memory, workers, deadline, resume)
        with run:
            return run.collected(plan)

    def batches(
        self, rows: int = 1_000_000, *, status: bool = False, **how: Unpack[RunOptions]
    ) -> Generator[pl.DataFrame]:
        """The training set in frames of at most `rows` rows, in order, at least one; nothing runs before it is asked for.

        Answers that do not fit `memory` wait in files. The spine is held, the features are not. Other arguments are those of `collect`.
        """
        check_options(how)
        check_rows(rows)
        return self._batches(rows, status, how)

    def _batches(self, rows: int, status: bool, how: RunOptions) -> Generator[pl.DataFrame]:
        plan, run = self._run(status=status, **how)
        with run:
            yield from run.batches(plan, rows)

    def sink_parquet(
        self, path: str | PathLike[str], *, rows: int = 250_000, status: bool = False, **how: Unpack[RunOptions]
    ) -> int:
        """Write the training set to one Parquet file, a row group for every `rows` rows; returns how many rows there are.

        The file appears whole or not at all. Other arguments are those of `collect`.
        """
        from .sinking import checked, sunk

        out = checked(path)
        check_options(how)
        check_rows(rows)
        plan, run = self._run(status=status, **how)
        with run:
            return sunk(out, plan, run.batches(plan, rows))

    def save(self, name: str, **how: Any) -> Any:
        """Keep it in its store under a name, with all it was made from: `store.open_training_set(name)` gives the same bytes from then on.

        Other arguments are those of `sink_parquet`. A name is taken once; saving the same again under it changes nothing.
        """
        return kept_by(self.keeper).save(self, name, **how)

    def to_arrow(self, **how: Unpack[RunOptions]) -> pa.Table:
        """The training set as an Arrow table."""
        handover.arrow_schema(self.schema)
        return self.collect(**how).to_arrow()

    def to_pandas(self, **how: Unpack[RunOptions]) -> pd.DataFrame:
        """The training set as a pandas frame."""
        return handover.pandas_frame(self.collect(**how))

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of the columns, the spine's and then the features', without reading a row."""
        made = {name: reference.dtype for name, reference in self.features.items() if name not in self.spine.schema}
        return {**self.spine.schema, **made}

    def to_batches(self, rows: int = handover.ROWS, **how: Unpack[RunOptions]) -> pa.RecordBatchReader:
        """A stream of Arrow batches of at most `rows` rows, read once; nothing runs before the first is asked for."""
        return handover.batches(self.schema, self.batches(rows, **how))

    def __arrow_c_schema__(self) -> object:
        return handover.arrow_schema(self.schema).__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_batches().__arrow_c_stream__(requested_schema)

    def to_duckdb(self, connection: DuckDBPyConnection | None = None, **how: Unpack[RunOptions]) -> DuckDBPyRelation:
        """A relation of DuckDB that holds the rows, on its default connection unless one is given."""
        held: DuckDBPyRelation = handover.relation(self.schema, self.batches(handover.ROWS, **how), connection)
        return held

    def to_ray(self, rows: int = 1_000_000, **how: Unpack[RunOptions]) -> Dataset:
        """A dataset of Ray Data with a block for every `rows` rows, in the spine's order."""
        handover.library("pandas", "to_ray()")  # which Ray Data stands on
        from .ray_data import dataset

        return dataset(self.to_batches(rows, **how))

    def to_torch(
        self,
        columns: Sequence[str] | None = None,
        *,
        batch_size: int | None = None,
        dtype: Any = None,
        fill_null: float | None = None,
        **how: Unpack[RunOptions],
    ) -> TensorBatches:
        """A `torch.utils.data.IterableDataset` of dicts of tensors, `batch_size` rows each, or all at once; it is computed here, once.

        Without `columns` it holds all features, and the spine's columns of numbers and Booleans. `dtype` is a torch type for
        all of them, or a mapping by column. Nulls are refused unless `fill_null` gives a value to replace them.
        """
        names = tensors.chosen(self.schema, self.features, columns)
        handover.library("torch", "to_torch()")
        from .torch_data import dataset

        return dataset(tensors.arrays(self.batches(handover.ROWS, **how), names, fill_null), batch_size, dtype)

    def split(self, at: str | datetime | Sequence[str | datetime], *, gap: Duration = "0s") -> tuple[TrainingSet, ...]:
        """The training set cut by time into half-open parts; rows less than `gap` before a cut are dropped.

        Two cuts give three parts: before the first, between them, and from the second on; one need not stand in a list. The spine is read once, here.
        """
        frame = self.spine.reader.read(list(self.spine.schema))
        times = self.spine.times(frame)
        cuts = _cuts(at)
        if cuts != sorted(set(cuts)):
            raise Invalid(f"cuts {told(at)} must be in increasing order.")
        wait = not_negative(gap, "gap")
        ends = [(low, high - wait) for low, high in zip([-FOREVER, *cuts], [*cuts, FOREVER], strict=True)]
        return tuple(self._over(frame.filter(pl.Series((times >= low) & (times < high)))) for low, high in ends)

    def _run(
        self,
        status: bool,
        engine: str = "auto",
        memory: str | int | None = None,
        workers: int | None = None,
        deadline: Duration | None = None,
        resume: str | PathLike[str] | None = None,
    ) -> tuple[Plan, Run]:
        if status:
            _check_statuses([*self.spine.schema, *self.features], self.features)
        resources = _resources(engine, memory, workers)
        plan = optimize(self._written(status, resources))
        seconds, pool = None if deadline is None else positive(deadline, "deadline") / 1e6, executor(engine)
        journal = None if resume is None else _journal(resume, plan)  # last: it locks its folder
        run = Run(pool, resources, Progress("training set"), seconds, journal)
        return (plan if journal is None else journal.plan), run

    def _written(self, status: bool, resources: Resources | None) -> Plan:
        if resources is None:
            return lower(self.features, self.spine, self.open_source, statuses=status)
        spine = replace(self.spine, reader=pinned(self.spine.reader))
        open_once = cache(lambda source: pinned(self.open_source(source)))  # each is looked at once
        plan = lower(self.features, spine, open_once, statuses=status)
        return replace(plan, resources=resources)

    def _over(self, frame: pl.DataFrame) -> TrainingSet:
        return replace(self, spine=replace(self.spine, reader=Loaded(frame, "part of the spine")))

    def __repr__(self) -> str:
        lines = [f"<TrainingSet of {len(self.features)} features>", f"  {self.spine.describe()}"]
        lines += [f"  {name} = {reference.feature!r}" for name, reference in self.features.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape  # loaded where a notebook shows something

        return f"<pre>{escape(repr(self))}</pre>"


def training_set(
    labels: Reader,
    features: Mapping[str, Reference],
    *,
    at: str,
    open_source: Open,
    known_at: str | datetime | None = None,
    request: Mapping[str, str] | None = None,
    keeper: Keeper | None = None,
) -> TrainingSet:
    """A training set over a spine; every name and type is checked here."""
    schema = dict(labels.schema())
    refuse_reserved(schema, "the spine", among=RUN, reader=labels)
    renamed = dict(request or {})
    spine = Spine(
        labels, schema, _present(at, schema, "at="), _request(features, renamed, schema), _known_at(known_at, schema)
    )
    if not isinstance(schema[at], pl.Datetime):
        raise WrongType(f"at={at!r} is {schema[at]}; the time asked at is a Datetime column.")
    for name, reference in features.items():
        _check_keys(reference, schema)
        _check_name(name, reference, spine)
    return TrainingSet(features, spine, open_source, keeper)


def _journal(folder: str | PathLike[str], plan: Plan) -> Journal:
    from .journal import Journal

    if not isinstance(folder, str | PathLike):
        raise WrongType(f"resume={folder!r}; give a folder, as text or a Path.")
    return Journal(Path(folder), plan)


def _resources(engine: str, memory: str | int | None, workers: int | None) -> Resources:
    check_workers(workers)
    return Resources(bytes_of(memory), slots(engine, workers))


def _present(name: str, schema: Mapping[str, pl.DataType], what: str) -> str:
    if name not in schema:
        raise UnknownColumn(f"the spine has no column {name!r} ({what}). {did_you_mean(name, schema)}")
    return name


def _known_at(known_at: str | datetime | None, schema: Mapping[str, pl.DataType]) -> str | int | None:
    if known_at == "latest":
        return FOREVER - 1
    if isinstance(known_at, str):
        return _present(known_at, schema, "known_at=")
    return None if known_at is None else instant(known_at, "known_at")


def _request(
    features: Mapping[str, Reference], renamed: Mapping[str, str], schema: Mapping[str, pl.DataType]
) -> dict[str, str]:
    """Which spine column holds each request field that the features read."""
    fields = {
        node.name: node for reference in features.values() for node in walk(reference) if isinstance(node, RequestField)
    }
    unused = set(renamed) - set(fields)
    if unused:
        raise UnknownColumn(
            f"request={renamed}: no feature reads {sorted(unused)}. {did_you_mean(min(unused), fields)}"
        )
    for name, node in fields.items():
        column = _present(renamed.get(name, name), schema, f"request field {name!r}")
        if not _fits(schema[column], node.dtype):
            raise WrongType(f"request field {name!r} is {node.dtype}, the spine's {column!r} is {schema[column]}.")
    return {name: renamed.get(name, name) for name in fields}


def _fits(found: pl.DataType, wanted: pl.DataType) -> bool:
    if found.is_integer() or (found.is_numeric() and wanted.is_float()):
        return wanted.is_numeric()
    if isinstance(found, pl.Datetime | pl.Date) and isinstance(wanted, pl.Datetime):
        return True
    return types.settled(found) == wanted or isinstance(found, pl.Null)


def _check_keys(reference: Reference, schema: Mapping[str, pl.DataType]) -> None:
    for key, dtype in keys_of(reference).items():
        if key not in schema:
            raise UnknownColumn(
                f"the spine has no key column {key!r}, which {reference!r} needs. {did_you_mean(key, schema)}"
            )
        found = types.settled(schema[key])
        if (
            found != types.settled(dtype)
            and not (found.is_integer() and dtype.is_integer())
            and not isinstance(found, pl.Null)
        ):
            raise WrongType(f"key {key!r} is {dtype} in {reference!r}, but {schema[key]} in the spine.")


def _check_name(name: str, reference: Reference, spine: Spine) -> None:
    passed = passes_through(name, reference) and spine.request[name] == name
    if name in spine.schema and not passed:
        raise Invalid(
            f"feature {name!r} is named like a column of the spine. Rename the column, or pass full_names=True."
        )


def passes_through(name: str, reference: Reference) -> bool:
    """True where the feature only hands on the request field of its own name."""
    feature = reference.feature
    return isinstance(feature.expr, RequestField) and feature.expr.name == name and feature.default is None


def _check_statuses(taken: Sequence[str], features: Mapping[str, Reference]) -> None:
    clash = [name for name in features if f"{name}__status" in taken]
    if clash:
        raise Invalid(
            f"status=True needs the name '{clash[0]}__status', which is taken. Rename that column or feature."
        )


def _cuts(at: str | datetime | Sequence[str | datetime]) -> list[int]:
    several = plains(at)
    return [_cut(cut) for cut in ((plain(at),) if several is None else several)]


def _cut(cut: str | datetime) -> int:
    try:
        return instant(datetime.fromisoformat(cut) if isinstance(cut, str) else cut, "a cut")
    except ValueError as error:
        if isinstance(error, Invalid):
            raise
        raise Invalid(
            f"cut {cut!r} is not a time. Write it as '2026-01-31' or '2026-01-31T12:00', or give a datetime."
        ) from None


__all__ = ["TrainingSet", "keys_of", "passes_through", "training_set"]
