"""What a person sees of rows that are on their way."""

from __future__ import annotations

import pytest

from nowthen.engine.showing.progress import Progress
from nowthen.store.rows.passing import Passing
from nowthen.store.store import Store

from . import shop


def test_it_says_how_many_rows_have_passed_and_how_long_the_others_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 110.0, 120.0])
    monkeypatch.setattr("nowthen.store.rows.passing.time.monotonic", lambda: next(now, 120.0))
    progress = Progress.__new__(Progress)
    said: list[str] = []
    monkeypatch.setattr(Progress, "step", lambda _, words: said.append(words))
    passed = Passing(progress, "reading", 4_000)
    passed(1_000)
    passed(2_500)
    assert said == [
        "reading 4,000 rows",
        "reading 1,000 of 4,000 rows, about 30 s left",
        "reading 3,500 of 4,000 rows, about 3 s left",
    ]


def test_an_ingest_says_that_it_reads_and_writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(Progress, "step", lambda _, words: said.append(words))
    store.ingest(shop.source(shop.sales(30), entities=[shop.CUSTOMER]))
    assert "writing 30 rows" in said
    assert [words for words in said if words.startswith("reading")]
