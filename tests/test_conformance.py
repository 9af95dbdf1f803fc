"""The cases of the law of time (benchmarks/conformance) are our own conformance suite too: every engine has to be right about all of them.

The hand-written answers are held against the naive loop of tests/oracle, and the judge against answers that are wrong in known ways.
"""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from .oracle import naive

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

CASES = importlib.import_module("conformance.cases").CASES
adapter = importlib.import_module("conformance.adapters.with_nowthen")
wire = importlib.import_module("conformance.adapters.wire")
verdict = importlib.import_module("conformance.verdict")
environments = importlib.import_module("conformance.environments")
session = importlib.import_module("conformance.session")
tools = importlib.import_module("conformance.tools")
table = importlib.import_module("conformance.case").table

# A new engine, or another way to the same values, is added here.
ENGINES = ["local", "store", pytest.param("ray", marks=pytest.mark.ray)]
HINDSIGHT = 2**61
MANY = 1000  # events; the naive loop looks at all of them for every question


def by_name(case: Any) -> str:
    """What a test of a case is called."""
    return str(case.name)


def named(name: str) -> Any:
    """The case of that name."""
    return next(case for case in CASES if case.name == name)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", [case for case in CASES if not case.ask.online], ids=by_name)
def test_a_training_set_is_right(case: Any, engine: str, request: pytest.FixtureRequest) -> None:
    if engine == "ray":
        request.getfixturevalue("ray_cluster")
    found = wire.reply(lambda asked: adapter.answer(asked, engine), {}, travelled(case))
    assert verdict.judge(case, found) == verdict.Verdict("right")


@pytest.mark.parametrize("case", [case for case in CASES if case.ask.online], ids=by_name)
def test_what_is_served_is_right(case: Any) -> None:
    found = wire.reply(adapter.answer, {}, travelled(case))
    assert verdict.judge(case, found) == verdict.Verdict("right")


def travelled(case: Any) -> Any:
    """The case as it comes out at the other end."""
    return json.loads(json.dumps(case.as_json()))


@pytest.mark.parametrize("case", [case for case in CASES if len(case.events.rows) <= MANY], ids=by_name)
def test_the_answers_written_by_hand_are_those_of_the_naive_loop(case: Any) -> None:
    events = [*rows_of(case.events), *(rows_of(case.pushed) if case.pushed else [])]
    rows = [as_row(number, row, case.ask) for number, row in enumerate(events)]
    questions = rows_of(case.spine)
    known = HINDSIGHT if case.ask.known_at == "latest" else None
    found = [
        naive.answer(rows, as_ask(case.ask), row, naive.micros(utc(row["time"])), known).value for row in questions
    ]
    differences = [
        (row, value, wanted)
        for row, value, wanted in zip(questions, found, case.expected, strict=True)
        if not verdict.agree(wire.plain(value), wire.plain(wanted), exact=False)
    ]
    assert differences == []


def rows_of(given: Any) -> list[dict[str, Any]]:
    """The rows of a table as its types have them."""
    return list(wire.arrow({"columns": given.columns, "rows": given.rows}).to_pylist())


def utc(time: Any) -> Any:
    """A naive time is UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def as_row(number: int, row: dict[str, Any], ask: Any) -> naive.Row:
    """One event for the naive loop."""
    return naive.Row(
        event_time=naive.micros(utc(row["time"])),
        keys=row,
        values=row,
        sequence=number,
        known_time=naive.micros(row["known"]) if ask.known else None,
        row_id=row["row"] if ask.row else None,
        deleted=bool(row.get("gone")),
    )


def as_ask(ask: Any) -> naive.Ask:
    """The question for the naive loop."""
    width = wire.microseconds(ask.window) if ask.window else None
    window = naive.Window(width, wire.microseconds(ask.delay), ask.closed)
    return naive.Ask(ask.fold, "value", window, ask.keys, ttl=wire.microseconds(ask.ttl) if ask.ttl else None)


def test_every_rule_of_the_law_has_a_case() -> None:
    assert {case.rule for case in CASES} == set(range(1, 10))


def test_no_two_cases_have_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_documentation_shows_every_case() -> None:
    page = (ROOT / "docs" / "conformance.md").read_text()
    assert [case.name for case in CASES if f"| {case.rule} | {case.name} |" not in page] == []


PLAIN = named("the order of rows is kept")
RIGHT_ROWS = [[0, 20], [1, 10], [2, 30]]


def judged(case: Any, rows: list[list[Any]]) -> tuple[str, str]:
    """The verdict on these values by the spine's numbers."""
    answer = {"columns": [*case.spine.columns, "found"], "rows": [[*case.spine.rows[n], value] for n, value in rows]}
    found = verdict.judge(case, answer)
    return found.kind, found.why


