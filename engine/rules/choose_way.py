"""Choose how each At is answered."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from ..plan.pieces import height, layout, width
from ..plan.plan import At, Plan, Spine
from ..plan.way import Resources, Way, learned_per_question
from ..running.streamed import can_stream, in_pieces
from ..running.task import AtTask, known_column, source_columns

_SMALL = 1_500_000  # rows of spine and source together; below, an exchange costs more than a second core gives
_MOST_BUCKETS = 1024
_LARGEST_PIECE = 4_000_000  # rows
_STREAMED_PIECE = 2_500_000  # rows that are decoded at a time
_PASSED = 5_000_000  # rows that one step lets pass by: each step searches anew and is merged with the others
_LEAST_PIECE = 100_000
_MOST_GROUPS = 8
_IDLE = 4  # of so many cores all but one may have nothing to do, and an exchange still costs more than it saves
_SPARE = 4  # buckets for each step, so that they can be put together evenly


def choose_way(plan: Plan) -> Plan:
    """Whole where it fits and gives work to all cores; else bucket by bucket, or streamed where every fold is for the latest row.

    A source that is stored in buckets by these keys is answered from them, if as many fit at a time as give work to some of the cores.

        At by customer_id: 7 folds, whole                        over 100 million rows, memory="4GiB", 8 cores
    becomes
        At by customer_id: 7 folds, bucketed into 64 buckets, pieces of 4,000,000 rows, 201 MB a step

    Not without keys, and not where the number of rows is not known before they are read.
    """
    resources = plan.resources
    if resources is None:
        return plan
    sides = plan.input.sides
    busy = sum(_rows(side, plan.input.spine) > _SMALL for side in sides)
    chosen = tuple(replace(side, way=_way(AtTask(side, plan.input.spine), resources, busy)) for side in sides)
    return replace(plan, input=replace(plan.input, sides=chosen))


def _way(task: AtTask, resources: Resources, busy: int) -> Way:
    asked, rows = height(task.spine.reader), height(task.source)
    if asked is None or rows is None:
        return Way()
    side, read = task.side, width(task.source.schema(), source_columns(task))
    need: int = task.projected(asked, rows)
    stored = _stored(task, need, resources)
    if stored is not None:
        return stored
    if can_stream(side, known_column(task)) and in_pieces(side):
        return _streamed(task, asked, rows, resources)
    fits = ceil(need * resources.slots / resources.of_steps)
    cores = resources.slots * 2 if _rows(side, task.spine) > _SMALL and busy < resources.slots else 1
    if not side.keys or max(fits if need > resources.of_steps else 1, cores) == 1:
        return Way(memory=need)
    steps = max(fits, cores)
    piece = min(_LARGEST_PIECE, ceil(rows / (2 * resources.slots)), resources.of_steps // (resources.slots * 4 * read))
    buckets = min(_SPARE * steps, _MOST_BUCKETS)
    groups = max(min(ceil(2 * rows * read / resources.of_shelf), _MOST_GROUPS, buckets), 1)
    return Way("bucketed", buckets, steps, groups, max(piece, 1), need // steps, cores, resources.of_steps)


def _stored(task: AtTask, need: int, resources: Resources) -> Way | None:
    """Bucketed as stored, where rows lie in buckets by the keys and have one version each, and it is worth the splitting of questions."""
    found = layout(task.source, dict(task.side.keys))
    if found is None or not task.side.scan.may_leave_out or task.reads_its_spine:
        return None
    buckets = len(found.sizes)
    largest = max(need * max(found.sizes) // max(sum(found.sizes), 1), 1)
    busy = min(resources.of_steps // largest, buckets)  # steps at a time
    if _rows(task.side, task.spine) <= _SMALL or busy < resources.slots / _IDLE:
        return None
    steps = min(max(ceil(need * resources.slots / resources.of_steps), resources.slots * 2), buckets)
    return Way("stored", buckets, steps, memory=need // steps)


def _streamed(task: AtTask, asked: int, rows: int, resources: Resources) -> Way:
    """One step for every few million rows, but no more than keep all cores busy: each holds the questions."""
    if rows + asked <= _SMALL:
        return Way()
    read = width(task.source.schema(), source_columns(task))
    steps = max(min(ceil(rows / _PASSED), resources.slots), 1)
    learned = asked * learned_per_question(task.side.asks)
    room = max(resources.of_steps // resources.slots - learned, 0) // (4 * read)
    piece = max(min(_STREAMED_PIECE, ceil(rows / steps), max(room, _LEAST_PIECE)), 1)
    return Way("streamed", steps=steps, rows=piece, memory=learned + 3 * read * piece)


def _rows(side: At, spine: Spine) -> int:
    return (height(side.scan.reader) or 0) + (height(spine.reader) or 0)
