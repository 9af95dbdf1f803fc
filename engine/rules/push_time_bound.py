"""Derive the time bound from the spine and push it into the scans."""

from __future__ import annotations

from dataclasses import replace

from ..errors import Invalid
from ..language.instant import DAY_US
from ..plan.plan import At, Plan, Spine
from ..plan.reader import TimeBound


def push_time_bound(plan: Plan) -> Plan:
    """A scan leaves out rows that no window of the spine can reach.

        Scan tx                                                  under over('7d', delay='1d'), spine from June 9 to June 30
    becomes
        Scan tx tx_datetime in [June 1, June 30]

    Not where rows have versions that the source has not settled: a version outside the bound may end one inside it.
    """
    if not any(side.scan.may_leave_out for side in plan.input.sides):
        return plan
    span = _span(plan.input.spine)
    sides = tuple(_bounded(side, span) if side.scan.may_leave_out else side for side in plan.input.sides)
    return replace(plan, input=replace(plan.input, sides=sides))


def _span(spine: Spine) -> tuple[int, int] | None:
    """First and last time asked at, or None for an empty spine."""
    frame = spine.reader.read([spine.time])
    times = frame[spine.time]
    if not len(times) or times.null_count():
        return None
    try:
        first, last = spine.times(frame[[times.arg_min() or 0, times.arg_max() or 0]]).tolist()
    except Invalid:
        return None  # the run refuses it, with the number of its row
    return first, last


def _bounded(side: At, span: tuple[int, int] | None) -> At:
    if span is None:
        return side
    slack = 0 if side.scan.source.time_zone in (None, "UTC") else DAY_US
    first = None if side.reach is None else span[0] - side.reach - slack
    bound = TimeBound(side.scan.source.event_time, first, span[1] + slack)
    return replace(side, scan=replace(side.scan, bound=bound))
