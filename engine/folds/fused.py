"""Many folds of one driver in one compiled pass: bounds and sums of a question together, nothing in between written down.

It takes what is a sum over a sliding window of rows that always exist, which most features are; the driver answers the rest by itself, and
for that finds the ends of all sliding windows here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..language.fold import Ranged
from ..language.window import Sliding, rounded
from ..record import record
from . import compiled
from .ask import Answer, Ask, Span
from .column import Array, Column, Index, Mask, physical
from .events import Events
from .ranges import FloatSums, IntegerSums, Lengths
from .summed import Summed

_LENGTH, _WHOLE, _WHOLE_MEAN, _REAL, _REAL_MEAN = range(5)  # as the compiled loop knows them
_INT, _FLOAT = np.dtype(np.int64), np.dtype(np.float64)


@record(eq=False)
class Fused:
    """Some asks as the compiled loop takes them."""

    loops: Any
    asks: Sequence[Ask]
    clocks: Sequence[tuple[int, ...]]  # the times asked, rounded down to each of these, are the rows that ends refer to
    row: Index  # of each end: the row it counts from, -1 for the first event there is
    less: Index  # and how much before it lies
    steps: Index  # (asks, 5): start, stop, kind, column of state, row of the output
    state: tuple[Array, Array, Array, Array]
    ends: Mapping[str, int]  # the ends of the sliding windows of the other asks, by name

    @staticmethod
    def of(events: Events, asks: Sequence[Ask], ranged: Sequence[Ranged]) -> Fused | None:
        """Those of the asks that can be fused; None if there are none, or no compiled loops."""
        loops = compiled.kernels(len(events.time))
        plain = [
            (ask, one) for ask, one in zip(asks, ranged, strict=True) if isinstance(one, Summed) and _fits(ask, one)
        ]
        if loops is None or events.known_from is not None or not plain:
            return None
        ends, state = _Ends(), _State()
        outs = {_INT: 0, _FLOAT: 0}
        steps = []
        for ask, one in plain:
            kind = physical(ask.dtype)
            steps.append([*ends.of(ask.span), *state.of(one), outs[kind]])
            outs[kind] += 1
        together = {ask.name for ask, _ in plain}
        names = ends.named(ask for ask in asks if ask.name not in together)
        row, less = (np.array([end[part] for end in ends.numbers], dtype=np.int64) for part in (0, 1))
        clocks = list(ends.clocks)
        return Fused(loops, [ask for ask, _ in plain], clocks, row, less, np.array(steps), state.arrays(), names)

    def answered(self, events: Events, group: Index, time: Index) -> tuple[Index, Iterator[tuple[Ask, Answer]]]:
        """The index of every end (ends, questions); and the value of each ask and whether any row was there, for each question."""
        n, many = len(time), len(self.asks)
        whole, real = np.empty((self._wholes, n), dtype=_INT), np.empty((many - self._wholes, n), dtype=_FLOAT)
        some, every = np.empty((many, n), dtype=np.bool_), np.ones(many, dtype=np.bool_)
        index = np.empty((len(self.row), n), dtype=np.int64)
        held = np.empty((2, len(self.row)), dtype=np.int64)
        asked = (events.time, events.offsets, group, time, self._base(time), self.row, self.less, held, index)
        self.loops.fused(*asked, self.steps, *self.state, whole, real, some, every)
        return index, self._answers(whole, real, list(some), every.tolist())

    def _answers(
        self, whole: Array, real: Array, founds: Sequence[Mask], every: Sequence[bool]
    ) -> Iterator[tuple[Ask, Answer]]:
        for k, (ask, kind, slot, alike) in enumerate(self._answered):
            found = founds[alike]
            if kind in (_WHOLE_MEAN, _REAL_MEAN):
                yield ask, Answer(Column(ask.dtype, real[slot], None if every[k] else found), found)
            else:
                yield ask, Answer(Column(ask.dtype, real[slot] if kind == _REAL else whole[slot]), found)

    @cached_property
    def _wholes(self) -> int:
        """How many of the answers are whole numbers."""
        return int(np.count_nonzero(self.steps[:, 2] < _WHOLE_MEAN))

    @cached_property
    def _answered(self) -> list[tuple[Ask, int, int, int]]:
        """Each ask with its kind, the row of its output, and the first ask over the same window: both find the same rows."""
        first: dict[tuple[int, int], int] = {}
        return [
            (ask, kind, slot, first.setdefault((start, stop), k))
            for k, (ask, (start, stop, kind, _, slot)) in enumerate(zip(self.asks, self.steps.tolist(), strict=True))
        ]

    def _base(self, time: Index) -> Index:
        rows = [rounded(time, chain) for chain in self.clocks]
        return rows[0][None] if len(rows) == 1 else np.stack(rows)


def _fits(ask: Ask, ranged: Summed) -> bool:
    form = isinstance(ranged.over, Lengths | IntegerSums | FloatSums)
    return form and isinstance(ask.window, Sliding) and ask.span.ttl is None and physical(ask.dtype) in (_INT, _FLOAT)


class _Ends:
    """The ends of windows, each once."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, int], int] = {}
        self.clocks: dict[tuple[int, ...], int] = {}

    def of(self, span: Span) -> tuple[int, int]:
        """Where a window begins and ends."""
        window = span.window
        assert isinstance(window, Sliding), "only ends of sliding windows are found here"
        row = self.clocks.setdefault(span.clocks, len(self.clocks))
        width = None if window.width is None else window.late + window.width
        if span.ttl is not None:
            width = span.ttl + 1
        return self._number((-1, 0) if width is None else (row, width)), self._number((row, window.late))

    def named(self, asks: Iterable[Ask]) -> dict[str, int]:
        """The ends of sliding windows by the names that spans give them."""
        spans = dict.fromkeys(span for ask in asks for span in (ask.span, ask.whole_span))
        names: dict[str, int] = {}
        for span in spans:
            if isinstance(span.window, Sliding):
                names[span.start], names[span.stop] = self.of(span)
        return names

    def _number(self, end: tuple[int, int]) -> int:
        return self.numbers.setdefault(end, len(self.numbers))


class _State:
    """What the sums stand on, each column once."""

    def __init__(self) -> None:
        self._whole: dict[int, IntegerSums] = {}
        self._real: dict[int, FloatSums] = {}

    def of(self, ranged: Summed) -> tuple[int, int]:
        """The kind of a sum, and the column it stands on."""
        over = ranged.over
        if isinstance(over, IntegerSums):
            return (_WHOLE_MEAN if ranged.per_row else _WHOLE), _place(self._whole, over)
        if isinstance(over, FloatSums):
            return (_REAL_MEAN if ranged.per_row else _REAL), _place(self._real, over)
        return _LENGTH, 0

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Prefix sums of whole numbers; values, high and low parts of real ones, a row a column."""
        whole = [over.prefix for over in self._whole.values()]
        real = [(over.values, over.high, over.low) for over in self._real.values()]
        values, high, low = zip(*real, strict=True) if real else ([], [], [])
        return _table(whole, _INT), _table(values, _FLOAT), _table(high, _FLOAT), _table(low, _FLOAT)


def _place(held: dict[int, Any], over: Any) -> int:
    held.setdefault(id(over), over)
    return list(held).index(id(over))


def _table(rows: Sequence[Array], kind: np.dtype[Any]) -> Array:
    if not rows:
        return np.empty((0, 0), dtype=kind)
    return rows[0][None] if len(rows) == 1 else np.stack(rows)
