"""Runs the cases of the law of time against NowThen and other tools and prints who is right about what.

    python benchmarks/conformance/run.py --tools nowthen,feast-dask,duckdb --markdown

The exit code is 1 if NowThen is not right everywhere. Peers get an environment of their own on first use, which downloads them.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))

from conformance.case import Case
from conformance.cases import CASES
from conformance.environments import CannotInstall, interpreter, versions
from conformance.report import Found, as_json, markdown, terminal
from conformance.session import Session
from conformance.tools import TOOLS, Tool
from conformance.verdict import NA, RIGHT

console = Console(stderr=True)


def main() -> int:
    """Run, print, keep what was asked to be kept."""
    given = arguments()
    cases = [case for case in CASES if given.case in case.name]
    if not cases:
        sys.exit(f"no case has {given.case!r} in its name; benchmarks/conformance/cases/ lists them all")
    found = [run(TOOLS[name], cases) for name in given.tools]
    date = datetime.now(UTC).date().isoformat()
    if given.json:
        given.json.write_text(json.dumps(as_json(found, cases, date), indent=1) + "\n")
    if given.markdown:
        print(markdown(found, cases, date), end="")
    else:
        Console(width=None if sys.stdout.isatty() else 200).print(terminal(found, cases))
    return 0 if all(conforms(one) for one in found if one.tool.name.startswith("nowthen")) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tools", type=tools, default=list(TOOLS), help=f"of {', '.join(TOOLS)}; all if left out")
    parser.add_argument("--case", default="", help="only cases whose name has this text in it")
    parser.add_argument("--json", type=Path, help="where to write everything")
    parser.add_argument("--markdown", action="store_true", help="print the tables of docs/conformance.md")
    return parser.parse_args()


def tools(text: str) -> list[str]:
    """The tools named, each known."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown tool {', '.join(unknown)}; there are {', '.join(TOOLS)}")
    return names


def run(tool: Tool, cases: list[Case]) -> Found:
    """The verdicts on one tool; one that cannot be installed is skipped, and says so."""
    console.print(f"{tool.name} ...", markup=False)
    try:
        python = interpreter(tool)
    except CannotInstall as reason:
        console.print(f"SKIPPED {tool.name}: its environment cannot be made.\n{reason}", style="bold red", markup=False)
        return Found(tool, {}, {}, skipped=str(reason))
    with Session(tool, python) as session:
        verdicts = {case.name: session.ask(case) for case in cases}
    return Found(tool, versions(tool, python), verdicts)


def conforms(one: Found) -> bool:
    """Whether a tool was right wherever it was asked."""
    return not one.skipped and one.count(RIGHT) + one.count(NA) == len(one.verdicts)


if __name__ == "__main__":
    sys.exit(main())
