"""The examples of docs/interop.md run, each after the set-up; those that need what is not here are skipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "interop.md"
SET_UP, *EXAMPLES = re.findall(r"<!-- example(?:: ([\w-]+))? -->\s*```python\n(.*?)```", PAGE.read_text(), re.S)


def run(code: str) -> None:
    exec(compile(SET_UP[1] + code, str(PAGE), "exec"), {})


def test_the_page_begins_with_the_set_up() -> None:
    assert SET_UP[0] == "set-up"
    assert {needs for needs, _ in EXAMPLES} == {"", "ray", "torch"}


@pytest.mark.parametrize("code", [code for needs, code in EXAMPLES if not needs])
def test_an_example_runs(code: str) -> None:
    run(code)


@pytest.mark.parametrize("code", [code for needs, code in EXAMPLES if needs == "torch"])
def test_an_example_of_torch_runs(code: str) -> None:
    pytest.importorskip("torch", reason="torch is an extra: pip install 'nowthen[torch]'")
    run(code)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # of settings of its own that nobody changed
@pytest.mark.parametrize("code", [code for needs, code in EXAMPLES if needs == "ray"])
def test_an_example_of_ray_runs(code: str) -> None:
    run(code)
