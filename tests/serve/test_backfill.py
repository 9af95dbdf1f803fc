"""`nowthen backfill`: the file it writes, what it says, and how it goes on after it was stopped."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

import nowthen as nt
from nowthen.engine.running import executor
from nowthen.serve import backfill_run
from nowthen.serve.cli import main
from nowthen.serve.definitions import load

from . import bank

DEFINITIONS = """
import polars as pl
import nowthen as nt

customer = nt.Entity("customer", keys={"customer_id": pl.Int64})
shop = nt.Entity("shop", keys={"shop": pl.String})
tx = nt.Source("tx", nt.Parquet("tx.parquet"), event_time="time", entities=[customer, shop], row_id="id")
visits = nt.Source("visits", nt.Csv("visits.csv"), event_time="time", entities=[shop])
request = nt.Request({"amount": pl.Float64})

class Spend(nt.FeatureView, entity=customer):
    count_1d = tx.count().over("1d")
    mean_7d = tx.amount.mean().over("7d")

class Shops(nt.FeatureView, entity=shop):
    sold_7d = tx.amount.sum().over("7d")

class Visits(nt.FeatureView, entity=shop):
    visits_1d = visits.count().over("1d")

class Both(nt.FeatureView, entity=[customer, shop]):
    pair_7d = tx.count().over("7d")

class Ratio(nt.FeatureView, entity=customer):
    ratio = request.amount / Spend.mean_7d

class Everybody(nt.FeatureView, entity=[]):
    all_1d = tx.count().over("1d")