@pytest.mark.parametrize(
    "rows, kind, why",
    [
        (RIGHT_ROWS, "right", ""),
        (RIGHT_ROWS[1:], "wrong", "1 of 3 rows lost (row 0 is the first)"),
        ([*RIGHT_ROWS, [1, 10]], "wrong", "1 rows are there more than once"),
        ([[0, 20], [1, 11], [2, 30]], "wrong", "row 1: 11, by the law 10"),
        ([[0, 20], [1, None], [2, 30]], "wrong", "row 1: null, by the law 10"),
        ([[1, 10], [0, 20], [2, 30]], "wrong", "rows in another order: 1, 0, 2, ..."),
        ([[0, 20.0], [1, 10.0], [2, 30.0]], "right", ""),
        ([[0, True], [1, 10], [2, 30]], "wrong", "row 0: True, by the law 20"),
    ],
)
def test_the_judge_sees_what_is_wrong(rows: list[list[Any]], kind: str, why: str) -> None:
    found = judged(PLAIN, rows)
    assert found[0] == kind
    assert found[1].startswith(why)


def test_rows_in_another_order_are_right_where_order_is_not_asked() -> None:
    assert judged(replace(PLAIN, judged="values"), RIGHT_ROWS[::-1])[0] == "right"


@pytest.mark.parametrize("rows", [[[0, None], [1, None]], [[0, "nan"], [1, "nan"]], [[0, "inf"], [1, None]]])
def test_a_null_is_no_nan(rows: list[list[Any]]) -> None:
    assert judged(named("the latest NaN stays NaN"), rows)[0] == "wrong"


def test_a_lost_duplicate_is_seen() -> None:
    case = named("duplicates in the spine are kept")
    one, two = ["2026-01-05 11:00:00+00:00", 10], ["2026-01-05 11:00:00+00:00", 20]
    rows = [[1, *one], [2, *two], [1, *one]]
    found = verdict.judge(case, {"columns": ["key", "time", "found"], "rows": rows})
    assert found.why.startswith("3 rows instead of 4; no row key 1, time")


def test_a_tool_in_a_process_of_its_own_answers() -> None:
    with session.Session(tools.Tool("duckdb", "", "with_duckdb"), Path(sys.executable)) as duckdb:
        assert duckdb.ask(PLAIN).kind == "right"
        assert duckdb.ask(named("a row known late is seen from then on")).kind == "n/a"


@pytest.mark.parametrize("peer", ["pandas", "polars", "duckdb"])
@pytest.mark.parametrize(
    "name",
    ["the latest event before the time asked is found", "a window closed on the left has its start and not its end"],
)
def test_a_peer_that_is_installed_here_can_be_asked(name: str, peer: str) -> None:
    asked = importlib.import_module(f"conformance.adapters.with_{peer}")
    found = wire.reply(asked.answer, asked.LACKS, travelled(named(name)))
    assert verdict.judge(named(name), found) == verdict.Verdict("right")


def test_a_tool_that_takes_too_long_is_begun_anew() -> None:
    with session.Session(tools.Tool("duckdb", "", "with_duckdb"), Path(sys.executable)) as duckdb:
        kinds = [duckdb.ask(case).kind for case in (PLAIN, replace(PLAIN, limit_s=0.0), PLAIN)]
    assert kinds == ["right", "error", "right"]


def test_a_tool_that_dies_is_an_error_with_its_last_words() -> None:
    with session.Session(tools.Tool("none", "", "with_nothing"), Path(sys.executable)) as none:
        found = none.ask(PLAIN)
    assert found.kind == "error"
    assert "No module named" in found.why


def test_an_error_of_a_tool_is_its_answer() -> None:
    broken = replace(PLAIN, events=table("key time", (1, "2026-01-05 12:00")))
    found = wire.reply(adapter.answer, {}, travelled(broken))
    assert found["error"].startswith("UnknownColumn: source 'events' has no column 'value'.")


@pytest.mark.slow
def test_what_cannot_be_installed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOWTHEN_CONFORMANCE_CACHE", str(tmp_path / "cache"))
    missing = tools.Tool("none", "", "none", environment="none", installs=(str(tmp_path / "no_such_package"),))
    with pytest.raises(environments.CannotInstall, match="no_such_package"):
        environments.interpreter(missing)
