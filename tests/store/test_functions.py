"""The user's functions in a store: named by path and source, never imported by looking, and held to the source they were applied with."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.store.store import Store

from . import shop

pytestmark = pytest.mark.usefixtures("without_ray")  # its workers have not the modules that are written here

MODULE = """
import nowthen as nt
import polars as pl

@nt.function(returns=pl.Float64)
def taxed(amount, *, rate=0.25):
    return amount * (1 + rate)
"""
CHANGED = MODULE.replace("(1 + rate)", "(1 + 2 * rate)") + "# and longer\n"


class Project:
    """A folder with modules of a user, which this process can import."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def module(self, text: str = MODULE, name: str = "taxing") -> Any:
        """The module of that text, imported anew."""
        (self.folder / f"{name}.py").write_text(text)
        self.forget()
        return importlib.import_module(name)

    def forget(self) -> None:
        """As in a process that imported none of them."""
        importlib.invalidate_caches()
        for path in self.folder.glob("*.py"):
            sys.modules.pop(path.stem, None)

    def run(self, *lines: str, path: bool = True) -> subprocess.CompletedProcess[str]:
        """A new process that runs lines, and can import the modules or not."""
        script = self.folder.parent / "script.txt"
        script.write_text("\n".join(["import sys", "import nowthen as nt", "import polars as pl", *lines]))
        put = f"import sys; sys.path.insert(0, {str(self.folder)!r}); " if path else ""
        command = [sys.executable, "-c", f"{put}exec(open({str(script)!r}).read())"]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    (tmp_path / "project").mkdir()
    made = Project(tmp_path / "project")
    monkeypatch.syspath_prepend(made.folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield made
    made.forget()


tx = shop.source(shop.sales())


def spend(module: ModuleType, function: str = "taxed") -> Any:
    """A view that asks a function about rows, and about features."""
    taxed = getattr(module, function)
    total = tx.amount.sum().over("2d")
    features = {"rows": taxed(tx.amount).sum().over("1d"), "total": taxed(total, rate=0.5)}
    return nt.feature_view("spend", entity=shop.CUSTOMER, features=features)


@pytest.fixture
def applied(store: Store, project: Project) -> Store:
    """A store that knows the view, with rows, in a process that has forgotten the module."""
    store.apply(nt.FeatureService("score", [spend(project.module())]))
    store.ingest(tx)
    project.forget()
    return Store.at(store.root)


def expected() -> pl.DataFrame:
    """The values by what is written out."""
    view = nt.feature_view(
        "spend", entity=shop.CUSTOMER,
        features={"rows": (tx.amount * 1.25).sum().over("1d"), "total": tx.amount.sum().over("2d") * 1.5},
    )  # fmt: skip
    return nt.training_set(shop.labels(), view, at="t").collect()


# -- looking imports nothing ----------------------------------------------------------------------------------------------
def test_looking_imports_nothing(applied: Store, tmp_path: Path) -> None:
    applied.versions("spend")
    applied.lineage("spend:rows")
    applied.view("spend")
    applied.service("score")
    applied.export(tmp_path / "defs")
    assert applied.import_(tmp_path / "defs").is_empty
    applied.rename("spend", "spending")
    applied.deprecate("spending", because="of a better one")
    str(applied.training_set(shop.labels(), "score", at="t").explain())
    applied.scrub()
    assert "taxing" not in sys.modules


def test_care_imports_nothing(applied: Store, project: Project, tmp_path: Path) -> None:
    applied.backfill("spend", shop.START, shop.START + timedelta(days=1), every="12h")
    applied.training_set(shop.labels(), "score", at="t").save("kept")
    applied.snapshot("score")
    project.forget()
    applied.scrub(repair=True)
    applied.backup(tmp_path / "backup")
    applied.forget(shop.CUSTOMER, [3])
    applied.compact("sales")
    applied.cleanup(keep="0s", versions=1)
    assert "taxing" not in sys.modules


def test_asking_for_values_imports_it(applied: Store) -> None:
    found = applied.training_set(shop.labels(), "score", at="t").collect()
    assert "taxing" in sys.modules
    assert found.equals(expected())


def test_lineage_sees_through_it(applied: Store) -> None:
    assert ("column", "sales.amount") in applied.lineage("spend:rows").nodes


# -- what changes ---------------------------------------------------------------------------------------------------------
def test_a_plan_prints_it_by_name(store: Store, project: Project) -> None:
    store.apply(spend(project.module()))
    plan = store.plan(spend(project.module(CHANGED)))
    (change,) = [one for one in plan.changes if one.definition.kind == "view"]
    assert change.state == "changed"
    assert "taxed(sales.amount, rate=0.25).sum().over('1d') @" in str(plan)


def test_moving_and_renaming_it_is_no_new_version(store: Store, project: Project) -> None:
    store.apply(spend(project.module()))
    store.ingest(tx)
    span = (shop.START, shop.START + timedelta(days=2))
    store.backfill("spend", *span, every="12h")
    moved = spend(project.module(MODULE.replace("taxed", "with_tax"), "elsewhere"), "with_tax")
    (change,) = [one for one in store.plan(moved).changes if one.definition.kind == "view"]
    assert change.state == "reworded"
    store.apply(moved)
    assert not store.holes("spend", *span, every="12h")


def test_a_changed_function_leaves_holes(store: Store, project: Project) -> None:
    store.apply(spend(project.module()))
    store.ingest(tx)
    span = (shop.START, shop.START + timedelta(days=2))
    store.backfill("spend", *span, every="12h")
    store.apply(spend(project.module(CHANGED)))
    assert store.holes("spend", *span, every="12h")


def test_one_that_nobody_can_import_is_used_but_not_applied(store: Store) -> None:
    @nt.function(returns=pl.Float64)
    def local(amount: pl.Series) -> pl.Series:
        return amount * 2

    view = nt.feature_view("spend", entity=shop.CUSTOMER, features={"f": local(tx.amount).sum()})
    store.ingest(tx)
    train = store.training_set(shop.labels(), view, at="t")
    assert train.collect()["f"][0] == 0.0
    with pytest.raises(nt.Invalid, match=r"local' cannot be written into a definition"):
        store.apply(view)
    with pytest.raises(nt.Invalid, match=r"local' cannot be written into a definition"):
        train.save("kept")
    assert store.training_sets() == []


# -- held to its source ---------------------------------------------------------------------------------------------------
def test_another_source_here_is_refused_until_it_is_applied(applied: Store, project: Project) -> None:
    view = spend(project.module(CHANGED))
    with pytest.raises(nt.Invalid, match="'taxing:taxed' differs here"):
        applied.training_set(shop.labels(), "score", at="t").collect()
    with pytest.raises(nt.Invalid, match="'taxing:taxed' differs here"):
        applied.snapshot("score")
    applied.apply(nt.FeatureService("score", [view]))
    assert applied.training_set(shop.labels(), "score", at="t").collect().height == 20


def test_a_module_that_is_gone_is_named(applied: Store, project: Project) -> None:
    (project.folder / "taxing.py").unlink()
    with pytest.raises(nt.NotFound, match="needs module 'taxing', which is not installed here"):
        applied.training_set(shop.labels(), "score", at="t").collect()
    with pytest.raises(nt.NotFound, match="needs module 'taxing'"):
        applied.backfill("spend", shop.START, shop.START + timedelta(days=1), every="12h")
    with pytest.raises(nt.NotFound, match="needs module 'taxing'"):
        applied.snapshot("score")


def test_a_saved_training_set_opens_without_it_and_is_asked_again_with_it(applied: Store, project: Project) -> None:
    applied.training_set(shop.labels(), "score", at="t").save("kept")
    project.forget()
    kept = applied.open_training_set("kept")
    assert kept.collect().equals(expected())
    assert "taxed" in repr(kept.features["total"].feature)
    assert "taxing" not in sys.modules
    assert kept.again().collect().equals(kept.collect())


def test_a_file_that_names_what_is_no_function_of_nowthen_gives_no_values(applied: Store, tmp_path: Path) -> None:
    applied.export(tmp_path / "defs")
    file = tmp_path / "defs" / "views" / "spend.json"
    file.write_text(file.read_text().replace("taxing:taxed", "os:taxed"))
    other = nt.connect(tmp_path / "other")
    other.import_(tmp_path / "defs")
    other.ingest(tx)
    train = other.training_set(shop.labels(), other.view("spend"), at="t")
    with pytest.raises(nt.NotFound, match=r"'os:taxed': its module is here, but has no nt\.function"):
        train.collect()


@pytest.mark.parametrize("path", ["taxing:taxed.__globals__", "__main__:taxed", "../taxing:taxed", "taxing"])
def test_a_file_with_a_path_that_is_no_plain_names_is_refused(applied: Store, tmp_path: Path, path: str) -> None:
    applied.export(tmp_path / "defs")
    file = tmp_path / "defs" / "views" / "spend.json"
    file.write_text(file.read_text().replace("taxing:taxed", path))
    with pytest.raises(nt.Invalid, match="path"):
        nt.connect(tmp_path / "other").import_(tmp_path / "defs")


# -- in another process ---------------------------------------------------------------------------------------------------
def test_a_new_process_gives_the_same_values(applied: Store, project: Project, tmp_path: Path) -> None:
    shop.labels().write_parquet(tmp_path / "labels.parquet")
    ran = project.run(
        f"store = nt.connect({str(applied.root)!r})",
        f"train = store.training_set(pl.read_parquet({str(tmp_path / 'labels.parquet')!r}), 'score', at='t')",
        "assert 'taxing' not in sys.modules",
        f"train.sink_parquet({str(tmp_path / 'out.parquet')!r})",
    )
    assert ran.returncode == 0, ran.stderr
    assert pl.read_parquet(tmp_path / "out.parquet").equals(expected())


def test_a_new_process_without_the_module_still_looks(applied: Store, project: Project, tmp_path: Path) -> None:
    ran = project.run(
        f"store = nt.connect({str(applied.root)!r})",
        "print(store.view('spend').spec.features['rows'], [one.version for one in store.versions('spend')])",
        f"store.export({str(tmp_path / 'defs')!r})",
        path=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "taxed(sales.amount, rate=0.25).sum().over('1d')" in ran.stdout
    assert json.loads((tmp_path / "defs/views/spend.json").read_text())["says"]["total"].startswith("taxed(")
