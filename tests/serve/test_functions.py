"""The user's functions online: what is served is what training gives, and a function that fails stops nobody else."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.serve.deployment import start, stop
from nowthen.serve.http import gateway
from nowthen.store.store import Store

from . import bank, money

pytestmark = pytest.mark.usefixtures("without_ray")  # its workers have not the modules that are written here

MODULE = """
import nowthen as nt
import polars as pl


@nt.function(returns=pl.Float64)
def root(amount):
    if (amount < 0).any():
        raise ArithmeticError("no root of what is negative")
    return amount.sqrt()


@nt.function(returns=pl.Boolean)
def is_open(shop, *, closed=("books",)):
    return ~shop.is_in(closed)


@nt.function(returns=pl.String)
def words(shop, amount):
    return shop.fill_null("?") + " " + amount.round(3).cast(pl.String).fill_null("?")


@nt.function(returns=pl.Float64)
def strict(amount):
    assert amount.null_count() == 0
    return amount
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The user's module, which this process can import."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "banking.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path / "project")
    importlib.invalidate_caches()
    yield importlib.import_module("banking")
    sys.modules.pop("banking", None)


def source(rows: pl.DataFrame) -> nt.Source:
    customer = nt.Entity("customer", keys={"customer_id": pl.Int64})
    return nt.Source("tx", nt.Frame(rows), event_time="time", entities=[customer], row_id="id")


def service(project: Any, tx: nt.Source) -> nt.FeatureService:
    """Functions on rows, in filters, on features, on features of features, and on the request."""
    customer = tx.spec.entities[0]
    request = nt.Request({"amount": pl.Float64})
    kept = tx.filter(project.is_open(tx.shop))
    spend = nt.feature_view(
        "spend", entity=customer,
        features={
            "roots_7d": project.root(tx.amount).sum().over("7d"),
            "open_3d": kept.amount.mean().over("3d"),
            "last": nt.feature(project.words(tx.shop.last(), tx.amount.last().over("6h")), default="nothing"),
            "gone": nt.feature(project.root(tx.amount.max().over("1h")), default=-1.0),
        },
    )  # fmt: skip
    decision = nt.feature_view(
        "decision", entity=customer, features={"all": project.words(spend.last, request.amount + spend.roots_7d)}
    )
    return nt.FeatureService("roots", [spend, decision])


@pytest.fixture
def store(tmp_path: Path, project: Any) -> Any:
    """A store that has published the service, and a plain one over the same rows."""
    tx = source(bank.transactions().drop("fraud"))
    plain = nt.feature_view("plain", entity=tx.spec.entities[0], features={"count": tx.count().over("7d")})
    store = nt.connect(tmp_path / "store")
    store.apply([service(project, tx), nt.FeatureService("count", [plain])])
    store.ingest(tx)
    store.snapshot("roots")
    store.snapshot("count")
    return store


def asked() -> pl.DataFrame:
    return bank.asked().drop("shop")


def question() -> tuple[dict[str, Any], dict[str, Any]]:
    rows = asked()
    return {"customer_id": rows["customer_id"].to_list()}, {
        "request": {"amount": rows["amount"].to_list()},
        "at": rows["at"].to_list(),
    }


def offline(store: Store) -> pl.DataFrame:
    made = store.training_set(asked(), "roots", at="at").collect(status=True)
    return made.drop(asked().columns)


def test_what_is_served_is_what_training_gives(store: Any) -> None:
    keys, options = question()
    with store.online() as features:
        answer = features.get("roots", keys, **options)
    made = offline(store)
    assert_frame_equal(answer.to_polars(), made.select(answer.to_polars().columns), check_exact=True)
    for name in answer.to_polars().columns:
        assert list(answer.status(name)) == made[f"{name}__status"].to_list()


def test_pushed_rows_go_through_the_same_function(store: Any) -> None:
    keys, options = question()
    with store.online() as features:
        features.push(
            "tx", [bank.row(id=20_000 + n, customer_id=n % 14, amount=n / 7, time=bank.NOW) for n in range(30)]
        )
        answer = features.get("roots", keys, **{**options, "at": bank.NOW})
    made = store.training_set(asked().with_columns(at=bank.NOW), "roots", at="at").collect()
    assert_frame_equal(answer.to_polars(), made.select(answer.to_polars().columns), rel_tol=1e-12)


