"""Functions in definitions: written by path and source, read without importing anything, and imported only if they are the same."""

from __future__ import annotations

import importlib
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.definition import from_json, to_json
from nowthen.engine.language.function import Function
from nowthen.engine.language.function_path import parted
from nowthen.engine.language.nodes import Apply, load, walk

from . import functions
from .functions import initial, is_large, taxed
from .shop import ROWS, SHOP, sales, spine

pytestmark = pytest.mark.usefixtures("without_ray")  # its workers have not the modules that are written here

tx = sales()
TAXES = """
import nowthen as nt
import polars as pl

@nt.function(returns=pl.Float64)
def added(price, *, tax=1.0):
    return price + tax
"""


def view_of(**features: Any) -> Any:
    return nt.feature_view("view", entity=SHOP, features=features)


def there_and_back(defined: Any, change: Callable[[dict[str, Any]], object] = lambda node: None) -> Any:
    """What a definition means once it is text; `change` is done to the function in it."""
    definition = json.loads(json.dumps(to_json(defined), sort_keys=True))
    change(next(node for node in definition["nodes"] if node["node"] == "function"))
    return from_json(definition)


@pytest.fixture
def taxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a module of a user, which this process can import."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "taxes.py").write_text(TAXES)
    yield tmp_path / "taxes.py"
    sys.modules.pop("taxes", None)


def imported() -> Any:
    importlib.invalidate_caches()
    return importlib.import_module("taxes")


def forgotten() -> None:
    """As in a process that has not imported it."""
    del sys.modules["taxes"]


# -- there and back -------------------------------------------------------------------------------------------------------
def test_a_definition_says_path_and_source_and_no_code() -> None:
    nodes = to_json(view_of(f=taxed(tx.amount, rate=0.5).sum()))["nodes"]
    assert nodes[1] == {
        "node": "function", "function": "tests.engine.functions:taxed", "version": taxed.version, "args": [0],
        "params": [["rate", 0.5]], "type": "Float64",
    }  # fmt: skip


def test_it_comes_back_with_its_hash_and_its_values() -> None:
    kept = tx.filter(is_large(tx.amount, limit=8.0))
    view = view_of(f=taxed(kept.amount).sum(), g=taxed(tx.amount.sum(), rate=2), h=initial(tx.seller, tx.seller))
    back = there_and_back(view)
    assert [back.spec.version(name) for name in "fgh"] == [view.spec.version(name) for name in "fgh"]
    assert repr(back.spec.features) == repr(view.spec.features)
    train = [nt.training_set(spine(), one, at="asked", sources={"sales": ROWS}).collect() for one in (view, back)]
    assert train[0].equals(train[1])


def test_what_came_back_is_written_as_it_was() -> None:
    view = view_of(f=taxed(tx.amount).sum())
    assert to_json(there_and_back(view))["nodes"] == to_json(view)["nodes"]


def test_equal_functions_of_a_definition_come_back_as_one() -> None:
    back = there_and_back(view_of(f=taxed(tx.amount).sum(), g=taxed(tx.items).sum()))
    applied = [node for name in "fg" for node in walk(back.spec.features[name]) if isinstance(node, Apply)]
    assert applied[0].operator is applied[1].operator


def test_reading_a_definition_imports_nothing(taxes: Path) -> None:
    written = json.dumps(to_json(view_of(f=imported().added(tx.amount).sum())))
    forgotten()
    back = from_json(json.loads(written))
    assert "taxes" not in sys.modules
    assert "added(sales.amount, tax=1.0).sum()" in repr(
        nt.training_set(spine(), back, at="asked", sources={"sales": ROWS}).plan()
    )
    assert to_json(back)["nodes"] == json.loads(written)["nodes"]
    assert "taxes" not in sys.modules
    assert nt.training_set(spine(), back, at="asked", sources={"sales": ROWS}).collect()["f"].to_list() == [32.0, 6.0]
    assert "taxes" in sys.modules


def test_what_came_back_travels_by_its_path(taxes: Path) -> None:
    back = there_and_back(view_of(f=imported().added(tx.amount).sum()))
    forgotten()
    applied = [node for node in walk(back.spec.features["f"]) if isinstance(node, Apply)]
    again = pickle.loads(pickle.dumps(applied[0].operator))
    assert "taxes" not in sys.modules
    assert again(pl.Series([1.0]), tax=2.0).to_list() == [3.0]


# -- what cannot be written -----------------------------------------------------------------------------------------------
def test_a_function_of_a_function_is_used_and_not_written() -> None:
    @nt.function(returns=pl.Float64)
    def local(x: pl.Series) -> pl.Series:
        return x + 1

    view = view_of(f=local(tx.amount).sum())
    assert nt.training_set(spine(), view, at="asked").collect()["f"].to_list() == [32.0, 6.0]
    with pytest.raises(nt.Invalid, match=r"local' cannot be written into a definition.* Move it .* to a module"):
        to_json(view)


