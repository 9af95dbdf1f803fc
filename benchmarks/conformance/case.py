"""A case: events, questions, the answers by the law of time written by hand, and why.

A case is plain data. It travels to a tool as JSON (`as_json`) and is read there by `adapters/wire.py`, which needs nothing of NowThen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# Types of columns, where a case says nothing else. "utc" is a time with its zone, "naive" one without, other names of times are zones.
TYPES = {"key": "int64", "time": "utc", "known": "utc", "value": "int64", "row": "int64", "gone": "bool", "n": "int64"}


@dataclass(frozen=True)
class Table:
    """Rows under names, with the type of each column."""

    columns: dict[str, str]
    rows: tuple[tuple[Any, ...], ...]


def table(names: str, *rows: tuple[Any, ...], **types: str) -> Table:
    """Rows under names, `table("key time", (1, "2026-01-05 12:00"))`; types other than the usual ones by name."""
    return Table({name: types.get(name, TYPES.get(name, "int64")) for name in names.split()}, rows)


@dataclass(frozen=True)
class Ask:
    """What is asked of the events at every row of the spine.

    `fold` of the column `value` over `window` (None is for ever) that ends `delay` before the time asked; `closed` "left" leaves out its end and takes
    in its start. `ttl` is for folds over for ever. With `known` the column of that name says from when a row could be known; `known_at` "latest" asks with
    hindsight. `row` names rows of which several versions may stand in the table, `gone` marks a version that ends its row.
    """

    fold: str = "last"
    keys: tuple[str, ...] = ("key",)
    window: str | None = None
    delay: str | None = None
    closed: str = "right"
    ttl: str | None = None
    known: bool = False
    known_at: str | None = None
    row: bool = False
    online: bool = False

    @property
    def needs(self) -> list[str]:
        """The notions a tool must have to be asked this at all."""
        has = {
            "window": self.window is not None,
            "known": self.known,
            "row": self.row,
            "online": self.online,
            "no key": not self.keys,
        }
        return [notion for notion, needed in has.items() if needed]


@dataclass(frozen=True)
class Case:
    """One sentence of the law of time, with the answer that follows from it.

    `expected` has a value for each row of the spine. `judged` says what else counts: "values" alone, looked up by the spine's column `n` so that rows may come
    in any order; "order" of the rows too; or "rows", whole and as a bag, where no column tells them apart. `pushed` are rows that come after
    `events`, in this order, to what is served online.
    """

    name: str
    rule: int
    law: str
    events: Table
    spine: Table
    expected: Sequence[Any]
    reason: str
    ask: Ask = field(default_factory=Ask)
    judged: str = "values"
    pushed: Table | None = None
    limit_s: float = 60.0

    @property
    def needs(self) -> list[str]:
        """The notions a tool must have to be given this case at all."""
        zoned = self.judged == "rows" and any("/" in kind for kind in self.spine.columns.values())
        return [*self.ask.needs, *(["zone"] if zoned else [])]

    def as_json(self) -> dict[str, Any]:
        """The case as it travels; the answers stay here."""
        parts = asdict(self)
        del parts["expected"]
        return {**parts, "needs": self.needs}
