"""What differs between two saved training sets: rows by what was asked, values by column, definitions by expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ...engine.folds.column import Index
from ...engine.folds.hashing import content_hashes
from ...engine.language.nodes import Reference

if TYPE_CHECKING:
    from .saved_training_set import SavedTrainingSet

_SHOWN = 3  # examples of a column
_LEFT, _RIGHT = "before", "after"


@dataclass(frozen=True)
class Changed:
    """A column of values that both have."""

    name: str
    rows: int  # of those that both have, how many differ
    examples: tuple[tuple[int, Any, Any], ...] = ()  # row of the second, value before, value after
    most: float | None = None  # the greatest difference, of numbers
    types: tuple[str, str] | None = None  # where these differ


@dataclass(frozen=True)
class Redefined:
    """A feature column that is defined otherwise: the expressions before and after, None where one does not have it."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, repr=False)
class Difference:
    """What became of one training set in another. It is false where nothing did."""

    names: tuple[str, str]
    entries: tuple[int, int]
    both: int  # rows asked about in both
    gone: int  # rows of the first alone
    new: int  # rows of the second alone
    columns: tuple[Changed, ...]
    definitions: tuple[Redefined, ...]
    asked: tuple[tuple[str, ...], tuple[str, ...]]  # columns of the rows asked about that only one has

    def __bool__(self) -> bool:
        changed = any(column.rows or column.types for column in self.columns)
        return bool(self.gone or self.new or changed or self.definitions or any(self.asked))

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "before": {"name": self.names[0], "entry": self.entries[0]},
            "after": {"name": self.names[1], "entry": self.entries[1]},
            "rows": {"both": self.both, "gone": self.gone, "new": self.new},
            "values": {column.name: _column_json(column) for column in self.columns},
            "definitions": {one.name: {"before": one.before, "after": one.after} for one in self.definitions},
            "asked_about": {"gone": list(self.asked[0]), "new": list(self.asked[1])},
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        yield f"{self.names[0]} (version {self.entries[0]}) -> {self.names[1]} (version {self.entries[1]})"
        yield f"  rows         {self.both:,} in both, {self.gone:,} gone, {self.new:,} new"
        for title, names in zip(("gone", "new"), self.asked):
            if names:
                yield f"  asked about  columns {title}: {', '.join(names)}"
        changed = [column for column in self.columns if column.rows or column.types]
        titles = [*(column.name for column in changed), *(one.name for one in self.definitions)]
        wide = max(map(len, titles), default=0)
        for column in changed:
            yield f"  values       {column.name:{wide}}  {_told(column, self.both)}"
        if not changed:
            yield f"  values       the same in all {len(self.columns)} columns that both have"
        for one in self.definitions:
            yield f"  definition   {one.name:{wide}}  {one.before or '(none)'} -> {one.after or '(none)'}"
        if not self.definitions:
            yield "  definitions  the same"


def difference(before: SavedTrainingSet, after: SavedTrainingSet) -> Difference:
    """What differs. Rows are the same where what was asked is, in all columns that both have of it; the second of two equal ones is another row."""
    old, new = before.collect(), after.collect()
    asked = [name for name in before.spine if name in after.spine]
    left, right = _matched(old.select(asked), new.select(asked))
    names = [name for name in old.columns if name in new.columns and name not in asked]
    columns = tuple(_changed(old[name], new[name], left, right) for name in names)
    return Difference(
        (before.name, after.name), (before.entry, after.entry), len(left), old.height - len(left),
        new.height - len(right), columns, tuple(_redefined(before.features, after.features)),
        (_only(before.spine, after.spine), _only(after.spine, before.spine)),
    )  # fmt: skip


def _matched(old: pl.DataFrame, new: pl.DataFrame) -> tuple[Index, Index]:
    """The places of equal rows in both, by the order of the second."""
    sides = [
        pl.DataFrame({"hash": content_hashes(frame), side: np.arange(frame.height)}).with_columns(
            number=pl.int_range(pl.len()).over("hash")
        )
        for frame, side in ((old, _LEFT), (new, _RIGHT))
    ]
    both = sides[0].join(sides[1], on=["hash", "number"]).sort(_RIGHT)
    return both[_LEFT].to_numpy(), both[_RIGHT].to_numpy()


def _changed(old: pl.Series, new: pl.Series, left: Index, right: Index) -> Changed:
    types = None if old.dtype == new.dtype else (str(old.dtype), str(new.dtype))
    before, after = old.gather(left), new.gather(right)
    if types is not None and not (old.dtype.is_numeric() and new.dtype.is_numeric()):
        return Changed(new.name, len(left), (), None, types)
    differs = before.ne_missing(after).arg_true()
    first = differs.head(_SHOWN)
    shown = zip(right[first.to_numpy()].tolist(), before.gather(first).to_list(), after.gather(first).to_list())
    return Changed(new.name, len(differs), tuple(shown), _most(before.gather(differs), after.gather(differs)), types)


def _most(before: pl.Series, after: pl.Series) -> float | None:
    """The greatest difference of numbers that both have."""
    if not before.dtype.is_numeric():
        return None
    found: Any = (after.cast(pl.Float64) - before.cast(pl.Float64)).abs().drop_nulls().drop_nans().max()
    return None if found is None else float(found)


def _redefined(before: Mapping[str, Reference], after: Mapping[str, Reference]) -> Iterator[Redefined]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old is None or new is None or old.key != new.key:
            yield Redefined(
                name, None if old is None else repr(old.feature), None if new is None else repr(new.feature)
            )


def _only(these: list[str], those: list[str]) -> tuple[str, ...]:
    return tuple(name for name in these if name not in those)


def _told(column: Changed, both: int) -> str:
    parts = [f"{column.rows:,} of {both:,} differ"]
    if column.types is not None:
        parts.append(f"{column.types[0]} -> {column.types[1]}")
    if column.most is not None:
        parts.append(f"at most by {column.most:.6g}")
    if column.examples:
        parts.append(", ".join(f"{before!r} -> {after!r} (row {row})" for row, before, after in column.examples))
    return "; ".join(parts)


def _column_json(column: Changed) -> dict[str, Any]:
    examples = [{"row": row, "before": _plain(old), "after": _plain(new)} for row, old, new in column.examples]
    types = None if column.types is None else list(column.types)
    most = None if column.most is None else _plain(column.most)
    return {"differ": column.rows, "at_most_by": most, "types": types, "examples": examples}


def _plain(value: Any) -> Any:
    """A value as JSON; what JSON does not have is text, as are NaN and infinities."""
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
