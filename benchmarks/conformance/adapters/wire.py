"""What passes between the runner and a tool: a case as a line of JSON in, its answer as a line of JSON out.

This file runs inside the tool's environment, which has pyarrow and perhaps nothing else of ours. What tools print goes to stderr, so that the answers are
alone on stdout. One process answers one case after another until its input ends.
"""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

Case = dict[str, Any]
Answer = Callable[[Case], pa.Table]
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "us": "microseconds"}
_PLAIN = {"int64": pa.int64(), "int32": pa.int32(), "float64": pa.float64(), "string": pa.string(), "bool": pa.bool_()}


class NotApplicable(Exception):
    """The tool has no such notion; the message says so in its own terms."""


def serve(answer: Answer, lacks: Mapping[str, str]) -> None:
    """Answer the cases on stdin until it ends. `lacks` says of notions the tool does not have why."""
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        for line in sys.stdin:
            out.write(json.dumps(reply(answer, lacks, json.loads(line))) + "\n")
            out.flush()


def reply(answer: Answer, lacks: Mapping[str, str], case: Case) -> dict[str, Any]:
    """What goes back: rows and their columns, `na` with the reason, or `error` with the last words."""
    missing = [lacks[need] for need in case["needs"] if need in lacks]
    if missing:
        return {"na": missing[0]}
    try:
        found = answer(case)
        return {"columns": found.column_names, "rows": [list(map(plain, row.values())) for row in found.to_pylist()]}
    except NotApplicable as reason:
        return {"na": str(reason)}
    except Exception as error:  # whatever a tool raises is its answer
        traceback.print_exc()
        cause = (str(error).strip().splitlines() or [""])[-1]  # Ray's errors end with it
        return {"error": f"{type(error).__name__}: {cause}"[:300]}


def plain(value: Any) -> Any:
    """A value as JSON has it: times with their offset, floats beyond JSON by name."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def arrow(table: Mapping[str, Any]) -> pa.Table:
    """The rows of a case as an Arrow table of its types; times are whole microseconds."""
    columns = {}
    for place, (name, kind) in enumerate(table["columns"].items()):
        columns[name] = column([row[place] for row in table["rows"]], kind)
    return pa.table(columns)


def column(values: list[Any], kind: str) -> pa.Array:
    """One column of a type that a case names."""
    if kind in _PLAIN:
        return pa.array([float(v) if kind == "float64" and v is not None else v for v in values], type=_PLAIN[kind])
    if kind == "naive":
        return pa.array([None if v is None else datetime.fromisoformat(v) for v in values], type=pa.timestamp("us"))
    zone = "UTC" if kind == "utc" else kind
    return pa.array([instant(v, zone) for v in values], type=pa.timestamp("us", tz=zone))


def instant(text: str | None, zone: str) -> datetime | None:
    """The time that a text says; without an offset it is one of the zone."""
    if text is None:
        return None
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))


def duration(text: str) -> timedelta:
    """The length of a duration such as "90d" or "1us"."""
    number = text.rstrip("dhmsu")
    return timedelta(**{_UNITS[text[len(number) :]]: int(number)})


def microseconds(text: str | None) -> int:
    """A duration as whole microseconds; none is 0."""
    return 0 if text is None else duration(text) // timedelta(microseconds=1)


def moved(case: Case, now: datetime) -> Case:
    """The case with all its times moved so that its first question is asked at `now`, for tools that answer as of their clock."""
    asked = instant(case["spine"]["rows"][0][list(case["spine"]["columns"]).index("time")], "UTC")
    assert asked is not None
    return {**case, **{part: _moved(case[part], now - asked) for part in ("events", "pushed", "spine")}}


def _moved(table: Mapping[str, Any], by: timedelta) -> dict[str, Any]:
    times = [kind == "utc" for kind in table["columns"].values()]
    rows = [[_later(v, by) if is_time else v for v, is_time in zip(row, times, strict=True)] for row in table["rows"]]
    return {**table, "rows": rows}


def _later(text: str | None, by: timedelta) -> str | None:
    read = instant(text, "UTC")
    return None if read is None else (read + by).isoformat()
