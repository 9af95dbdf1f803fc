"""Where boxes and arrows of a plan stand in its picture: sources, folds, join and outputs in four columns, a row for each At."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..plan.plan import JOIN, SELECT, SPINE
from ..record import record
from .diagram import Arrow, Box, Diagram

MARGIN = 24
_WIDTHS = (236, 290, 150, 210)  # of the columns' boxes
_GAPS = (150, 150, 110)  # between them
_BETWEEN = 26  # from one row to the next
_BUS = 24  # from the line that carries questions down to the folds it reaches
_TURN = 8  # radius of its corners
_LABEL = 92  # the width of words at an arrow
_HEAD = 6  # the length of an arrow's head that the line leaves free
_LINE, _FIGURES, _PAD = 16, 40, 14
_MOST = 7  # details of a box that are shown
_LETTER = {"title": 7.5, "note": 5.8, "detail": 6.7}  # pixels of a letter, about


class Line(NamedTuple):
    """One line of a box, and how far below it the next one stands."""

    kind: str
    words: str
    step: int


@record
class Place:
    """The place of a box, and its lines as they fit."""

    x: int
    y: int
    width: int
    height: int
    lines: tuple[Line, ...]

    @property
    def right(self) -> int:
        """Its right side."""
        return self.x + self.width

    @property
    def middle(self) -> int:
        """Half its height."""
        return self.y + self.height // 2


@record
class Way:
    """The path of an arrow, where its head is, and where words about it may stand."""

    path: str
    end: tuple[int, int]
    label: tuple[int, int] | None


@record
class Places:
    """The places of all boxes."""

    place: dict[str, Place]
    width: int
    height: int

    @staticmethod
    def of(diagram: Diagram, *, figures: bool) -> Places:
        """Lay a plan out; boxes have room for figures where there are any."""
        place: dict[str, Place] = {}
        y = _put(place, [(diagram.box(SPINE), 0)], MARGIN, figures) + _BETWEEN
        for row in _rows(diagram):
            y = _put(place, row, y, figures) + _BETWEEN
        bottom = y - _BETWEEN
        for name, column in ((JOIN, 2), (SELECT, 3)):
            box = diagram.box(name)
            height = _height(_lines(box, column), figures)
            top = max(place[SPINE].middle + 20, (MARGIN + bottom - height) // 2)
            _put(place, [(box, column)], top, figures)
        bottom = max(one.y + one.height for one in place.values())
        return Places(place, _left(3) + _WIDTHS[3] + MARGIN, bottom + MARGIN)

    def way(self, arrow: Arrow) -> Way:
        """How an arrow goes."""
        begin, end = self.place[arrow.begin], self.place[arrow.end]
        if arrow.begin == SPINE:
            return self._over(begin, end) if arrow.end == JOIN else self._down(begin, end)
        if arrow.begin.startswith("Scan"):
            return self._across(begin, end)
        return self._into(begin, end, arrow.begin)

    def _over(self, begin: Place, end: Place) -> Way:
        """From the spine over all folds into the join."""
        y, turn, port = begin.middle, _left(1) + _WIDTHS[1] + _LABEL, end.y + 12
        half = (turn + end.x) // 2
        path = f"M{begin.right} {y} H{turn} C{half} {y} {half} {port} {end.x - _HEAD} {port}"
        return Way(path, (end.x, port), (begin.right + 10, y))

    def _down(self, begin: Place, end: Place) -> Way:
        """From the spine down to a fold."""
        y, bus, port = begin.middle, _left(1) - _BUS, end.y + 16
        path = (
            f"M{begin.right} {y} H{bus - _TURN} Q{bus} {y} {bus} {y + _TURN} V{port - _TURN} "
            f"Q{bus} {port} {bus + _TURN} {port} H{end.x - _HEAD}"
        )
        return Way(path, (end.x, port), None)

    def _across(self, begin: Place, end: Place) -> Way:
        """From a source to its folds; where others share it the arrow bends down to them."""
        if begin.y == end.y:
            y = begin.y + min(begin.height, end.height) // 2
            return Way(f"M{begin.right} {y} H{end.x - _HEAD}", (end.x, y), (begin.right + 10, y))
        y, port = begin.y + begin.height - _PAD, end.middle
        half = (begin.right + end.x) // 2
        return Way(f"M{begin.right} {y} C{half} {y} {half} {port} {end.x - _HEAD} {port}", (end.x, port), None)

    def _into(self, begin: Place, end: Place, name: str) -> Way:
        """From folds into the join, or from the join to the outputs."""
        y, port = begin.middle, end.middle
        turn = begin.right + (_LABEL if name != JOIN else 0)
        half = (turn + end.x) // 2
        path = f"M{begin.right} {y} H{turn} C{half} {y} {half} {port} {end.x - _HEAD} {port}"
        return Way(path, (end.x, port), (begin.right + 10, y))


def _rows(diagram: Diagram) -> list[list[tuple[Box, int]]]:
    """Each At with the scan that follows it, if one does."""
    rows: list[list[tuple[Box, int]]] = []
    for box in diagram.boxes:
        if box.name.startswith("At"):
            rows.append([(box, 1)])
        elif box.name.startswith("Scan"):
            rows[-1].append((box, 0))
    return rows


def _put(place: dict[str, Place], row: Sequence[tuple[Box, int]], y: int, figures: bool) -> int:
    """Put boxes of one row in their columns; returns where the row ends."""
    for box, column in row:
        lines = _lines(box, column)
        place[box.name] = Place(_left(column), y, _WIDTHS[column], _height(lines, figures), lines)
    return max(place[box.name].y + place[box.name].height for box, _ in row)


def _left(column: int) -> int:
    return MARGIN + sum(_WIDTHS[:column]) + sum(_GAPS[:column])


def _height(lines: Sequence[Line], figures: bool) -> int:
    return 20 + sum(line.step for line in lines[:-1]) + _PAD + (_FIGURES - 8 if figures else 0)


def _lines(box: Box, column: int) -> tuple[Line, ...]:
    width = _WIDTHS[column] - 24
    details = list(box.details)
    if len(details) > _MOST:
        details = [*details[: _MOST - 1], f"and {len(details) - _MOST + 1} more"]
    lines = [Line("title", box.line(), 17)]
    lines += [Line("note", words, 19 if words is box.notes[-1] else _LINE) for words in box.notes]
    lines += [Line("detail", words, _LINE) for words in details]
    return tuple(Line(line.kind, _fitting(line, width), line.step) for line in lines)


def _fitting(line: Line, width: int) -> str:
    """As many letters as have room."""
    room = int(width / _LETTER[line.kind])
    if len(line.words) <= room:
        return line.words
    end = 0 if line.kind == "detail" else room // 2  # paths say most at their end
    return line.words[: room - 1 - end] + "…" + line.words[len(line.words) - end :]
