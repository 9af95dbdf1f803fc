"""A picture of the figures that races left: one row of bars for each, CPU seconds of every engine beside NowThen's.

python benchmarks/chart.py join-M.json windows-M.json --out docs/performance.svg
"""

from __future__ import annotations

import argparse
import json
from html import escape
from pathlib import Path
from typing import Any

WIDTH, LABEL, BAR, GAP = 860, 190, 16, 6
COLOURS = {"nowthen": "#0b7285", "nowthen-ray": "#3bc9db", "nowthen-store": "#66d9e8"}
OTHER = "#adb5bd"
STYLE = "text{font:13px system-ui,sans-serif;fill:#495057} .title{font-weight:600;font-size:14px}"


def main() -> None:
    """Draws the picture."""
    parser = argparse.ArgumentParser(description="Draw the figures of races.")
    parser.add_argument("races", type=Path, nargs="+", help="files that --json wrote")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.write_text(picture([json.loads(path.read_text()) for path in given.races]))


def picture(races: list[dict[str, Any]]) -> str:
    """All races, one below the other."""
    parts, y = [], 10
    for race in races:
        drawn, height = panel(race, y)
        parts.append(drawn)
        y += height + 18
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" aria-label="CPU seconds by engine">'
    return f"{head}<style>{STYLE}</style>{''.join(parts)}</svg>\n"


def panel(race: dict[str, Any], y: int) -> tuple[str, int]:
    """One race: a title and a bar for each engine, as long as its CPU seconds."""
    engines = [engine for engine in race["engines"] if engine.get("cost")]
    most = max(engine["cost"]["cpu_median_s"] for engine in engines)
    lines = [f'<text class="title" x="0" y="{y + 14}">{escape(title(race))}</text>']
    for number, engine in enumerate(engines):
        top = y + 24 + number * (BAR + GAP)
        lines.append(bar(engine, top, most))
    return "".join(lines), 24 + len(engines) * (BAR + GAP)


def title(race: dict[str, Any]) -> str:
    """What was measured, on what."""
    data = race["data"]
    rows = f"{data['events']:,} events, {data['spine']:,} questions" if "events" in data else ""
    return f"{race['benchmark']}: {rows}{', cold processes' if race['cold'] else ''} - CPU seconds, with wall seconds and peak memory"


def bar(engine: dict[str, Any], top: int, most: float) -> str:
    """An engine's bar and its figures."""
    cost, name = engine["cost"], engine["engine"]
    length = max((WIDTH - LABEL - 220) * cost["cpu_median_s"] / most, 1)
    said = f"{cost['cpu_median_s']:.2f} s CPU, {cost['wall_median_s']:.2f} s, {cost['peak_bytes'] / 1e6:,.0f} MB"
    shape = (
        f'<rect x="{LABEL}" y="{top}" width="{length:.0f}" height="{BAR}" rx="3" fill="{COLOURS.get(name, OTHER)}"/>'
    )
    label = f'<text x="{LABEL - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>'
    return f'{label}{shape}<text x="{LABEL + length + 8:.0f}" y="{top + 13}">{said}</text>'


if __name__ == "__main__":
    main()
