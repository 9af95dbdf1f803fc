"""Definitions as people keep them: a file or a module, with others beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import nowthen as nt
from nowthen.serve.definitions import load

ENTITIES = "import polars as pl\nimport nowthen as nt\n\nshop = nt.Entity('shop', keys={'shop_id': pl.Int64})\n"
FEATURES = """
from datetime import datetime
import nowthen as nt
from entities_beside import shop

rows = {"shop_id": [1], "time": [datetime(2026, 1, 1)]}
sales = nt.Source("sales", nt.Frame(rows), event_time="time", entities=shop)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("entities_beside", "features_beside"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "entities_beside.py").write_text(ENTITIES)
    (tmp_path / "features_beside.py").write_text(FEATURES)
    return tmp_path


def test_a_file_finds_what_lies_beside_it_wherever_we_are(folder: Path) -> None:
    assert list(load(str(folder / "features_beside.py")).sources) == ["sales"]


def test_a_module_is_found_in_the_folder_we_are_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert list(load("features_beside").sources) == ["sales"]


def test_what_cannot_be_imported_is_refused_with_its_reason(folder: Path) -> None:
    (folder / "entities_beside.py").unlink()
    with pytest.raises(nt.Invalid, match="No module named 'entities_beside'"):
        load(str(folder / "features_beside.py"))
