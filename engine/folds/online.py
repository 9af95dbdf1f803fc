"""The online form of features: a plan over timelines instead of scans, asked at now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import polars as pl

from ..errors import Invalid
from ..language import dtype as types
from ..language.instant import written_instant
from ..language.nodes import Reference, RequestField, Slot, walk
from ..language.service import keys_of
from ..language.status import Statuses
from ..language.window import rounded
from ..plan.lower import clock_slot, clocks_of, lower
from ..plan.plan import At, Output, Spine
from ..plan.reader import Loaded
from ..record import record
from ..rules import optimize
from .ask import Answer
from .column import Array, Column, Index
from .evaluate import Evaluation, with_default
from .timeline import Timeline, keys_of_rows


@record
class Served:
    """What is answered: a column and status codes for every feature, in order."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    status: tuple[Array, ...]


@record(eq=False)
class Online:
    """Features ready to be asked online. `sides` are the groups that timelines are held for."""

    features: Mapping[str, Reference]

    @cached_property
    def sides(self) -> tuple[At, ...]:
        """The folds by source and keys, as the same rules made them that training uses."""
        return self._plan[0]

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """The features over the slots that the sides fill."""
        return self._plan[1]

    @cached_property
    def _plan(self) -> tuple[tuple[At, ...], tuple[Output, ...]]:
        nothing = Loaded(pl.DataFrame({"at": pl.Series([], dtype=types.UTC)}))
        plan = optimize(lower(self.features, Spine(nothing, {"at": types.UTC}, "at", {}), lambda _: nothing))
        return plan.input.sides, plan.outputs

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(output.name for output in self.outputs)

    @cached_property
    def keys(self) -> dict[str, pl.DataType]:
        """The key columns a caller gives."""
        return keys_of(*self.features.values())

    @cached_property
    def request(self) -> dict[str, pl.DataType]:
        """The request fields a caller gives."""
        return {
            node.name: node.dtype
            for reference in self.features.values()
            for node in walk(reference)
            if isinstance(node, RequestField)
        }

    def fold(self, timelines: Sequence[Timeline], keys: Mapping[str, Sequence[object]], at: Index) -> dict[str, Answer]:
        """The slots of every side, from the timelines that hold them (in the order of `sides`), for each row at its time."""
        answers: dict[str, Answer] = {}
        earliest = int(at.min()) if len(at) else None
        for side, timeline in zip(self.sides, timelines, strict=True):
            asked = keys_of_rows([keys[name] for name, _ in side.keys]) if side.keys else [()] * len(at)
            _refuse_early(timeline, earliest)
            answers |= timeline.ask(asked, at)
        return answers

    def finish(self, answers: Mapping[str, Answer], request: Mapping[str, Column], at: Index) -> Served:
        """The features from their slots and the request: the part that needs no events."""
        slots = {slot: answer.value for slot, answer in answers.items()}
        for clocks in self._clocks:
            slots[clock_slot(clocks)] = Column(types.UTC, rounded(at, clocks))
        evaluate, codes = Evaluation(request, len(at), slots), Statuses(answers, len(at)).codes
        values, status = [], []
        for output in self.outputs:
            expr = output.expr
            plain = slots[expr.name] if isinstance(expr, Slot) else evaluate(expr)
            values.append(with_default(plain, output.default))
            status.append(codes(output, plain))
        return Served(self.names, tuple(values), tuple(status))

    @cached_property
    def _clocks(self) -> set[tuple[int, ...]]:
        return {clocks for output in self.outputs for clocks in clocks_of(output.expr)}


def _refuse_early(timeline: Timeline, earliest: int | None) -> None:
    if timeline.exact_from is not None and earliest is not None and earliest < timeline.exact_from:
        asked, exact = written_instant(earliest), written_instant(timeline.exact_from)
        raise Invalid(
            f"asked at {asked}, but the online state is exact only from {exact} on. Give the view a longer history=."
        )
