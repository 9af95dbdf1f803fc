"""A task: one At over one spine. It opens its inputs itself, so it runs the same in this process, on another node, or again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .at import FOREVER, Answer, Asked, Events, at
from .column import Column, Index, Mask
from .dtype import settled
from .evaluate import Evaluation, true_rows
from .grouping import codes, sort_by_group
from .instant import instants
from .nodes import SourceColumn, walk
from .plan import At, Scan, Spine
from .reader import Reader
from .versions import lives

ARRIVAL, SEQUENCE = "__arrival", "__sequence"


@dataclass(frozen=True)
class AtTask:
    """The answers of one At for all rows of a spine."""

    side: At
    spine: Spine

    @property
    def source(self) -> Reader:
        """What it reads beside the spine."""
        return self.side.scan.reader

    def run(self, spine: Reader, source: Reader) -> dict[str, Answer]:
        """The answer of each fold in the spine's order."""
        events, asked, order = gather(self.side, self.spine, spine, source)
        answers = at(events, asked, [folding.ask() for folding in self.side.foldings])
        return {name: _in_order(answer, order) for name, answer in answers.items()}


def gather(side: At, spine: Spine, spine_reader: Reader, source: Reader) -> tuple[Events, Asked, Index]:
    """Events and questions sorted by key and time, and the order that sorted the questions."""
    scan, keys = side.scan, dict(side.keys)
    questions = spine_reader.read(list(dict.fromkeys([*keys, spine.time, *([spine.known] if isinstance(spine.known, str) else [])])))
    rows = source.read(_columns(scan, source, spine), scan.bound)
    times = instants(questions[spine.time], f"the spine's {spine.time!r}")
    group, asked_group, groups = codes(rows, questions, keys)
    order, _ = sort_by_group(asked_group, groups, times)
    known = _known(spine, questions)
    asked = Asked(asked_group[order], times[order], None if known is None else known[order])
    return _events(side, spine, rows, group, groups), asked, order


def _columns(scan: Scan, source: Reader, spine: Spine) -> list[str]:
    """The scan's columns, with sequence and arrival where the reader has them and they matter."""
    stored = source.schema()
    extra = [SEQUENCE] if SEQUENCE in stored else []
    if spine.known is not None and scan.source.known_time is None and ARRIVAL in stored:
        extra.append(ARRIVAL)
    return [*scan.columns, *extra]


def _known(spine: Spine, questions: pl.DataFrame) -> Index | None:
    if isinstance(spine.known, str):
        return instants(questions[spine.known], f"known_at column {spine.known!r}")
    return None if spine.known is None else np.full(questions.height, spine.known)


def _events(side: At, spine: Spine, rows: pl.DataFrame, group: Index, groups: int) -> Events:
    """The source's rows sorted by (group, time), with what is folded computed on them."""
    source = side.scan.source
    time = instants(rows[source.event_time], f"{source.name}.{source.event_time}", time_zone=source.time_zone, available=source.available)
    sequence = rows[SEQUENCE].to_numpy() if SEQUENCE in rows.columns else None
    known = _known_from(side, spine, rows)
    deleted = true_rows(Column.from_series(rows[source.deleted])) if source.deleted else None
    life = lives(rows[source.row_id] if source.row_id else None, known, deleted, sequence)
    if life.kept is not None and not life.kept.all():
        group = np.where(life.kept, group, -1)
    ties = [part for part in (known, sequence) if part is not None]
    order, offsets = sort_by_group(group, groups, time, *ties)
    evaluated = folded_columns(side, rows)
    columns = {name: column.take(order) for name, column in evaluated.items()}
    return Events(time[order], offsets, columns, *(None if part is None else part[order] for part in (life.known_from, life.known_until)))


def _known_from(side: At, spine: Spine, rows: pl.DataFrame) -> Index | None:
    source = side.scan.source
    if source.known_time is not None:
        return instants(rows[source.known_time], f"{source.name}.{source.known_time}", time_zone=source.time_zone, available=source.available)
    if spine.known is None or spine.known == FOREVER - 1 or ARRIVAL not in rows.columns:
        return None
    return instants(rows[ARRIVAL], ARRIVAL)


def folded_columns(side: At, rows: pl.DataFrame) -> dict[str, Column]:
    """Every column that is folded or filtered by, computed on the source's rows, by content key."""
    parts = {child.key: child for folding in side.foldings for child in folding.node.children}
    names = {node.name for part in parts.values() for node in walk(part) if isinstance(node, SourceColumn)}
    evaluate = Evaluation({name: Column.from_series(_settled(rows[name])) for name in names}, rows.height)
    return {key: evaluate(part) for key, part in parts.items()}


def _settled(series: pl.Series) -> pl.Series:
    wanted = settled(series.dtype)
    return series if series.dtype == wanted else series.cast(wanted)


def _in_order(answer: Answer, order: Index) -> Answer:
    """The answer in the order the questions were asked in."""
    value = Column(answer.value.dtype, _scattered(answer.value.values, order), _maybe(answer.value.valid, order))
    return Answer(value, _scattered(answer.found, order), _maybe(answer.expired, order))


def _maybe(mask: Mask | None, order: Index) -> Mask | None:
    return None if mask is None else _scattered(mask, order)


def _scattered(values: Any, order: Index) -> Any:
    out = np.empty_like(values)
    out[order] = values
    return out
