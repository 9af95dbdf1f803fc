"""Every engine of the races gives the values of a brute force, on data small enough for a test; and the generated data are what they are said to be."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
WINDOWS = ["1h", "7d", "forever"]
JOIN = ("nowthen", "nowthen-store", "nowthen-file", "polars", "polars-streaming", "duckdb", "pandas")
FOLDS = ("nowthen", "nowthen-store", "nowthen-file", "polars", "polars-over", "duckdb")


def module(name: str) -> ModuleType:
    """A file of the benchmarks, which are no package."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few keys, one of which has a third of the rows; half of the times are cut to the hour, so that many are equal."""
    folder = tmp_path_factory.mktemp("travel")
    travel_data = module("travel_data")
    travel_data.write_all(travel_data.Size(events=20_000, spine=2_000), 0.3, folder)
    for path in folder.glob("*.parquet"):
        even = pl.int_range(pl.len()) % 2 == 0
        rows = pl.read_parquet(path)
        rows.with_columns(time=pl.when(even).then(pl.col("time").dt.truncate("1h")).otherwise("time")).write_parquet(
            path
        )
    return folder


def values(workload: str, engine: str, data: Path, **options: Any) -> pl.DataFrame:
    """What an engine's way through a workload gives."""
    run_engine = module("run_engine")
    way = run_engine.WORKLOADS[workload][engine]
    found: pl.DataFrame = run_engine.frame_of(module(way.module).prepare(data, way.variant, **options)())
    return found


@pytest.mark.parametrize("engine", JOIN)
def test_an_engine_joins_what_the_brute_force_finds(data: Path, engine: str) -> None:
    join = module("join")
    found, expected = values("join", engine, data), join.expected(data)
    assert module("agreement").differing(found, expected, "label", exact=join.VALUES, near=()) == 0


@pytest.mark.parametrize("engine", FOLDS)
def test_an_engine_folds_what_the_brute_force_finds(data: Path, engine: str) -> None:
    told = module("windows_columns")
    folds = list(told.COLUMNS)
    found = values("windows", engine, data, windows=WINDOWS, folds=folds)
    expected = module("windows").expected(data, WINDOWS, folds)
    exact = [told.name(fold, window) for fold in told.EXACT for window in WINDOWS]
    near = [name for name in expected.columns if name not in (*exact, "label")]
    assert module("agreement").differing(found, expected, "label", exact=exact, near=near) == 0


def test_a_value_that_differs_is_counted(data: Path) -> None:
    join = module("join")
    expected = join.expected(data)
    row = expected["label"][0]
    found = expected.with_columns(amount=pl.when(pl.col("label") == row).then(-1.0).otherwise("amount"))
    assert module("agreement").differing(found, expected, "label", exact=join.VALUES, near=()) == 1


def test_the_sample_holds_rows_on_both_ends_of_a_window(data: Path) -> None:
    travel = module("travel")
    rows = travel.sample(data, "a")
    events = pl.scan_parquet(data / "a.parquet").select("key", "time")
    assert [us for us in module("travel_data").EDGES_US if travel.on_edge(rows, events, us).is_empty()] == []


def test_equal_arguments_give_equal_files(tmp_path: Path) -> None:
    travel_data = module("travel_data")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        travel_data.write_all(travel_data.Size(events=3_000, spine=300), 0.0, tmp_path / name)
    files = [path.name for path in (tmp_path / "one").iterdir()]
    frames = [[pl.read_parquet(tmp_path / name / file) for file in files] for name in ("one", "two")]
    assert [file for file, one, two in zip(files, *frames, strict=True) if not one.equals(two)] == []


def test_a_hot_key_has_its_share_of_the_rows(data: Path) -> None:
    keys = pl.read_parquet(data / "b.parquet")["key"]
    share = keys.value_counts(sort=True)["count"][0] / len(keys)
    assert share == pytest.approx(0.3, abs=0.02)


def test_a_process_that_says_nothing_for_too_long_is_ended(tmp_path: Path) -> None:
    measure = module("measure")
    job = measure.Job("join", "polars", tmp_path, tmp_path / "values.parquet")
    with pytest.raises(measure.TookTooLong):
        measure.listen(job, [sys.executable, "-c", "import time; time.sleep(60)"], 1, 0.3)


@pytest.mark.parametrize(
    "step, engine", [("ingest", "polars"), ("ingest", "nowthen"), ("replace", "polars"), ("replace", "nowthen")]
)
def test_an_engine_stores_every_row(tmp_path: Path, step: str, engine: str) -> None:
    module("store_data").write(20_000, tmp_path / "a.parquet")
    way = module("run_engine").WORKLOADS[f"store-{step}"][engine]
    run = module(way.module).prepare(tmp_path, way.variant)
    assert [run()["rows"][0] for _ in range(2)] == [20_000, 20_000]


def test_a_version_of_a_store_has_the_rows_it_had(tmp_path: Path) -> None:
    module("store_data").write(100, tmp_path / "a.parquet")
    assert module("store_nowthen").prepare(tmp_path, "versions", versions=5)()["rows"][0] == 0


@pytest.mark.parametrize("engine", ["polars", "nowthen"])
def test_an_engine_reads_what_it_stored(tmp_path: Path, engine: str) -> None:
    store_data = module("store_data")
    store_data.write(5_000, tmp_path / "a.parquet")
    way = module("run_engine").WORKLOADS["store-scan"][engine]
    found = module(way.module).prepare(tmp_path, way.variant)()
    assert store_data.differing(found, store_data.summary(pl.read_parquet(tmp_path / "a.parquet"))) == 0


def test_growth_is_shown_for_both_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    growth, sizes = module("growth"), module("travel_data")
    for name, rows in (("S", 2_000), ("M", 20_000)):
        monkeypatch.setitem(sizes.SIZES, name, sizes.Size(rows, rows // 10))
    asked = "--sizes S M --turns 1 --runs 2 --engines nowthen-file"
    monkeypatch.setattr(
        sys,
        "argv",
        ["growth.py", *asked.split(), "--cache", str(tmp_path), "--json", str(tmp_path / "found.json")],
    )
    growth.main()
    found = json.loads((tmp_path / "found.json").read_text())["engines"]["nowthen-file"]
    assert [(turns["size"], len(turns["costs"][0]["wall_s"])) for turns in found] == [("S", 2), ("M", 2)]
    assert "M over S, 10 times the rows" in capsys.readouterr().out


def test_the_store_race_runs_from_the_command_line(tmp_path: Path) -> None:
    command: list[str | Path] = [
        sys.executable,
        BENCHMARKS / "store.py",
        "--rows",
        "2000",
        "--runs",
        "1",
        "--steps",
        "ingest",
    ]
    done = subprocess.run(
        [*command, "--cache", tmp_path, "--json", tmp_path / "found.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    engines = json.loads((tmp_path / "found.json").read_text())["engines"]
    assert [engine["engine"] for engine in engines][:2] == ["nowthen", "polars"]
