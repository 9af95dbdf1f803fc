"""`nowthen backfill` without --out: into the store's own feature tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

import nowthen as nt
from nowthen.engine.running import executor
from nowthen.serve.cli import main
from nowthen.serve.definitions import load

from . import bank
from .test_backfill import DEFINITIONS

GRID = ("--from", "2024-03-10", "--to", "2024-03-12", "--every", "12h")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with the bank's transactions, and its definitions beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(executor, "_connected", lambda: False)
    for name in ("NOWTHEN_STORE", "NOWTHEN_DEFINITIONS", "RAY_JOB_CONFIG_JSON_ENV_VAR", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bank_features.py").write_text(DEFINITIONS)
    (tmp_path / "pyproject.toml").write_text('[tool.nowthen]\ndefinitions = "bank_features.py"\nstore = "store"\n')
    (tmp_path / "visits.csv").write_text("shop,time\nbar,2024-03-10T09:00:00\n")
    bank.transactions().write_parquet("tx.parquet")
    bank.asked().write_parquet("asked.parquet")
    found = load("bank_features.py")
    store = nt.connect("store")
    store.apply([found.services["model"], found.sources["tx"]])
    store.ingest(found.sources["tx"])
    return tmp_path


def ran(*args: str, code: int = 0) -> Any:
    result = CliRunner().invoke(main, ["backfill", *args])
    assert result.exit_code == code, result.output
    return result


def facts(*args: str, code: int = 0) -> Any:
    return json.loads(ran(*args, "--json", code=code).stdout)


def test_the_values_of_a_grid_are_in_the_store(folder: Path) -> None:
    said = facts("model", *GRID)
    store = nt.connect("store")
    found = store.scan("spend").collect()
    assert said["values"] == {"spend:count_1d": found.height, "spend:mean_7d": found.height, "shops:sold_7d": 12}
    wanted = store.training_set(found.select("customer_id", "at"), "spend", at="at").collect()
    assert_frame_equal(found, wanted, check_exact=True)


def test_the_same_command_again_computes_nothing(folder: Path) -> None:
    ran("model", *GRID)
    assert facts("model", *GRID)["values"] == {}
    assert "nothing was computed" in ran("model", *GRID).stdout


def test_a_dry_run_lists_the_holes(folder: Path) -> None:
    said = facts("spend", *GRID, "--dry-run")
    assert (said["dry_run"], said["holes"][0]["because"]) == (True, "never filled")
    assert "spend on 12h from 2024-03-10 to 2024-03-12" in ran("spend", *GRID, "--dry-run").stdout
    assert "view/spend" not in nt.connect("store").here.ledger.head().names


def test_a_spine_the_events_of_a_source_or_some_keys_can_be_filled(folder: Path) -> None:
    assert facts("spend", "--spine", "asked.parquet", "--at", "at")["rows"] == 40
    assert facts("spend", "--spine", "tx")["rows"] == bank.transactions().height
    pl.DataFrame({"customer_id": [3, 99]}).write_csv("keys.csv")
    assert facts("spend", *GRID, "--keys", "keys.csv")["rows"] == 8


def test_a_store_alone_knows_what_a_name_means(folder: Path) -> None:
    Path("pyproject.toml").unlink()
    assert facts("spend:count_1d", *GRID, "--store", "store")["values"].keys() == {"spend:count_1d"}


@pytest.mark.parametrize(
    "args, says",
    [
        (("spend",), "which rows?"),
        (("spend", *GRID, "--status"), "--status is for files"),
        (("spend", *GRID, "--sources"), "--sources is for files"),
        (("spend", *GRID, "--resume", "kept"), "--resume is for files"),
        (("spend", *GRID, "--known-at", "latest"), "--known-at is for files"),
        (("spent", *GRID), "Did you mean 'spend'"),
        (("spend", *GRID, "--workers", "0"), "at least one"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(folder: Path, args: tuple[str, ...], says: str) -> None:
    result = ran(*args, code=1)
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_without_a_store_it_says_what_is_missing(folder: Path) -> None:
    Path("pyproject.toml").write_text('[tool.nowthen]\ndefinitions = "bank_features.py"\n')
    assert "which store?" in ran("spend", *GRID, code=1).stderr


def test_a_job_needs_a_store_that_can_be_found_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert "absolute path" in ran("spend", *GRID, code=1).stderr
    assert facts("spend", *GRID, "--store", str(folder / "store"), "--engine", "local")["tasks"] == 1
