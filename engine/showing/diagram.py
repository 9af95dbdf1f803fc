"""A plan as people look at it: a box for every node, and an arrow for every table that goes from one to another."""

from __future__ import annotations

from collections.abc import Iterator

from ..plan.plan import JOIN, SELECT, SPINE, At, Plan, Scan, at_name, moment, scan_name
from ..record import record
from ..running.answering import alike
from ..running.task import AtTask
from .amounts import plural


@record
class Box:
    """A node: its name in the plan, what it is about, how it goes about it, and what it computes or reads."""

    name: str
    title: str
    notes: tuple[str, ...]
    details: tuple[str, ...] = ()
    depth: int = 0  # in the tree that a plan is written as

    def line(self) -> str:
        """The node in a few words."""
        return f"{self.name}: {self.title}" if self.title else self.name


@record
class Arrow:
    """A table on its way; its figures are those of the box it comes from."""

    begin: str
    end: str


@record
class Diagram:
    """All boxes, in the order that a plan is written in, and all arrows."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    @staticmethod
    def of(plan: Plan) -> Diagram:
        """The diagram of a plan. Sources that are read once for several At's have one box."""
        sources = [_source(plan, number) for number in range(len(plan.input.sides))]
        return Diagram(tuple(_boxes(plan, sources)), tuple(_arrows(sources)))

    def box(self, name: str) -> Box:
        """The box of that name."""
        return next(box for box in self.boxes if box.name == name)


def _source(plan: Plan, number: int) -> str:
    """Where the rows of an At come from: its own scan, that of another At before it, or the spine."""
    sides = plan.input.sides
    side = sides[number]
    if side.way.kind != "streamed" and AtTask(side, plan.input.spine).reads_its_spine:
        return SPINE
    for place, other in enumerate(sides[:number]):
        if side.way.kind == other.way.kind == "whole" and alike(side.scan, other.scan):
            return scan_name(place)
    return scan_name(number)


def _boxes(plan: Plan, sources: list[str]) -> Iterator[Box]:
    spine, outputs = plan.input.spine, plan.outputs
    yield Box(SELECT, plural(len(outputs), "feature"), (), tuple(output.name for output in outputs))
    yield Box(JOIN, "", ("row by row",), depth=1)
    known = "" if spine.known is None else f", known_at={spine.known}"
    yield Box(SPINE, spine.reader.describe(), (f"at={spine.time}{known}",), (), 2)
    for number, side in enumerate(plan.input.sides):
        yield _at(side, number)
        if sources[number] == scan_name(number):
            yield _scan(plan, sources, number)


def _at(side: At, number: int) -> Box:
    keys = ", ".join(name for name, _ in side.keys)
    kind, *sizes = side.way.describe().split(", ")
    way = f"{plural(len(side.foldings), 'fold')}, {kind}"
    folded = [repr(folding.node).removeprefix(f"{side.scan.source.name}.") for folding in side.foldings]
    details = tuple([side.scan.where, *folded] if side.scan.where else folded)
    notes = (way, ", ".join(sizes)) if sizes else (way,)
    return Box(at_name(number), f"by {keys}" if keys else "of all rows", notes, details, 2)


def _scan(plan: Plan, sources: list[str], number: int) -> Box:
    """A scan with the columns that all who share it read; what each leaves out is said of its At."""
    sides = plan.input.sides
    scan = sides[number].scan
    sharing = [side for side, source in zip(sides, sources, strict=True) if source == scan_name(number)]
    columns = tuple(dict.fromkeys(column for side in sharing for column in side.scan.columns))
    return Box(scan_name(number), scan.source.name, (scan.reader.describe(), *_bounds(scan)), columns, 3)


def _bounds(scan: Scan) -> Iterator[str]:
    """The ends of the time bound, to the second."""
    if scan.bound is not None:
        ends = (("from", scan.bound.first), ("to", scan.bound.last))
        yield from (f"{scan.bound.column} {word} {moment(end)[:19]}" for word, end in ends if end is not None)


def _arrows(sources: list[str]) -> Iterator[Arrow]:
    yield Arrow(JOIN, SELECT)
    yield Arrow(SPINE, JOIN)
    for number, source in enumerate(sources):
        yield Arrow(at_name(number), JOIN)
        yield Arrow(SPINE, at_name(number))
        if source != SPINE:
            yield Arrow(source, at_name(number))
