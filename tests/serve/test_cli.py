"""The command line: one line of error, stable exit codes, JSON on all."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from nowthen.serve.cli import main
from nowthen.serve.failure import KINDS
from nowthen.serve.system_errors import typed

from . import bank

DEFINITIONS = """
import polars as pl
import nowthen as nt

customer = nt.Entity("customer", keys={"customer_id": pl.Int64})
tx = nt.Source("tx", nt.Parquet("tx.parquet"), event_time="time", entities=[customer], row_id="id")

class Spend(nt.FeatureView, entity=customer):
    count_1d = tx.count().over("1d")
    WINDOW

spend = nt.FeatureService("spend", [Spend])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOWTHEN_STORE", raising=False)
    monkeypatch.delenv("NOWTHEN_DEFINITIONS", raising=False)
    (tmp_path / "pyproject.toml").write_text('[tool.nowthen]\nstore = "store"\ndefinitions = "bank_features.py"\n')
    define(tmp_path, 'mean_7d = tx.amount.mean().over("7d")')
    bank.transactions().write_parquet("tx.parquet")
    return tmp_path


def define(folder: Path, line: str) -> None:
    (folder / "bank_features.py").write_text(DEFINITIONS.replace("WINDOW", line))


def run(*args: str, code: int = 0, given: str | None = None) -> Any:
    """What a command prints as JSON; its exit code is checked."""
    result = CliRunner().invoke(main, [*args, "--json"], input=given)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_a_plan_exits_by_what_it_would_do(folder: Path) -> None:
    assert {change["state"] for change in run("plan", code=2)} == {"new"}
    run("apply")
    assert {change["state"] for change in run("plan")} == {"unchanged"}
    define(folder, 'mean_7d = tx.amount.mean().over("8d")')
    assert "~mean_7d" in " ".join(change["detail"] for change in run("plan", code=2))
    define(folder, 'mean_7d = tx.amount.mean().over("7d"); more = tx.amount.max().over("7d")')
    assert "+more" in " ".join(change["detail"] for change in run("plan", code=2))


def test_from_definitions_to_an_answer(folder: Path) -> None:
    run("apply")
    assert run("ingest")[0]["new"] == bank.transactions().height
    assert run("snapshot")[0]["service"] == "spend"
    ask = ("get", "spend", '{"customer_id": [3, 4]}', "--at", bank.NOW.isoformat())
    before = run(*ask)["features"]["count_1d"]
    row = {**bank.row(), "time": bank.row()["time"].isoformat(), "fraud": False}
    token = run("push", "tx", "-", given=json.dumps([row]))["token"]
    assert run(*ask, "--after", token)["features"]["count_1d"] == [before[0] + 1, before[1]]


def test_a_file_can_be_pushed(folder: Path) -> None:
    run("apply")
    run("ingest")
    run("snapshot")
    pl.DataFrame([{**bank.row(), "fraud": False}]).write_parquet("more.parquet")
    assert run("push", "tx", "more.parquet")["token"].startswith("tx@")
    assert run("push", "tx", "gone.parquet", code=1)["error"] == "NotFound"


def test_rows_can_be_pushed_as_json_on_the_command_line(folder: Path) -> None:
    run("apply")
    run("ingest")
    row = {**bank.row(), "time": bank.row()["time"].isoformat(), "fraud": False}
    assert run("push", "tx", json.dumps([row]))["token"].startswith("tx@")
    assert run("push", "tx", "[{", code=1)["message"].startswith("the argument ROWS is not valid JSON")


@pytest.mark.parametrize("keys", ["x", "[1]", '{"a": 1, "a": 2}', '{"a": NaN}'])
def test_an_error_in_keys_names_them(folder: Path, keys: str) -> None:
    run("apply")
    run("ingest")
    for command in (("get", "spend", keys), ("forget", "customer", keys, "--yes")):
        assert run(*command, code=1)["message"].startswith("the argument KEYS ")


def test_explain_shows_the_groups_of_folds(folder: Path) -> None:
    facts = run("explain", "spend")
    assert facts["features"]["count_1d"] == "tx.count().over('1d')"
    assert [group["keys"] for group in facts["groups"]] == [["customer_id"]]


def test_explain_shows_the_plan_over_a_spine_and_draws_it(folder: Path) -> None:
    facts = run("explain", "spend", "--spine", "tx.parquet", "--at", "time", "--svg", "plan.svg")
    assert [one["name"] for one in facts["operators"]][:3] == ["Select", "Join", "Spine"]
    assert "wall_s" not in facts
    assert "At 1: by customer_id" in (folder / "plan.svg").read_text()


def test_explain_takes_a_view_or_a_feature_of_it(folder: Path) -> None:
    Path("bank_features.py").write_text(DEFINITIONS.replace("WINDOW", "").replace('"spend", [', '"model", ['))
    seen = run("explain", "spend")
    run("apply")
    (folder / "pyproject.toml").write_text('[tool.nowthen]\nstore = "store"\n')
    assert run("explain", "spend") == seen
    assert seen["view"] == "spend"
    assert list(run("explain", "spend:count_1d")["features"]) == ["count_1d"]
    assert run("explain", "model")["service"] == "model"


