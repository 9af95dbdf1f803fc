"""What a backfill would do and roughly what it would take, without running it."""

from __future__ import annotations

from typing import Any

from ..engine.plan.pieces import height, width
from ..engine.plan.plan import At
from ..engine.plan.rates import seconds
from .backfill import Ready


def estimated(ready: Ready) -> dict[str, Any]:
    """Rows, the ways of the plan, and an estimate; None stands for what is not known before rows are read."""
    plan = ready.train.plan(**ready.options)
    resources = plan.resources
    assert resources is not None, "a plan that will run has them"
    rows = height(plan.input.spine.reader)
    schema = ready.train.schema
    result = None if rows is None else rows * width(schema, list(schema))
    return {
        "target": ready.target,
        "rows": rows,
        "columns": list(schema),
        "file": str(ready.out),
        "resume": None if ready.resume is None else str(ready.resume),
        "engine": "ray" if ready.on_ray else "local",
        "workers": resources.slots,
        "memory_bytes": resources.memory,
        "reads": [_side(side) for side in plan.input.sides],
        "result_bytes": result,
        "seconds": seconds(plan, rows, resources.slots, on_ray=ready.on_ray),
    }


def told_plan(facts: dict[str, Any]) -> str:
    """The same in lines."""
    engine = "on Ray" if facts["engine"] == "ray" else "in this process"
    lines = [
        f"backfill {facts['target']}: {_count(facts['rows'])} rows, {len(facts['columns'])} columns into {facts['file']}",
        f"  {engine} with {facts['workers']} at a time, within {_size(facts['memory_bytes'])}",
    ]
    for read in facts["reads"]:
        keys = ", ".join(read["keys"]) or "nothing (global)"
        lines += [f"  {read['source']} by {keys}: {_count(read['rows'])} rows, {read['folds']} folds, {read['how']}"]
    if facts["result_bytes"] is not None:
        lines += [f"  result about {_size(facts['result_bytes'])} before compression"]
    if facts["seconds"] is not None:
        lines += [f"  roughly {max(facts['seconds'], 1):,.0f} s, by rates measured on another machine"]
    lines += [
        f"  can resume after a stop: {'yes, from ' + facts['resume'] if facts['resume'] else 'no, rows may change'}"
    ]
    return "\n".join([*lines, "Nothing was done."])


def _side(side: At) -> dict[str, Any]:
    way = side.way
    return {
        "source": side.scan.source.name,
        "keys": [name for name, _ in side.keys],
        "rows": height(side.scan.reader),
        "folds": len(side.foldings),
        "way": way.kind,
        "buckets": way.buckets,
        "steps": way.steps,
        "step_bytes": way.memory or None,
        "how": way.describe(),
    }


def _count(rows: int | None) -> str:
    return "an unknown number of" if rows is None else f"{rows:,}"


def _size(size: int) -> str:
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.1f} MiB"
