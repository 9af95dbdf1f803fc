"""Whether an answer is right, and if not, what is wrong with it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .adapters.wire import arrow, plain
from .case import Case

RIGHT, WRONG, ERROR, NA = "right", "wrong", "error", "n/a"
NEAR = 1e-12  # what the law of time allows float sums and means
_SHOWN = 3  # differences named, before "and so on"


@dataclass(frozen=True)
class Verdict:
    """right, wrong, error or n/a, and for all but the first what was seen."""

    kind: str
    why: str = ""
    seconds: float = 0.0


def judge(case: Case, reply: dict[str, Any], seconds: float = 0.0) -> Verdict:
    """The verdict on what a tool sent back."""
    if "na" in reply:
        return Verdict(NA, reply["na"], seconds)
    if "error" in reply:
        return Verdict(ERROR, reply["error"], seconds)
    faults = differences(case, reply["columns"], reply["rows"])
    return Verdict(WRONG, said(faults), seconds) if faults else Verdict(RIGHT, "", seconds)


def said(faults: Sequence[str]) -> str:
    """The first faults in a line."""
    more = len(faults) - _SHOWN
    return "; ".join(faults[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def differences(case: Case, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """What is wrong with an answer, one line a fault; none if it is right."""
    missing = [name for name in (*case.spine.columns, "found") if name not in columns]
    if missing:
        return [f"no column {', '.join(missing)}"]
    if case.judged == "rows":
        return whole_rows(case, columns, rows)
    numbers, found = (column(columns, rows, name) for name in ("n", "found"))
    return [
        *counted(numbers, len(case.expected)),
        *values(case, dict(zip(numbers, found, strict=True))),
        *order(case, numbers),
    ]


def column(columns: Sequence[str], rows: Sequence[Sequence[Any]], name: str) -> list[Any]:
    """One column of the answer."""
    place = list(columns).index(name)
    return [row[place] for row in rows]


def counted(numbers: Sequence[int], wanted: int) -> list[str]:
    """Rows that are not there, or there more than once."""
    seen = Counter(numbers)
    lost = [n for n in range(wanted) if not seen[n]]
    twice = [n for n, times in seen.items() if times > 1]
    lines = [f"{len(lost)} of {wanted} rows lost (row {lost[0]} is the first)"] if lost else []
    return lines + ([f"{len(twice)} rows are there more than once"] if twice else [])


def values(case: Case, found: dict[int, Any]) -> list[str]:
    """Values that are not those of the law."""
    return [
        f"row {n}: {shown(found[n])}, by the law {shown(plain(wanted))}"
        for n, wanted in enumerate(case.expected)
        if n in found and not agree(found[n], plain(wanted), exact=case.ask.fold not in ("sum", "mean"))
    ]


def order(case: Case, numbers: Sequence[int]) -> list[str]:
    """Whether rows that had to keep their order have lost it."""
    kept = case.judged != "order" or list(numbers) == sorted(numbers)
    return [] if kept else [f"rows in another order: {', '.join(map(str, numbers[:6]))}, ..."]


def whole_rows(case: Case, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows wanted and not there, and the other way round, whatever their order."""
    names = [*case.spine.columns, "found"]
    wanted = [
        tuple(map(plain, (*row.values(), value))) for row, value in zip(arrow_rows(case), case.expected, strict=True)
    ]
    got = [tuple(row[list(columns).index(name)] for name in names) for row in rows]
    lines = [f"{len(got)} rows instead of {len(wanted)}"] if len(got) != len(wanted) else []
    left = list(got)
    for row in wanted:
        match = next((one for one in left if same_row(one, row)), None)
        if match is None:
            lines.append(f"no row {shown_row(names, row)}")
        else:
            left.remove(match)
    return lines + [f"instead {shown_row(names, row)}" for row in left[:1]]


def arrow_rows(case: Case) -> list[dict[str, Any]]:
    """The spine's rows as its types have them."""
    spine = {"columns": case.spine.columns, "rows": case.spine.rows}
    rows: list[dict[str, Any]] = arrow(spine).to_pylist()
    return rows


def same_row(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether all values of two rows agree."""
    return all(agree(a, b, exact=True) for a, b in zip(one, other, strict=True))


def agree(found: Any, wanted: Any, *, exact: bool) -> bool:
    """Whether two values are the same; 10.0 is 10, a null is no NaN, true is not 1 and text is no number."""
    if found is None or wanted is None or isinstance(found, str) or isinstance(wanted, str):
        return type(found) is type(wanted) and bool(found == wanted)
    if isinstance(found, bool) is not isinstance(wanted, bool):
        return False
    if exact or isinstance(wanted, int):
        return bool(found == wanted)
    return math.isclose(found, wanted, rel_tol=NEAR)


def shown(value: Any) -> str:
    """A value for people."""
    return "null" if value is None else repr(value) if isinstance(value, str) and not _special(value) else str(value)


def _special(value: str) -> bool:
    return value in ("nan", "inf", "-inf")


def shown_row(names: Sequence[str], row: Sequence[Any]) -> str:
    """A row for people."""
    return ", ".join(f"{name} {shown(value)}" for name, value in zip(names, row, strict=True))