def test_explain_without_any_setting_says_both_ways_to_give_one(folder: Path) -> None:
    Path("pyproject.toml").unlink()
    said = run("explain", "spend", code=1)["message"]
    assert "--definitions" in said
    assert "--store" in said


def test_a_picture_without_a_spine_shows_no_names_of_ours(folder: Path) -> None:
    run("explain", "spend", "--svg", "plan.svg")
    drawn = (folder / "plan.svg").read_text()
    assert "__at" not in drawn
    assert "0 rows" not in drawn


def test_explain_draws_a_service_without_a_spine(folder: Path) -> None:
    assert run("explain", "spend", "--svg", "plan.svg")["service"] == "spend"
    assert "Scan 1: tx" in (folder / "plan.svg").read_text()


@pytest.mark.parametrize("place", ["definitions", "store"])
def test_explain_shows_what_a_run_took(folder: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.transactions().write_parquet("asked.parquet")
    if place == "store":
        run("apply")
        run("ingest")
        (folder / "pyproject.toml").write_text('[tool.nowthen]\nstore = "store"\n')
    facts = run("explain", "spend", "--spine", "asked.parquet", "--at", "time", "--analyze", "--engine", "local")
    found = {one["name"]: one for one in facts["operators"]}
    assert found["At 1"]["rows"] == found["Spine"]["rows"] == facts["rows"] == bank.transactions().height
    assert facts["engine"] == "local"


def test_explain_is_text_for_people(folder: Path) -> None:
    asked = ["explain", "spend", "--spine", "tx.parquet", "--at", "time", "--analyze", "--engine", "local"]
    assert CliRunner().invoke(main, asked).stdout.startswith(f"{bank.transactions().height} rows with 2 features in ")


def test_doctor_checks_what_is_configured(folder: Path) -> None:
    assert {"python", "ray", "store", "definitions"} <= {check["name"] for check in run("doctor")}
    (folder / "bank_features.py").write_text("import nowhere_to_be_found")
    assert [check["name"] for check in run("doctor", code=1) if not check["ok"]] == ["definitions"]


@pytest.mark.parametrize(
    "args, error",
    [
        (("get", "nope", "{}"), "NotFound"),
        (("get", "spend", "{"), "Invalid"),
        (("get", "spend", "{}", "--at", "soon"), "Invalid"),
        (("explain", "nope"), "NotFound"),
        (("explain", "spend", "--analyze"), "Invalid"),
        (("explain", "spend", "--at", "time"), "Invalid"),
        (("explain", "spend", "--svg", "no/such/folder/plan.svg"), "Invalid"),
        (("plan", "nope"), "NotFound"),
        (("plan", "--definitions", "gone.py"), "NotFound"),
        (("plan", "--definitions", "no_such_module"), "Invalid"),
        (("apply", "--store", "no/such/folder"), "NotFound"),
        (("get", "spend", "{}", "--url", "nowhere"), "Invalid"),
    ],
)
def test_an_error_is_typed_and_exits_with_1(folder: Path, args: tuple[str, ...], error: str) -> None:
    kind = run(*args, code=1)["error"]
    assert kind in (error, "MissingFile")


def test_an_error_is_one_line_for_people(folder: Path) -> None:
    result = CliRunner().invoke(main, ["get", "nope", "{}"])
    assert result.exit_code == 1
    assert result.stderr.startswith("NotFound: service 'nope' is not published.")
    assert len(result.stderr.splitlines()) == 1


def test_a_file_that_the_system_refuses_is_one_line(folder: Path) -> None:
    long = "x" * 300
    result = CliRunner().invoke(main, ["explain", "spend", "--svg", long])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [f"Invalid: {long}: File name too long. Name another place, or free this one."]
    assert run("explain", "spend", "--svg", long, code=1)["error"] == "Invalid"


@pytest.mark.parametrize(
    "number, error",
    [(errno.ENOSPC, "StorageFull"), (errno.EACCES, "Forbidden"), (errno.ENOENT, "NotFound"), (errno.EIO, "Invalid")],
)
def test_errors_of_the_system_are_typed(number: int, error: str) -> None:
    with pytest.raises(KINDS[error], match=r"plan\.svg: "), typed():
        raise OSError(number, os.strerror(number), "plan.svg")


def test_a_reader_that_went_away_is_no_error_of_ours() -> None:
    with pytest.raises(BrokenPipeError), typed():
        raise BrokenPipeError


def test_serving_has_no_option_that_only_takes_its_default(folder: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--shards", "1"])
    assert result.exit_code == 2
    assert "No such option" in result.output


def test_where_the_store_is_must_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOWTHEN_STORE", raising=False)
    assert "NOWTHEN_STORE" in run("get", "spend", "{}", code=1)["message"]