def test_a_function_of_the_script_itself_is_used_and_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    main = Function("__main__:taxed", taxed.version, taxed.dtype, taxed.function)
    monkeypatch.setattr(sys.modules["__main__"], "taxed", main, raising=False)
    with pytest.raises(nt.Invalid, match="'__main__:taxed' cannot be written into a definition"):
        to_json(view_of(f=main(tx.amount).sum()))


def test_a_function_whose_name_means_another_by_now_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of(f=taxed(tx.amount).sum())
    monkeypatch.setattr(functions, "taxed", is_large)
    with pytest.raises(nt.Invalid, match="cannot be written into a definition"):
        to_json(view)


# -- what is not imported -------------------------------------------------------------------------------------------------
HOSTILE = [
    "taxes", "taxes:", ":added", "", "taxes:added:x", "taxes.:added", ".taxes:added", "..taxes:added", "taxes:added.x", "taxes:a.__globals__",
    "__main__:f", "builtins:__import__", "os;x:f", "a/b:f", "a\\b:f", "../x:f", "taxes:added()", "taxes:ad ded", "taxes:\u0430dded", "taxes\n:added",
    "taxes:added\n", "x" * 200 + ":f", "taxes:_hidden", None, 7, ["taxes:added"], {"module": "taxes"}, True,
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_is_no_plain_names_is_refused_when_it_is_read(path: Any) -> None:
    with pytest.raises(nt.Invalid):
        parted(path)
    with pytest.raises(nt.Invalid):
        there_and_back(view_of(f=taxed(tx.amount).sum()), lambda node: node.update(function=path))


@pytest.mark.parametrize(
    "path",
    ["os:system", "nowthen:connect", "subprocess:Popen", "tests.engine.functions:plain", "tests.engine.functions:gone"],
)
def test_only_a_function_of_nowthen_is_taken(path: str) -> None:
    back = there_and_back(view_of(f=taxed(tx.amount).sum()), lambda node: node.update(function=path))
    with pytest.raises(nt.NotFound, match=r"its module is here, but has no nt\.function of that name"):
        nt.training_set(spine(), back, at="asked", sources={"sales": ROWS}).collect()


def test_a_module_that_is_not_installed_is_named() -> None:
    view = view_of(f=taxed(tx.amount).sum())
    back = there_and_back(view, lambda node: node.update(function="not_there.taxes:taxed"))
    with pytest.raises(
        nt.NotFound, match=r"'not_there\.taxes:taxed' needs module 'not_there', which is not installed here"
    ):
        load(back.spec.features.values())


@pytest.mark.parametrize("line", ["1 / 0", "raise SystemExit(3)", "import gone_too"])
def test_a_module_that_fails_is_named(taxes: Path, line: str) -> None:
    back = there_and_back(view_of(f=imported().added(tx.amount).sum()))
    forgotten()
    taxes.write_text(TAXES + line + "  # so that it is longer than before\n")
    with pytest.raises(
        (nt.Invalid, nt.NotFound), match=r"cannot be imported: (ZeroDivisionError|SystemExit)|needs module 'gone_too'"
    ):
        load(back.spec.features.values())


@pytest.mark.parametrize("change", ["price - tax", "price + 2 * tax"])
def test_a_function_that_is_another_here_is_refused(taxes: Path, change: str) -> None:
    back = there_and_back(view_of(f=imported().added(tx.amount).sum()))
    forgotten()
    taxes.write_text(TAXES.replace("price + tax", change) + "# so that it is longer\n")
    with pytest.raises(nt.Invalid, match=r"'taxes:added' differs here .* Install that version of the module, or apply"):
        nt.training_set(spine(), back, at="asked", sources={"sales": ROWS}).collect()


def test_a_function_that_declares_another_type_here_is_refused(taxes: Path) -> None:
    back = there_and_back(view_of(f=imported().added(tx.amount).sum()))
    forgotten()
    taxes.write_text(TAXES.replace("pl.Float64", "pl.Float32") + "# so that it is longer\n")
    with pytest.raises(nt.Invalid, match="returns Float32"):
        load(back.spec.features.values())


@pytest.mark.parametrize("part", ["version", "params", "type"])
def test_a_definition_that_was_tampered_with_is_refused(part: str) -> None:
    other = {"version": "0" * 32, "params": [["rate", 0.5]], "type": "Float32"}[part]
    with pytest.raises(nt.NowThenError):
        there_and_back(view_of(f=taxed(tx.amount).sum()), lambda node: node.update({part: other}))