model = nt.FeatureService("model", [Spend, Shops])
"""
SPINE = ("--spine", "asked.parquet", "--at", "at")
GRID = ("--from", "2024-03-10", "--to", "2024-03-12")
OUT = ("--out", "out.parquet")


@pytest.fixture(autouse=True)
def unconnected(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Ray is connected to this process, though other tests may have started one."""
    if "ray" not in request.keywords:
        monkeypatch.setattr(executor, "_connected", lambda: False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("NOWTHEN_STORE", "NOWTHEN_DEFINITIONS", "RAY_JOB_CONFIG_JSON_ENV_VAR", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bank_features.py").write_text(DEFINITIONS)
    (tmp_path / "pyproject.toml").write_text('[tool.nowthen]\ndefinitions = "bank_features.py"\n')
    (tmp_path / "visits.csv").write_text("shop,time\nbar,2024-03-10T09:00:00\nbar,2024-03-10T10:00:00\n")
    bank.transactions().write_parquet("tx.parquet")
    bank.asked().write_parquet("asked.parquet")
    return tmp_path


def ran(*args: str, code: int = 0) -> Any:
    result = CliRunner().invoke(main, ["backfill", *args])
    assert result.exit_code == code, result.output
    return result


def facts(*args: str, code: int = 0) -> Any:
    """What the command prints as JSON: all that is on standard output."""
    return json.loads(ran(*args, "--json", code=code).stdout)


def collected(target: str, spine: pl.DataFrame, known_at: Any = None, **how: Any) -> pl.DataFrame:
    """The same by the library."""
    found = load("bank_features.py")
    features: Any = {**found.views, **found.services}[target]
    return nt.training_set(spine, features, at="at", known_at=known_at).collect(engine="local", **how)


def written() -> pl.DataFrame:
    return pl.read_parquet("out.parquet")


def test_a_spine_is_filled_row_by_row(folder: Path) -> None:
    said = facts("model", *SPINE, *OUT)
    assert (said["rows"], said["file"], said["engine"]) == (40, "out.parquet", "local")
    assert_frame_equal(written(), collected("model", bank.asked()), check_exact=True)


def test_a_grid_is_over_all_keys_that_rows_of_the_sources_have_together(folder: Path) -> None:
    ran("model", *GRID, "--every", "12h", *OUT)
    pairs = bank.transactions().select("customer_id", "shop").unique().sort("customer_id", "shop")
    asked = nt.grid(pairs, "2024-03-10", "2024-03-12", every="12h")
    assert_frame_equal(written(), collected("model", asked), check_exact=True)


def test_a_null_key_is_in_no_grid(folder: Path) -> None:
    rows = bank.transactions().with_columns(shop=pl.when(pl.col("shop") != "bar").then("shop"))
    rows.write_parquet("tx.parquet")
    ran("shops", *GRID, *OUT)
    assert written()["shop"].unique().sort().to_list() == ["bakery", "books"]


def test_a_grid_can_be_over_given_keys(folder: Path) -> None:
    pl.DataFrame({"customer_id": [3, 99]}).write_csv("keys.csv")
    ran("spend", *GRID, "--keys", "keys.csv", *OUT)
    asked = nt.grid({"customer_id": [3, 99]}, "2024-03-10", "2024-03-12", every="1d")
    assert_frame_equal(written(), collected("spend", asked), check_exact=True)


def test_keys_may_bring_request_fields_along(folder: Path) -> None:
    keys = pl.DataFrame({"customer_id": [3], "amount": [10.0]})
    keys.write_parquet("keys.parquet")
    ran("ratio", *GRID, "--keys", "keys.parquet", *OUT)
    asked = nt.grid(keys, "2024-03-10", "2024-03-12", every="1d")
    assert_frame_equal(written(), collected("ratio", asked), check_exact=True)


def test_a_global_view_has_a_row_for_each_time(folder: Path) -> None:
    ran("everybody", *GRID, *OUT)
    assert_frame_equal(written(), collected("everybody", nt.grid({}, "2024-03-10", "2024-03-12", every="1d")))


def test_a_view_of_a_service_is_found_where_no_name_holds_it(folder: Path) -> None:
    Path("bank_features.py").write_text(DEFINITIONS + "\ndel Shops\n")
    ran("shops:sold_7d", *SPINE, *OUT)
    assert written().columns == [*bank.asked().columns, "sold_7d"]


def test_statuses_and_full_names_are_written_where_asked_for(folder: Path) -> None:
    ran("spend", *SPINE, *OUT, "--status", "--full-names")
    made = ["spend__count_1d", "spend__count_1d__status", "spend__mean_7d", "spend__mean_7d__status"]
    assert sorted(set(written().columns) - set(bank.asked().columns)) == made


@pytest.mark.parametrize("known_at", ["latest", "at", "2024-03-20"])
def test_rows_are_as_known_at_a_column_a_time_or_latest(folder: Path, known_at: str) -> None:
    spine = bank.asked().with_columns(pl.col("at") - pl.duration(days=20))
    spine.write_parquet("asked.parquet")
    Path("bank_features.py").write_text(DEFINITIONS.replace('row_id="id"', 'row_id="id", known_time="known"'))
    bank.transactions().with_columns(known=pl.col("time") + pl.duration(days=3)).write_parquet("tx.parquet")
    ran("model", *SPINE, *OUT, "--known-at", known_at)
    given = datetime.fromisoformat(known_at) if known_at[0] == "2" else known_at
    assert_frame_equal(written(), collected("model", spine, known_at=given), check_exact=True)


def test_with_a_store_its_tables_are_read_and_else_the_sources(folder: Path) -> None:
    tx, store = load("bank_features.py").sources["tx"], nt.connect("store")
    store.apply([load("bank_features.py").services["model"], tx])
    store.ingest(tx)
    store.push("tx", [{**bank.row(), "time": bank.NOW - timedelta(hours=30), "fraud": False}])
    ran("spend", *SPINE, *OUT, "--store", "store")
    stored = store.training_set("asked.parquet", "spend", at="at").collect(engine="local")
    assert_frame_equal(written(), stored, check_exact=True)
    ran("spend", *SPINE, *OUT, "--store", "store", "--sources")
    assert_frame_equal(written(), collected("spend", bank.asked()), check_exact=True)
    assert not written().equals(stored)


def test_a_stores_registry_names_what_no_definitions_do(folder: Path) -> None:
    found = load("bank_features.py")
    store = nt.connect("store")
    store.apply(found.services["model"])
    store.ingest(found.sources["tx"])
    Path("pyproject.toml").unlink()
    version = found.services["model"].version[:10]
    ran(f"model@{version}", *GRID, *OUT, "--store", "store")
    assert written().height == 2 * bank.transactions().select("customer_id", "shop").unique().height
    assert facts("shop", *GRID, *OUT, "--store", "store", code=1)["error"] == "NotFound"


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    "read, args",
    [
        ("asked.parquet", SPINE),
        ("tx.parquet", SPINE),
        ("tx.parquet", ("--spine", "tx.parquet", "--at", "time")),
        ("keys.parquet", (*GRID, "--keys", "keys.parquet")),
    ],
)
def test_a_file_that_is_read_is_not_written_over(
    folder: Path, read: str, args: tuple[str, ...], dry: tuple[str, ...]
) -> None:
    bank.transactions().select("customer_id").write_parquet("keys.parquet")
    before = Path(read).read_bytes()
    (folder / "link.parquet").symlink_to(folder / read)
    for out in (read, f"./{read}", str(folder / read), "link.parquet"):
        assert "is read for these rows" in facts("spend", *args, "--out", out, *dry, code=1)["message"]
    assert Path(read).read_bytes() == before


def test_a_file_that_nothing_reads_is_replaced(folder: Path) -> None:
    Path("out.parquet").write_text("of an earlier day")
    ran("spend", *SPINE, *OUT)
    assert_frame_equal(written(), collected("spend", bank.asked()), check_exact=True)


def test_a_dry_run_shows_the_plan_and_does_nothing(folder: Path, bucketed: None) -> None:
    before = sorted(path.name for path in folder.iterdir())
    said = facts("model", *SPINE, *OUT, "--dry-run", "--workers", "4")
    assert (said["rows"], said["workers"], [read["rows"] for read in said["reads"]]) == (40, 4, [600, 600])
    assert {read["way"] for read in said["reads"]} == {"bucketed"}
    assert "bucketed into" in ran("model", *SPINE, *OUT, "--dry-run", "--workers", "4").stdout
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == before


def test_what_is_not_known_before_rows_are_read_is_not_made_up(folder: Path) -> None:
    said = facts("visits", *SPINE, *OUT, "--dry-run")
    assert (said["seconds"], said["resume"], said["reads"][0]["rows"]) == (None, None, None)


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def stopped() -> Any:
    """What a run says whose steps are done and kept, when the disk is full as their rows are written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pyarrow.parquet.ParquetWriter", full_disk)
        return ran("model", *SPINE, *OUT, code=1)


def test_a_run_that_was_stopped_goes_on(folder: Path, bucketed: None) -> None:
    said = stopped().stderr
    assert "no space is left to write out.parquet" in said
    assert "Finished work is kept in out.parquet.resume" in said
    assert "An earlier run was stopped" in ran("model", *SPINE, *OUT).stderr
    assert_frame_equal(written(), collected("model", bank.asked()), check_exact=True)
    assert not Path("out.parquet.resume").exists()


def test_a_fresh_run_forgets_what_was_done(folder: Path, bucketed: None) -> None:
    stopped()
    kept = list(Path("out.parquet.resume").glob("*.arrow"))
    assert kept
    for path in kept:
        path.write_bytes(b"nothing of this may be read")
    said = ran("model", *SPINE, *OUT, "--fresh").stderr
    assert "An earlier run" not in said
    assert_frame_equal(written(), collected("model", bank.asked()), check_exact=True)


def test_where_nothing_can_be_written_is_said_before_anything_runs(folder: Path) -> None:
    said = ran("model", *SPINE, "--out", f"{'x' * 235}.parquet", code=1).stderr
    assert "written" in said.splitlines()[-1]
    assert "Finished work" not in said


def test_a_run_that_did_nothing_leaves_nothing(folder: Path) -> None:
    assert facts("model", *SPINE, *OUT, "--deadline", "1us", code=1)["error"] == "Deadline"
    assert [path.name for path in folder.iterdir() if path.name.startswith("out")] == []


def test_a_folder_with_other_files_is_not_taken_for_a_runs(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "work.txt").write_text("years of it")
    assert "other files" in facts("model", *SPINE, *OUT, "--resume", "mine", code=1)["message"]
    assert (folder / "mine" / "work.txt").read_text() == "years of it"


def test_rows_that_may_change_are_read_without_a_way_back(folder: Path) -> None:
    assert "cannot resume after a stop" in ran("visits", *SPINE, *OUT).stderr
    assert facts("visits", *SPINE, *OUT, "--resume", "kept", code=1)["error"] == "Invalid"


@pytest.mark.ray
@pytest.mark.parametrize("engine, job", [("ray", False), ("auto", True)])
def test_on_ray_the_file_is_the_same(
    folder: Path, ray_cluster: Any, monkeypatch: pytest.MonkeyPatch, engine: str, job: bool
) -> None:
    if job:
        monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    out = ("--out", str(folder / "out.parquet"), "--engine", engine)
    said = facts("model", *SPINE, *out)
    assert said["engine"] == "ray"
    assert_frame_equal(written(), collected("model", bank.asked()), check_exact=True)


@pytest.mark.ray
def test_a_ray_that_is_not_there_is_a_line(folder: Path) -> None:
    command = [sys.executable, "-m", "nowthen.serve.cli", "backfill", "model", *SPINE, *OUT, "--engine", "ray"]
    env = {**os.environ, "RAY_ADDRESS": "http://127.0.0.1:1"}
    found = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].startswith("Unavailable: no Ray at http://127.0.0.1:1: ")
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_order(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(typer.Exit) as stopped, backfill_run.stoppable():
        signal.raise_signal(number)
    assert stopped.value.exit_code == code
    assert signal.getsignal(number) == before


def test_a_job_writes_where_it_can_be_found_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert "absolute path" in facts("model", *SPINE, *OUT, code=1)["message"]
    out = ("--out", str(folder / "out.parquet"), "--engine", "local")
    assert "absolute path" in facts("model", *SPINE, *out, "--resume", "kept", code=1)["message"]
    assert facts("model", *SPINE, *out)["rows"] == 40


@pytest.mark.parametrize(
    "args, says",
    [
        (("modell", *SPINE), "Did you mean 'model'"),
        (("shops:sold", *SPINE), "Did you mean 'sold_7d'"),
        (("model:sold_7d", *SPINE), "no view 'model'"),
        (("model",), "which rows?"),
        (("model", "--from", "2024-03-10"), "which rows?"),
        (("model", "--spine", "asked.parquet"), "--at COLUMN"),
        (("model", *SPINE, "--from", "2024-03-10"), "only for a grid"),
        (("model", *GRID, "--at", "at"), "--at names a column"),
        (("model", *GRID, "--every", "soon"), "is not a duration"),
        (("ratio", *GRID), "request field 'amount'"),
        (("visits", *GRID, "--keys", "gone.csv"), "gone.csv"),
        (("model", *GRID, "--keys", "visits.csv"), "no key column 'customer_id'"),
        (("spend", "--from", "2000-01-01", "--to", "2024-01-01", "--every", "1s", "--memory", "64MiB"), "memory is"),
        (("model", *SPINE, "--at", "amount"), "is Float64"),
        (("model", *SPINE, "--known-at", "never"), "an ISO time or 'latest'"),
        (("model", *SPINE, "--engine", "spark"), "'auto', 'local' or 'ray'"),
        (("model", *SPINE, "--memory", "lots"), "is no size"),
        (("model", *SPINE, "--workers", "0"), "at least one"),
        (("model", *SPINE, "--deadline", "never"), "is not a duration"),
        (("model", *SPINE, "--out", "gone/out.parquet"), "no folder 'gone'"),
        (("model", *SPINE, "--out", "out.csv"), "must name a .parquet file"),
        (("spend", *SPINE, "--store", "tx.parquet"), "is a file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(folder: Path, args: tuple[str, ...], says: str) -> None:
    result = ran(*OUT, *args, code=1)
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert not Path("out.parquet").exists()


def test_a_view_on_keys_that_no_source_has_together_needs_its_keys(folder: Path) -> None:
    view = """
class Mixed(nt.FeatureView, entity=[customer, shop]):
    both = Spend.count_1d + Visits.visits_1d
"""
    lonely = DEFINITIONS.replace("entities=[customer, shop]", "entities=[customer]")
    lonely = lonely[: lonely.index("class Shops")] + lonely[lonely.index("class Visits") : lonely.index("class Both")]
    Path("bank_features.py").write_text(lonely + view)
    assert "which keys?" in facts("mixed", *GRID, *OUT, code=1)["message"]
