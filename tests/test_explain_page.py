"""The examples of docs/explain.md run, and what it quotes is what is printed and drawn today."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest

from nowthen.engine.showing.explained import Explained

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "explain.md").read_text()
SET_UP, *EXAMPLES = re.findall(r"<!-- example(?:: set-up)? -->\s*```python\n(.*?)```", PAGE, re.S)
OUTPUT = re.findall(r"<!-- output -->\s*```text\n(.*?)```", PAGE, re.S)
CLASS = re.compile(r'class="([\w -]+)"')


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the examples of the page leave behind, over a few rows."""
    monkeypatch.chdir(tmp_path)
    rows = pl.DataFrame({"customer_id": [1, 1, 2], "terminal_id": [7, 8, 7], "amount": [10.0, 200.0, 5.0]})
    days = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 3), eager=True).alias("tx_datetime")
    rows.with_columns(days).write_parquet("transactions.parquet")
    rows.with_columns(days).drop("amount").write_parquet("labels.parquet")
    left: dict[str, Any] = {}
    for code in (SET_UP, *EXAMPLES):
        exec(compile(code, "docs/explain.md", "exec"), left)
    return left


def masked(line: str) -> str:
    """A line without its figures."""
    return re.sub(r"[kMGT]?B\b", "B", re.sub(r"\d[\d.,]*", "#", line))


def test_the_examples_run(names: dict[str, Any]) -> None:
    assert len(EXAMPLES) == 3
    assert names["slowest"]["share"] > 0


def test_the_text_it_quotes_has_the_form_of_today(names: dict[str, Any]) -> None:
    found: Explained = names["train"].explain(analyze=True, engine="local")
    quoted, printed = (text.splitlines() for text in (OUTPUT[0], str(found)))
    assert quoted[3].split() == printed[3].split()
    assert [masked(line) for line in quoted[:2]] == [masked(line) for line in printed[:2]]
    operators = {re.split(r":|  ", line.strip())[0] for line in quoted[4:]}
    assert {one["name"] for one in found.to_dict()["operators"]} <= operators


def test_the_picture_it_shows_is_drawn_as_today(names: dict[str, Any]) -> None:
    shown, drawn = (DOCS / "explain.svg").read_text(), names["found"].svg()
    assert ElementTree.fromstring(shown).tag.endswith("svg")
    assert set(CLASS.findall(shown)) == set(CLASS.findall(drawn))
    assert (
        shown.partition("</style>")[0].partition("<style>")[2] == drawn.partition("</style>")[0].partition("<style>")[2]
    )
