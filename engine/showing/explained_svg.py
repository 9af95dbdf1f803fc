"""A plan as a picture: boxes from left to right, sources first, and the tables that go between them; hotter boxes took more of the time.

It needs no script and no font, stands on a ground of its own, and follows the reader's light or dark theme.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ..plan.plan import SPINE
from .amounts import percent, plural, seconds, size
from .analysis import Ran
from .diagram import Arrow, Box, Diagram
from .explained_places import MARGIN, Place, Places

_HOTTEST = 0.42  # opacity of a box that took all the time
_TITLE, _NOTE, _DETAIL, _LABEL = 13, 11, 11, 11  # pixels, the heights of letters
_BAR_INDENT, _BAR = 12, 6
_STYLE = """
.nowthen-graph{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",sans-serif}
.nowthen-graph .ground{fill:#ffffff}.nowthen-graph .box{fill:#f7f8fa;stroke:#c5cbd6}
.nowthen-graph .heat{fill:#f59e0b}.nowthen-graph .track{fill:#dfe3ea}.nowthen-graph .bar{fill:#d97706}
.nowthen-graph .arrow{fill:none;stroke:#8b95a7}.nowthen-graph .head{fill:#8b95a7}
.nowthen-graph .title{font-size:13px;font-weight:600;fill:#1b2436}.nowthen-graph .note{font-size:11px;fill:#566076}
.nowthen-graph .detail{font-size:11px;fill:#2f3a50;font-family:ui-monospace,Menlo,Consolas,monospace}
.nowthen-graph .label{font-size:11px;fill:#566076}.nowthen-graph .figure{font-size:12px;font-weight:600;fill:#1b2436}
@media (prefers-color-scheme:dark){
.nowthen-graph .ground{fill:#14171c}.nowthen-graph .box{fill:#1f242c;stroke:#3d4654}
.nowthen-graph .track{fill:#39414e}.nowthen-graph .bar{fill:#f59e0b}
.nowthen-graph .arrow{stroke:#7b8596}.nowthen-graph .head{fill:#7b8596}
.nowthen-graph .title,.nowthen-graph .figure{fill:#eef1f6}.nowthen-graph .note,.nowthen-graph .label{fill:#a7b0bf}
.nowthen-graph .detail{fill:#cfd5df}}
"""


def picture(diagram: Diagram, ran: Ran | None) -> str:
    """The SVG of a plan; with figures where it was run."""
    places = Places.of(diagram, figures=ran is not None)
    width, height = places.width, places.height
    arrows = "\n".join(_arrow(arrow, places, ran) for arrow in diagram.arrows)
    boxes = "\n".join(_box(box, places.place[box.name], ran) for box in diagram.boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="nowthen-graph" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" style="max-width:100%;height:auto" role="img" aria-label="The plan of a training set">\n'
        f'<style>{_STYLE}</style>\n<rect class="ground" width="{width}" height="{height}" rx="{MARGIN // 2}"/>\n'
        f"{arrows}\n{boxes}\n</svg>\n"
    )


def _box(box: Box, place: Place, ran: Ran | None) -> str:
    whole = "\n".join([box.line(), *box.notes, *box.details])
    parts = [f"<g><title>{escape(whole)}</title>", _rect("box", place)]
    if ran is not None:
        parts.append(_rect("heat", place, f' fill-opacity="{_HOTTEST * ran.share(box.name):.3f}"'))
    parts += _words(place)
    if ran is not None:
        parts += _took(place, ran, box.name)
    return "".join([*parts, "</g>"])


def _words(place: Place) -> Iterator[str]:
    x, y = place.x + _BAR_INDENT, place.y + 20
    for kind, words, step in place.lines:
        yield _text(kind, x, y, words)
        y += step


def _took(place: Place, ran: Ran, name: str) -> Iterator[str]:
    """The time that a box took, in words and as a bar along its foot."""
    x, width, foot = place.x + _BAR_INDENT, place.width - 2 * _BAR_INDENT, place.y + place.height
    share = ran.share(name)
    if not ran.of(name).steps:
        yield _text("note", x, foot - 12, "with its folds")
        return
    yield _text("figure", x, foot - 22, seconds(ran.of(name).wall_s))
    yield _text("figure", x + width, foot - 22, percent(share), "end")
    yield f'<rect class="track" x="{x}" y="{foot - 15}" width="{width}" height="{_BAR}" rx="3"/>'
    if share:
        yield f'<rect class="bar" x="{x}" y="{foot - 15}" width="{max(width * share, 2):.1f}" height="{_BAR}" rx="3"/>'


def _arrow(arrow: Arrow, places: Places, ran: Ran | None) -> str:
    way = places.way(arrow)
    thick = 1.4 if ran is None else 1.2 + 2.4 * _weight(arrow.begin, ran)
    x, y = way.end
    drawn = (
        f'<path class="arrow" d="{way.path}" stroke-width="{thick:.1f}"/><path class="head" d="M{x} {y} l-8 -4 v8 z"/>'
    )
    if ran is None or way.label is None or not ran.of(arrow.begin).steps:
        return drawn
    found = ran.of(arrow.begin)
    x, y = way.label
    lines = (plural(found.rows, "row"), size(found.bytes)) if arrow.begin != SPINE else (plural(found.rows, "row"), "")
    return drawn + _text("label", x, y - 6, lines[0]) + (_text("label", x, y + 15, lines[1]) if lines[1] else "")


def _weight(name: str, ran: Ran) -> float:
    """The bytes that leave a box, in parts of the largest."""
    most = max(figures.bytes for figures in ran.figures.values()) if ran.figures else 0
    return ran.of(name).bytes / most if most else 0.0


def _rect(kind: str, place: Place, more: str = "") -> str:
    return (
        f'<rect class="{kind}" x="{place.x}" y="{place.y}" width="{place.width}" height="{place.height}" rx="8"{more}/>'
    )


def _text(kind: str, x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'
