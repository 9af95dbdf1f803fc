"""`nowthen backfill` as a job on a Ray cluster that asks for a token, submitted as docs/jobs.md says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.serve.definitions import load

from .head import Head, head

pytestmark = [pytest.mark.ray, pytest.mark.slow]

EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud"
# What stands in the folder that is submitted: the demo's definitions over a file on a disk that all nodes share.
DEFINITIONS = """
import features

transactions = features.source({path!r})
fraud_model = features.define(transactions)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for data that driver and workers see."""
    folder = tmp_path_factory.mktemp("shared")
    generate = [sys.executable, str(EXAMPLE / "generate.py"), str(folder / "transactions.parquet"), "--rows", "20000"]
    subprocess.run(generate, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def project(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is submitted."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(EXAMPLE / "features.py", folder)
    (folder / "fraud.py").write_text(DEFINITIONS.format(path=str(shared / "transactions.parquet")))
    return folder


@pytest.fixture(scope="module")
def cluster_head() -> Iterator[Head]:
    with head() as running:
        yield running


def submitted(at: Head, project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A job's log, followed to its end, and the exit code of the submission."""
    return at.ray("job", "submit", "--working-dir", str(project), "--", "nowthen", "backfill", *command)


def jobs(at: Head) -> set[str]:
    """The ids of all jobs that were submitted, by somebody who may ask."""
    ran = at.ray("job", "list")
    assert ran.returncode == 0, ran.stdout
    return set(re.findall(r"submission_id='(\w+)'", ran.stdout))


def test_a_job_fills_the_same_file_as_this_process(
    cluster_head: Head, project: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spine, out = shared / "transactions.parquet", shared / "out.parquet"
    rows = ("--spine", str(spine), "--at", "tx_datetime", "--out", str(out))
    ran = submitted(cluster_head, project, "fraud_model", "--definitions", "fraud", *rows)
    assert ran.returncode == 0, ran.stdout
    assert f"backfill fraud_model: 15 features into {out}, on Ray, workers: 2" in ran.stdout.splitlines()
    assert len(jobs(cluster_head)) == 1
    assert any(line.startswith("20,000 rows in ") and line.endswith(str(out)) for line in ran.stdout.splitlines())
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(str(project))
    here = nt.training_set(spine, load("fraud").services["fraud_model"], at="tx_datetime").collect(engine="local")
    assert_frame_equal(pl.read_parquet(out), here, check_exact=True)
    assert not out.with_name("out.parquet.resume").exists()


def test_a_job_goes_on_where_another_one_ended(cluster_head: Head, project: Path, shared: Path) -> None:
    # The name is too long for the file that is written aside: the steps are done and kept, the writing fails.
    spine, long = shared / "transactions.parquet", shared / f"{'x' * 235}.parquet"
    rows = ("fraud_model", "--definitions", "fraud", "--spine", str(spine), "--at", "tx_datetime")
    stopped = submitted(cluster_head, project, *rows, "--out", str(long))
    assert stopped.returncode != 0
    assert f"Finished work is kept in {long}.resume" in stopped.stdout
    ran = submitted(cluster_head, project, *rows, "--out", str(shared / "again.parquet"), "--resume", f"{long}.resume")
    assert ran.returncode == 0, ran.stdout
    assert f"An earlier run was stopped; the work it finished is taken from {long}.resume" in ran.stdout
    assert pl.read_parquet(shared / "again.parquet").height == 20_000
    assert not Path(f"{long}.resume").exists()


def test_a_job_that_fails_says_why_in_a_line_and_with_its_exit_code(
    cluster_head: Head, project: Path, shared: Path
) -> None:
    grid = ("--from", "2018-04-05", "--to", "2018-04-08", "--out", str(shared / "none.parquet"))
    ran = submitted(cluster_head, project, "customer_spent", "--definitions", "fraud", *grid)
    assert ran.returncode != 0
    assert "failed with exit code 1" in ran.stdout
    found = "NotFound: the definitions have no service or view 'customer_spent'. Did you mean 'customer_spend'?"
    assert any(line.startswith(found) for line in ran.stdout.splitlines())
    assert "Traceback" not in ran.stdout
    assert not (shared / "none.parquet").exists()


@pytest.mark.parametrize("mode", [{}, {"RAY_AUTH_MODE": "token"}])
def test_nothing_is_taken_without_the_token(
    cluster_head: Head, project: Path, shared: Path, tmp_path: Path, mode: dict[str, str]
) -> None:
    stranger = {name: value for name, value in cluster_head.env.items() if not name.startswith("RAY_")}
    before = jobs(cluster_head)
    command = ("job", "submit", "--working-dir", str(project), "--", "touch", str(shared / "touched"))
    ran = cluster_head.ray(*command, env={**stranger, **mode, "HOME": str(tmp_path)})
    assert ran.returncode != 0
    assert "AuthenticationError" in ran.stdout
    assert jobs(cluster_head) == before
    assert not (shared / "touched").exists()
