"""What `explain` gives: text, and the same as a table for notebooks, as a picture and as data."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Self

from ..plan.plan import Plan
from .analysis import Ran
from .diagram import Diagram
from .explained_html import page
from .explained_svg import picture
from .explained_text import report


class Explained(str):
    """The text; `svg()` is a graph of the plan, `to_dict()` and `to_json()` are data, and notebooks show a table.

    `ran` is what the run did, None where nothing was run.
    """

    plan: Plan
    ran: Ran | None
    _written: Plan

    @classmethod
    def of(cls, written: Plan, plan: Plan, ran: Ran | None = None) -> Self:
        """A plan as it was written and as it runs; with `ran`, as it ran."""
        text = f"as written\n{written}\n\nas it runs\n{plan}" if ran is None else report(Diagram.of(plan), plan, ran)
        made = cls(text)
        made.plan, made.ran, made._written = plan, ran, written
        return made

    @cached_property
    def diagram(self) -> Diagram:
        """The plan as boxes and arrows."""
        return Diagram.of(self.plan)

    def svg(self) -> str:
        """A graph of the plan: a box for each operator, an arrow for each table, with what they took where that is known."""
        return picture(self.diagram, self.ran)

    def to_dict(self) -> dict[str, Any]:
        """The same as data. Times are seconds, sizes bytes."""
        facts: dict[str, Any] = {"as_written": str(self._written), "as_it_runs": str(self.plan)}
        if self.ran is not None:
            facts |= _totals(self.ran)
        facts["operators"] = [self._operator(box.name) for box in self.diagram.boxes]
        return facts

    def to_json(self) -> str:
        """The same as JSON."""
        return json.dumps(self.to_dict())

    def _operator(self, name: str) -> dict[str, Any]:
        box = self.diagram.box(name)
        inputs = [arrow.begin for arrow in self.diagram.arrows if arrow.end == name]
        facts: dict[str, Any] = {
            "name": name, "title": box.title, "notes": list(box.notes), "details": list(box.details), "inputs": inputs
        }  # fmt: skip
        return facts if self.ran is None else facts | _figures(self.ran, name)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return page(self.diagram, self.plan, self.ran)

    def __getnewargs__(self) -> tuple[str]:
        return (str(self),)


def _totals(ran: Ran) -> dict[str, Any]:
    return {
        "engine": ran.engine,
        "slots": ran.slots,
        "memory": ran.memory,
        "rows": ran.rows,
        "rows_per_s": ran.rows_per_s,
        "wall_s": ran.wall_s,
        "cpu_s": ran.cpu_s,
        "peak_memory": ran.peak,
        "worker_peak_memory": ran.worker_peak,
        "spilled": ran.spilled,
    }


def _figures(ran: Ran, name: str) -> dict[str, Any]:
    found = ran.of(name)
    return {
        "steps": found.steps,
        "rows": found.rows,
        "bytes": found.bytes,
        "cpu_s": found.cpu_s,
        "wall_s": found.wall_s,
        "span_s": found.span_s,
        "waited_s": found.waited_s,
        "spilled": found.spilled,
        "share": ran.share(name),
        "workers": sorted(found.places),
    }
