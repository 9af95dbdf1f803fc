"""The version of a user's function: what changes its values changes it, what does not leaves it, and what it cannot see is refused."""

from __future__ import annotations

import functools
import importlib.util
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.function_source import meant

PLAIN = "def f(x, *, a=1):\n    y = x + a\n    return y\n"


def words(source: str, name: str = "f") -> list[str]:
    return [text for _, text in meant(source, name)]


@pytest.mark.parametrize(
    "source",
    [
        "@nt.function(returns=pl.Float64)\n" + PLAIN,
        "@nt.function(\n    returns=lambda: 1,\n)\n" + PLAIN,
        PLAIN.replace("return y", "return y  # why"),
        PLAIN.replace("    return", "    # why\n\n    return"),
        PLAIN.replace(":\n    y", ':\n    """What it does."""\n    y'),
        PLAIN.replace(":\n    y", ':\n    r"""What\n\n  it does."""\n\n    y'),
        PLAIN.replace(":\n    y", ':\n    "One." "Two."\n    y'),
        PLAIN.replace("(x, *, a=1)", "(\n    x,\n    *,\n    a = 1\n)"),
        PLAIN.replace("x + a", "x \\\n        +a"),
        PLAIN.replace("    ", "\t"),
        "    " + PLAIN.replace("\n", "\n    ").rstrip(" "),
        PLAIN.rstrip(),
    ],
)
def test_words_and_spacing_change_no_version(source: str) -> None:
    assert words(source) == words(PLAIN)


def test_the_name_changes_no_version() -> None:
    assert words(PLAIN.replace("def f", "def another"), "another") == words(PLAIN)


@pytest.mark.parametrize(
    "source",
    [
        PLAIN.replace("a=1", "a=2"),
        PLAIN.replace("x + a", "x - a"),
        PLAIN.replace("x + a", 'x + "a"'),
        PLAIN.replace("x + a", 'x + f"{a}"'),
        PLAIN.replace("(x, ", "(x: int, "),
        PLAIN.replace("    return y", "    if a:\n        return y"),
        PLAIN.replace("    y = x + a", '    y = """x"""'),
    ],
)
def test_everything_else_does(source: str) -> None:
    assert words(source) != words(PLAIN)


def test_how_deep_a_line_stands_is_part_of_it() -> None:
    inside = "def f(x):\n    for y in x:\n        y += 1\n        x += 1\n    return x\n"
    assert words(inside) != words(inside.replace("        x += 1", "    x += 1"))


def test_texts_are_kept_as_they_are_written() -> None:
    spaced = "def f(x):\n    return x + 'a  #  b'\n"
    assert "'a  #  b'" in words(spaced)
    assert (
        words("def f(x):\n    return f'''{x!r}\n  {{}}  # no comment'''\n")[-1] == "f'''{x!r}\n  {{}}  # no comment'''"
    )


def test_a_text_that_is_the_whole_body_is_no_statement_lost() -> None:
    assert words('def f(x):\n    """Nothing."""\n')[-1] == ":"


def decorated(body: Any) -> Any:
    return nt.function(returns=pl.Float64)(body)


def test_what_is_no_plain_function_is_refused() -> None:
    bodies: list[Any] = [lambda x: x, np.sin, functools.partial(np.add, 1), ModuleType, 3]
    for body in bodies:
        with pytest.raises(nt.WrongType, match="a function written with def"):
            decorated(body)


def test_a_closure_is_refused_with_what_it_closes_over() -> None:
    rate = 0.2

    def taxed(x: pl.Series) -> pl.Series:
        return x * rate

    with pytest.raises(nt.Invalid, match=r"closes over rate, .* keyword-only parameter, as in f\(x, \*, rate\)"):
        decorated(taxed)


def test_a_function_beneath_another_decorator_is_refused() -> None:
    def twice(body: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(body)(plainly)

    def plainly(x: Any) -> Any:
        return x

    with pytest.raises(nt.Invalid, match="wrapped by another decorator"):
        decorated(twice(plainly))


def test_async_functions_and_generators_are_refused() -> None:
    async def waits(x: pl.Series) -> pl.Series:
        return x

    def yields(x: pl.Series) -> Any:
        yield x

    for body in (waits, yields):
        with pytest.raises(nt.WrongType, match="async or a generator"):
            decorated(body)


def test_columns_have_no_default_and_parameters_are_keywords() -> None:
    def with_default(x: pl.Series, rate: float = 0.2) -> pl.Series:
        return x * rate

    def with_any(x: pl.Series, **rates: float) -> pl.Series:
        return x

    for body in (with_default, with_any):
        with pytest.raises(nt.WrongType, match="neither a column nor a keyword-only parameter"):
            decorated(body)


def test_a_function_of_no_column_is_refused() -> None:
    def nothing(*, rate: float = 0.2) -> pl.Series:
        return pl.Series([rate])

    with pytest.raises(nt.WrongType, match="takes no column"):
        decorated(nothing)


def test_a_function_whose_source_is_nowhere_is_refused() -> None:
    space: dict[str, Any] = {}
    exec("def hidden(x):\n    return x\n", space)
    with pytest.raises(nt.Invalid, match="source of function 'hidden' cannot be read"):
        decorated(space["hidden"])


def test_a_cell_of_a_notebook_has_its_source() -> None:
    cell, name = "def cell(x):\n    return x  # twice\n", "<ipython-input-7-cell>"
    space: dict[str, Any] = {"__name__": "__main__"}
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
    try:
        exec(compile(cell, name, "exec"), space)
        made = decorated(space["cell"])
    finally:
        del linecache.cache[name]
    assert (made.name, made(pl.Series([1]))[0]) == ("__main__:cell", 1)


def test_a_function_whose_file_is_another_by_now_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shifting.py").write_text("def f(x):\n    return x\n")
    spec = importlib.util.spec_from_file_location("shifting", tmp_path / "shifting.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["shifting"] = module
    spec.loader.exec_module(module)
    del sys.modules["shifting"]
    (tmp_path / "shifting.py").write_text("def another(x):\n    return -x\n")
    with pytest.raises(nt.Invalid, match="they have changed since"):
        decorated(module.f)
