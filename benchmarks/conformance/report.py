"""What the run found: a table for the terminal, Markdown for the documentation, JSON for other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from .by_design import Words, words
from .case import Case
from .cases import FAMILIES
from .tools import Tool
from .verdict import ERROR, NA, RIGHT, WRONG, Verdict

_LISTED = 20  # faults of one tool in the documentation
_SIGNS = {RIGHT: ("yes", "green"), WRONG: ("no", "red"), ERROR: ("error", "red"), NA: ("-", "dim")}


@dataclass
class Found:
    """One tool's verdicts by the name of the case; `skipped` says why there are none."""

    tool: Tool
    versions: Mapping[str, str]
    verdicts: dict[str, Verdict]
    skipped: str = ""

    @property
    def title(self) -> str:
        """The tool with the versions of what it stands on."""
        return f"{self.tool.about} ({', '.join(f'{name} {number}' for name, number in self.versions.items())})"

    def count(self, kind: str) -> int:
        """How many verdicts are of a kind."""
        return Counter(verdict.kind for verdict in self.verdicts.values())[kind]


def terminal(found: list[Found], cases: list[Case]) -> Group:
    """The cases against the tools, then what was wrong, line by line."""
    shown = [one for one in found if not one.skipped]
    grid = Table(title="Who is right about what")
    grid.add_column("rule", justify="right")
    grid.add_column("case")
    for one in shown:
        grid.add_column(one.tool.name, justify="center")
    for case in cases:
        grid.add_row(str(case.rule), case.name, *(Text(*_SIGNS[one.verdicts[case.name].kind]) for one in shown))
    grid.add_section()
    for kind in (RIGHT, WRONG, ERROR, NA):
        grid.add_row("", kind, *(str(one.count(kind)) for one in shown))
    lines = [Text(f"{one.tool.name} was skipped: {one.skipped}", "bold red") for one in found if one.skipped]
    return Group(grid, *lines, *(Text(line) for one in shown for line in faults(one)))


def faults(one: Found) -> Iterator[str]:
    """What was not right with a tool, a line each."""
    for name, verdict in one.verdicts.items():
        if verdict.kind in (WRONG, ERROR):
            said = words(one.tool.name, name)
            yield f"{one.tool.name}: {name}: {verdict.why}" + (f" [{said.text}]" if said else "")


def markdown(found: list[Found], cases: list[Case], date: str) -> str:
    """The same for docs/conformance.md."""
    return (
        "\n".join([*_summary(found, date), "", *_grid(found, cases), "", *_details(found), "", *_sources(found)]) + "\n"
    )


def _summary(found: list[Found], date: str) -> Iterator[str]:
    yield f"Run on {date}."
    yield ""
    yield "| tool | versions | right | wrong | error | n/a |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for one in found:
        numbers = ", ".join(f"{name} {number}" for name, number in one.versions.items())
        counts = (
            ["skipped", "", "", ""] if one.skipped else [str(one.count(kind)) for kind in (RIGHT, WRONG, ERROR, NA)]
        )
        yield f"| `{one.tool.name}`: {one.tool.about} | {numbers} | {' | '.join(counts)} |"


def _grid(found: list[Found], cases: list[Case]) -> Iterator[str]:
    shown = [one for one in found if not one.skipped]
    yield "| rule | case | " + " | ".join(f"`{one.tool.name}`" for one in shown) + " |"
    yield "| --- | --- |" + " :-: |" * len(shown)
    asked = {case.name for case in cases}
    for family, members in FAMILIES.items():
        chosen = [case for case in members if case.name in asked]
        if chosen:
            yield f"| | *{family}* |" + " |" * len(shown)
        for case in chosen:
            cells = " | ".join(_cell(one, case) for one in shown)
            yield f"| {case.rule} | {case.name} | {cells} |"


def _cell(one: Found, case: Case) -> str:
    kind = one.verdicts[case.name].kind
    sign = {WRONG: "**no**", ERROR: "**error**"}.get(kind, _SIGNS[kind][0])
    return sign + ("*" if kind in (WRONG, ERROR) and words(one.tool.name, case.name) else "")


def _details(found: list[Found]) -> Iterator[str]:
    yield "### What was seen"
    for one in found:
        wrong = {name: verdict for name, verdict in one.verdicts.items() if verdict.kind in (WRONG, ERROR)}
        if wrong:
            yield ""
            yield f"`{one.tool.name}`"
            yield ""
        for name, verdict in list(wrong.items())[:_LISTED]:
            yield f"* {name}: {verdict.why.replace('|', '/')}"
        if len(wrong) > _LISTED:
            yield f"* and {len(wrong) - _LISTED} more"


def _sources(found: list[Found]) -> Iterator[str]:
    yield "### What the documentation of the tools says (*)"
    yield ""
    seen: dict[Words, str] = {}
    for one in found:
        for name, verdict in one.verdicts.items():
            said = words(one.tool.name, name) if verdict.kind in (WRONG, ERROR) else None
            if said:
                seen.setdefault(
                    said, f"* {said.text}{'' if said.meant else ' So what was seen differs from it.'} <{said.link}>"
                )
    yield from seen.values()


def as_json(found: list[Found], cases: list[Case], date: str) -> dict[str, Any]:
    """Everything, to keep."""
    return {
        "date": date,
        "cases": [{"name": case.name, "rule": case.rule, "law": case.law, "reason": case.reason} for case in cases],
        "tools": [
            {
                "name": one.tool.name,
                "about": one.tool.about,
                "versions": dict(one.versions),
                "skipped": one.skipped,
                "verdicts": {name: asdict(verdict) for name, verdict in one.verdicts.items()},
            }
            for one in found
        ],
    }