def test_rows_that_count_for_one_answer_go_through_it_too(store: Any) -> None:
    with store.online() as features:
        keys, options = {"customer_id": 3}, {"request": {"amount": 1.0}, "at": bank.NOW}
        before = features.get("roots", keys, **options).row()["roots_7d"]
        tried = features.get("roots", keys, **options, with_rows={"tx": [bank.row(amount=16.0)]}).row()["roots_7d"]
    assert tried == pytest.approx(before + 4.0, rel=1e-12)


def test_a_new_process_serves_the_same(store: Any, tmp_path: Path) -> None:
    out = tmp_path / "served.parquet"
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'project')!r})\nimport datetime\nimport nowthen as nt\n"
        f"with nt.connect({str(store.root)!r}).online() as features:\n"
        f"    at = datetime.datetime.fromisoformat({bank.NOW.isoformat()!r})\n"
        "    keys = {'customer_id': list(range(14))}\n"
        f"    features.get('roots', keys, request={{'amount': 1.0}}, at=at).to_polars().write_parquet({str(out)!r})\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    spine = pl.DataFrame({"customer_id": range(14), "amount": [1.0] * 14, "at": [bank.NOW] * 14})
    made = store.training_set(spine, "roots", at="at").collect()
    assert_frame_equal(pl.read_parquet(out), made.drop(spine.columns), check_exact=True)


def test_the_shell_finds_it_where_the_definitions_are(store: Any, tmp_path: Path) -> None:
    def shell(*words: str, **given: str) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("NOWTHEN_")}
        command = [sys.executable, "-m", "nowthen.serve.cli", *words, "--store", str(store.root)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path, env={**plain, **given}
        )

    asking = (
        "get",
        "roots",
        '{"customer_id": 3}',
        "--request",
        '{"amount": 1.0}',
        "--at",
        bank.NOW.isoformat(),
        "--json",
    )
    found = shell(*asking, NOWTHEN_DEFINITIONS="project/features.py")
    assert found.returncode == 0, found.stderr
    assert "roots_7d" in found.stdout
    assert "needs module 'banking'" in shell(*asking).stdout


# -- failing --------------------------------------------------------------------------------------------------------------
def test_a_request_that_a_function_fails_for_is_refused_alone(store: Any) -> None:
    request = nt.Request({"amount": pl.Float64})
    project = sys.modules["banking"]
    view = nt.feature_view("asking", entity=[], features={"root": project.root(request.amount)})
    store.apply(nt.FeatureService("asking", [view]))
    store.snapshot("asking")
    with store.online() as features:
        with pytest.raises(nt.FunctionFailed, match="banking:root failed on 2 rows: ArithmeticError"):
            features.get("asking", {}, request={"amount": [1.0, -1.0]})
        assert features.get("asking", {}, request={"amount": [4.0]}).row() == {"root": 2.0}


def test_a_row_that_a_function_fails_for_is_refused_before_it_is_durable(store: Any) -> None:
    with store.online() as features:
        with pytest.raises(nt.FunctionFailed, match="ArithmeticError: no root of what is negative"):
            features.push("tx", [bank.row(amount=-1.0)])
        keys, options = {"customer_id": 3}, {"request": {"amount": 1.0}, "at": bank.NOW}
        with pytest.raises(nt.FunctionFailed, match="ArithmeticError"):
            features.get("roots", keys, **options, with_rows={"tx": [bank.row(amount=-1.0)]}, push=True)
        features.push("tx", [bank.row(amount=1.0)])
        assert features.get("roots", keys, **options).row()["roots_7d"] > 0


