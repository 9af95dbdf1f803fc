"""A plan or a run as a table for notebooks: plain HTML, no script, the colours of the page it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ..plan.plan import Plan
from .amounts import plural, seconds, size
from .analysis import Ran
from .diagram import Box, Diagram
from .explained_svg import picture
from .explained_text import COLUMNS, cells

_STYLE = """
.nowthen-plan{font-size:13px;line-height:1.45;max-width:1100px}
.nowthen-plan .totals{display:flex;flex-wrap:wrap;gap:4px 28px;margin:2px 0 12px;padding:0}
.nowthen-plan .totals div{white-space:nowrap}.nowthen-plan .totals b{font-size:17px;font-weight:600;display:block}
.nowthen-plan .quiet{opacity:.62;font-weight:400}
.nowthen-plan table.operators{border-collapse:collapse;margin:0;width:100%;border:0;font-size:13px;background:transparent;
font-variant-numeric:tabular-nums}
.nowthen-plan table.operators tr{background:transparent;border:0}
.nowthen-plan table.operators :is(th,td){padding:5px 10px;border:0;border-bottom:1px solid rgba(128,128,128,.22);
text-align:right;white-space:nowrap;vertical-align:top;color:inherit;background:transparent}
.nowthen-plan table.operators th{font-weight:500;opacity:.62;border-bottom-color:rgba(128,128,128,.5)}
.nowthen-plan table.operators :is(th,td):first-child{text-align:left;white-space:normal;padding-left:0}
.nowthen-plan table.operators td.zero{opacity:.4}
.nowthen-plan .operators .track{display:inline-block;width:96px;height:8px;border-radius:4px;background:rgba(128,128,128,.2);
vertical-align:middle;margin-right:8px;overflow:hidden}
.nowthen-plan .operators .track span{display:block;height:8px;border-radius:4px;background:#e08a0b}
.nowthen-plan .operators .share{display:inline-block;min-width:38px}
.nowthen-plan details{margin-top:10px}.nowthen-plan summary{cursor:pointer;opacity:.75}
.nowthen-plan pre{font-size:12px;overflow-x:auto;background:transparent;color:inherit}
"""


def page(diagram: Diagram, plan: Plan, ran: Ran | None) -> str:
    """The table of a run with its graph and its plan folded in below; of a plan that was not run its graph."""
    graph, text = picture(diagram, ran), f"<pre>{escape(str(plan))}</pre>"
    if ran is None:
        body = [graph, _folded("The plan as it runs", text)]
    else:
        body = [*_totals(plan, ran), _table(diagram, ran), _folded("Graph", graph), _folded("The plan as it ran", text)]
    return f'<div class="nowthen-plan"><style>{_STYLE}</style>{"".join(body)}</div>'


def _totals(plan: Plan, ran: Ran) -> Iterator[str]:
    peak = f"peak memory, largest worker {size(ran.worker_peak)}" if ran.worker_peak else "peak memory"
    facts = [
        (seconds(ran.wall_s), f"on the clock, {ran.engine}"),
        (seconds(ran.cpu_s), f"of CPU, {plural(ran.slots, 'step')} at a time"),
        (f"{ran.rows:,}", f"rows with {plural(len(plan.outputs), 'feature')}"),
        (f"{ran.rows_per_s:,.0f}", "rows a second"),
        (size(ran.peak), peak),
        (size(ran.spilled), f"spilled, within {size(ran.memory)}"),
    ]
    yield '<div class="totals">'
    for figure, words in facts:
        yield f'<div><b>{escape(figure)}</b><span class="quiet">{escape(words)}</span></div>'
    yield "</div>"


def _table(diagram: Diagram, ran: Ran) -> str:
    *figures, time = COLUMNS
    head = "".join(f"<th>{escape(column)}</th>" for column in ("operator", time, *figures))
    rows = "".join(_row(box, ran) for box in diagram.boxes)
    return f'<table class="operators"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(box: Box, ran: Ran) -> str:
    *figures, share = cells(ran, box.name)
    note = "".join(f'<br/><span class="quiet">{escape(words)}</span>' for words in box.notes)
    title = f" <span>{escape(box.title)}</span>" if box.title else ""
    indent, whole = box.depth * 18, "\n".join(box.details)
    operator = f'<td><div style="margin-left:{indent}px" title="{escape(whole)}"><b>{escape(box.name)}</b>{title}{note}</div></td>'
    width = 100 * ran.share(box.name)
    bar = f'<td><span class="track"><span style="width:{width:.1f}%"></span></span><span class="share">{escape(share)}</span></td>'
    return f"<tr>{operator}{bar}{''.join(map(_cell, figures))}</tr>"


def _cell(figure: str) -> str:
    quiet = ' class="zero"' if figure in ("-", "0", "0.000") else ""
    return f"<td{quiet}>{escape(figure)}</td>"


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>"
