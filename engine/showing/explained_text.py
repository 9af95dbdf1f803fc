"""A run as aligned text: what all of it took, then a line for each operator, then the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..plan.plan import Plan
from .amounts import percent, plural, seconds, size
from .analysis import Ran
from .diagram import Box, Diagram

COLUMNS = ("steps", "rows", "bytes", "CPU s", "wall s", "span s", "waited s", "spilled", "time")
_WIDEST = 46  # of an operator's words
_BAR = 10


def report(diagram: Diagram, plan: Plan, ran: Ran) -> str:
    """The whole text."""
    lines = [(_operator(box), *cells(ran, box.name)) for box in diagram.boxes]
    bars = [bar(ran.share(box.name)) for box in diagram.boxes]
    head, *table = aligned([("operator", *COLUMNS), *lines])
    rows = [f"{line}  {drawn}".rstrip() for line, drawn in zip(table, bars, strict=True)]
    return "\n".join([*summary(plan, ran), "", head, *rows, "", "as it ran", str(plan)])


def summary(plan: Plan, ran: Ran) -> Iterator[str]:
    """What all of it took, in two lines."""
    features = plural(len(plan.outputs), "feature")
    yield f"{plural(ran.rows, 'row')} with {features} in {seconds(ran.wall_s)}: {ran.rows_per_s:,.0f} rows/s"
    worker = f", of the largest worker {size(ran.worker_peak)}" if ran.worker_peak else ""
    where = f"{ran.engine}, up to {plural(ran.slots, 'step')} at a time within {size(ran.memory)}"
    yield (
        f"{where}; CPU {seconds(ran.cpu_s)}, peak memory of this process {size(ran.peak)}{worker}, "
        f"spilled {size(ran.spilled)}"
    )


def cells(ran: Ran, name: str) -> tuple[str, ...]:
    """The figures of a node, by column; where nothing happened a dash. A source may be read by the steps of its At."""
    found = ran.of(name)
    if not found.steps:
        return ("-",) * len(COLUMNS)
    return (
        f"{found.steps:,}",
        f"{found.rows:,}",
        size(found.bytes) if found.bytes else "-",
        f"{found.cpu_s:.3f}",
        f"{found.wall_s:.3f}",
        f"{found.span_s:.3f}",
        f"{found.waited_s:.3f}" if found.waited_s >= 0.0005 else "-",
        size(found.spilled) if found.spilled else "-",
        percent(ran.share(name)),
    )


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in table]


def bar(share: float) -> str:
    """A bar as long as a share.

    >>> bar(0.5), bar(0.03), bar(0)
    ('█████', '▎', '')
    """
    whole, eighths = divmod(round(share * _BAR * 8), 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[eighths].strip()


def _operator(box: Box) -> str:
    words = "  " * box.depth + box.line()
    return words if len(words) <= _WIDEST else words[: _WIDEST - 1] + "…"