def test_a_row_that_came_another_way_stops_the_service_it_fails_and_no_other(store: Any) -> None:
    keys, options = {"customer_id": 3}, {"at": bank.NOW}
    with store.online() as features:
        before = features.get("count", keys, **options).row()["count"]
        store.push("tx", [bank.row(amount=-1.0)])
        assert features.get("count", keys, **options).row()["count"] == before + 1
        for _ in range(2):
            with pytest.raises(nt.FunctionFailed, match="ArithmeticError"):
                features.get("roots", keys, request={"amount": 1.0}, **options)
        store.push("tx", [bank.row(id=10_001)])
        assert features.get("count", keys, **options).row()["count"] == before + 2
    with store.online() as features:
        assert features.get("count", keys, **options).row()["count"] == before + 2
        with pytest.raises(nt.FunctionFailed, match="ArithmeticError"):
            features.get("roots", keys, request={"amount": 1.0}, **options)


def test_a_service_answers_again_once_its_function_is_mended_and_published(store: Any, tmp_path: Path) -> None:
    keys, options = {"customer_id": 3}, {"request": {"amount": 1.0}, "at": bank.NOW}
    with store.online() as features:
        store.push("tx", [bank.row(amount=-1.0)])
        with pytest.raises(nt.FunctionFailed):
            features.get("roots", keys, **options)
        (tmp_path / "project" / "banking.py").write_text(MODULE.replace("(amount < 0).any()", "False"))
        project = importlib.reload(sys.modules["banking"])
        store.apply(service(project, source(bank.transactions().drop("fraud"))))
        store.snapshot("roots")
        assert features.get("roots", keys, **options).row()["open_3d"] > 0


def test_a_module_that_is_gone_stops_the_services_that_need_it_and_no_other(store: Any, tmp_path: Path) -> None:
    (tmp_path / "project" / "banking.py").unlink()
    del sys.modules["banking"]
    importlib.invalidate_caches()
    with store.online() as features:
        assert features.get("count", {"customer_id": 3}, at=bank.NOW).row()["count"] > 0
        with pytest.raises(nt.NotFound, match=r"'banking:[a-z_]+' needs module 'banking', which is not installed here"):
            features.get("roots", {"customer_id": 3}, request={"amount": 1.0}, at=bank.NOW)


def test_a_function_that_takes_no_nulls_serves_those_who_give_none(store: Any) -> None:
    request = nt.Request({"amount": pl.Float64})
    view = nt.feature_view("asking", entity=[], features={"same": sys.modules["banking"].strict(request.amount)})
    store.apply(nt.FeatureService("asking", [view]))
    store.snapshot("asking")
    with store.online() as features:
        assert features.get("asking", {}, request={"amount": 4.0}).row() == {"same": 4.0}


def test_over_http_it_is_a_bad_request_that_says_why(store: Any) -> None:
    from fastapi.testclient import TestClient

    body = {
        "service": "roots",
        "keys": {"customer_id": 3},
        "with_rows": {"tx": [bank.row(amount=-1.0, time=bank.NOW.isoformat())]},
    }
    with store.online() as features, TestClient(gateway(features)) as client:
        said = client.post("/v1/get", json={**body, "request": {"amount": 1.0}, "at": bank.NOW.isoformat()})
    assert (said.status_code, said.json()["error"]) == (400, "FunctionFailed")
    assert "banking:root failed on" in said.json()["message"]


# -- on Ray Serve ---------------------------------------------------------------------------------------------------------
@pytest.mark.ray
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_replicas_import_it_by_its_path(cluster: None, tmp_path: Path) -> None:
    tx = source(bank.transactions().drop("fraud"))
    request = nt.Request({"amount": pl.Float64})
    roots = money.root(tx.amount).sum().over("7d")
    view = nt.feature_view(
        "far", entity=tx.spec.entities[0],
        features={"roots": roots, "pair": money.twice(roots), "asked": money.root(request.amount)},
    )  # fmt: skip
    store = nt.connect(tmp_path / "store")
    store.apply(nt.FeatureService("far", [view]))
    store.ingest(tx)
    store.snapshot("far")
    start(store, port=None)
    try:
        rows = asked()
        options: dict[str, Any] = {"request": {"amount": rows["amount"].to_list()}, "at": rows["at"].to_list()}
        there = nt.online().get("far", {"customer_id": rows["customer_id"].to_list()}, **options)
    finally:
        stop()
    made = store.training_set(rows, "far", at="at").collect(engine="local").drop(rows.columns)
    assert_frame_equal(there.to_polars(), made, check_exact=True)
