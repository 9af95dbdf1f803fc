"""What `import nowthen` does: next to nothing, until a name is used."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

import nowthen as nt


def modules_after(code: str) -> set[str]:
    """The names of all modules loaded by a fresh Python that ran the code, away from this folder."""
    shown = f"{code}\nimport sys\nprint(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", shown], capture_output=True, text=True, check=True, cwd=Path(sys.prefix)
    )
    return set(ran.stdout.split())


def test_importing_the_package_loads_no_library() -> None:
    loaded = {name.partition(".")[0] for name in modules_after("import nowthen")}
    assert not loaded & {
        "ray",
        "lance",
        "lancedb",
        "polars",
        "pyarrow",
        "numpy",
        "pandas",
        "pydantic",
        "fastapi",
        "numba",
    }


def test_importing_the_package_loads_none_of_its_own_modules() -> None:
    assert {name for name in modules_after("import nowthen") if name.startswith("nowthen")} == {"nowthen"}


@pytest.mark.parametrize("variable", ["_RJEM_MALLOC_CONF", "MIMALLOC_PURGE_DELAY"])
@pytest.mark.parametrize("own", [None, "1"])
def test_allocators_are_told_to_keep_pages_unless_they_were_told_otherwise(variable: str, own: str | None) -> None:
    code = f"import nowthen, os; print(os.environ[{variable!r}])"
    given = {name: value for name, value in os.environ.items() if name != variable}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(sys.prefix),
        env=given if own is None else given | {variable: own},
    )  # fmt: skip
    assert (ran.stdout.strip() == own) if own else ("30000" in ran.stdout)


def test_defining_features_loads_neither_ray_nor_lance() -> None:
    code = (
        "import nowthen as nt; nt.Entity, nt.Source, nt.FeatureView, nt.FeatureService, nt.Request, nt.at().dt.hour()"
    )
    assert not {name.partition(".")[0] for name in modules_after(code)} & {"ray", "lance", "lancedb"}


def test_a_training_set_from_files_loads_no_arrow(tmp_path: Path) -> None:
    rows = pl.DataFrame({"k": [1], "t": [datetime(2020, 1, 1)], "x": [1.5]})
    rows.write_parquet(tmp_path / "rows.parquet")
    rows.select("k", "t").write_parquet(tmp_path / "spine.parquet")
    code = (
        "import nowthen as nt, polars as pl; k = nt.Entity('k', keys={'k': pl.Int64})\n"
        f"rows = nt.Source('rows', nt.Parquet({str(tmp_path / 'rows.parquet')!r}), event_time='t', entities=[k])\n"
        "view = nt.feature_view('v', entity=k, features={'x': rows.x.last(), 'mean': rows.x.mean().over('1d')})\n"
        f"nt.training_set({str(tmp_path / 'spine.parquet')!r}, view, at='t').collect(engine='local')"
    )
    loaded = modules_after(code)
    assert not {name.partition(".")[0] for name in loaded} & {"pyarrow", "numba", "pandas", "ray", "lance"}
    assert not loaded & {
        "nowthen.engine.running.journal",
        "nowthen.engine.showing.explained",
        "nowthen.engine.running.exchanged",
    }


def test_connecting_to_a_store_loads_no_server() -> None:
    loaded = modules_after("import nowthen as nt; nt.connect('nowthen-store')")
    assert not {name.partition(".")[0] for name in loaded} & {"ray", "fastapi", "typer"}
    assert not loaded & {"nowthen.serve.shard", "nowthen.serve.online"}


@pytest.mark.parametrize("name", nt.__all__)
def test_every_public_name_is_at_home(name: str) -> None:
    assert getattr(nt, name) is getattr(importlib.import_module(nt._HOME[name], "nowthen"), name)


def test_the_type_checkers_imports_are_the_lazy_ones() -> None:
    tree = ast.parse(Path(str(nt.__file__)).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    seen = {alias.name: f".{node.module}" for node in imports for alias in node.names}
    assert seen == nt._HOME


def test_all_public_names_are_listed() -> None:
    assert sorted(nt.__all__) == sorted(nt._HOME)
    assert set(nt.__all__) <= set(dir(nt))


def test_a_wrong_name_gets_the_nearest_right_one() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'Entity'"):
        nt.Entitty  # noqa: B018


def test_underscored_names_raise_a_plain_attribute_error() -> None:
    assert not hasattr(nt, "_repr_html_")


def test_the_file_answers_outside_of_its_package() -> None:
    """A checkout in a folder like `nowthen-main` is no package, yet pytest loads its `__init__.py` and looks for fixtures."""
    spec = importlib.util.spec_from_file_location("__init__", str(nt.__file__))
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    copy.__package__ = ""
    spec.loader.exec_module(copy)
    assert not hasattr(copy, "pytest_plugins")
