"""Answers to some rows of the spine, put in their places: whatever parts they come in, and however many rows are done at a time."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import polars as pl
import pytest

from nowthen.engine.folds.ask import Answer, Ask
from nowthen.engine.folds.column import Column, Mask
from nowthen.engine.language.window import Sliding
from nowthen.engine.running import parts
from nowthen.engine.running.parts import Part, Places
from nowthen.ops.count import Count

ROWS = 23
COLUMNS: dict[str, tuple[pl.DataType, list[Any]]] = {
    "number": (pl.Int64(), list(range(ROWS))),
    "null": (pl.Float64(), [None if n % 3 else n / 2 for n in range(ROWS)]),
    "truth": (pl.Boolean(), [n % 2 == 0 for n in range(ROWS)]),
    "text": (pl.String(), [None if n == 5 else "x" * n for n in range(ROWS)]),
    "lists": (pl.List(pl.Int64()), [None if n == 7 else list(range(n)) for n in range(ROWS)]),
}


def whole(name: str) -> Answer:
    dtype, values = COLUMNS[name]
    found = np.arange(ROWS) % 4 == 0
    return Answer(Column.from_series(pl.Series(values, dtype=dtype)), found, ~found)


def listed(mask: Mask | None) -> list[bool]:
    assert mask is not None
    made: list[bool] = mask.tolist()
    return made


def split(owner: np.ndarray[Any, Any]) -> list[Part]:
    """A part for every owner, with the rows that it has."""
    out = []
    for one in np.unique(owner):
        rows = np.flatnonzero(owner == one)
        answers = {}
        for name in COLUMNS:
            answer = whole(name)
            assert answer.found is not None
            assert answer.expired is not None
            answers[name] = Answer(answer.value.take(rows), answer.found[rows], answer.expired[rows])
        out.append(Part(rows, answers))
    return out


@pytest.mark.parametrize("stretch", [1, 3, 7, ROWS, 1_000])
@pytest.mark.parametrize("owners", [1, 2, 5, ROWS])
@pytest.mark.parametrize("room", [0, 200, inf])
def test_parts_fill_the_rows_together(stretch: int, owners: int, room: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_STRETCH", stretch)
    asks = [
        Ask(name, Count(), None, None, Sliding(None), dtype, ttl=1 if name == "null" else None)
        for name, (dtype, _) in COLUMNS.items()
    ]
    places = Places(asks, ROWS, True, map, room)
    made = split(np.random.default_rng(owners).integers(0, owners, ROWS))
    for part in reversed(made):
        places.put(part)
    found = places.answers()
    assert found.keys() == COLUMNS.keys()
    for name, (dtype, values) in COLUMNS.items():
        answer, wanted = found[name], whole(name)
        assert answer.value.to_series().to_list() == pl.Series(values, dtype=dtype).to_list()
        assert listed(answer.found) == listed(wanted.found)
        assert (answer.expired is None) == (name != "null")
    assert listed(found["null"].expired) == listed(whole("null").expired)


def test_parts_wait_for_each_other_until_they_fill_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    filled: list[int] = []
    monkeypatch.setattr(parts._Places, "fill", lambda _, waiting: filled.append(len(waiting)))
    asks = [Ask(name, Count(), None, None, Sliding(None), dtype) for name, (dtype, _) in COLUMNS.items()]
    made = split(np.arange(ROWS) % 5)
    places = Places(asks, ROWS, True, map, room=made[0].nbytes + made[1].nbytes)
    for part in made[:2]:
        places.put(part)
    assert filled == []
    for part in made[2:4]:
        places.put(part)
    assert filled == [3] * len(COLUMNS)
    places.answers()
    assert filled == [3] * len(COLUMNS) + [1] * len(COLUMNS)


def test_no_rows_are_filled_too() -> None:
    places = Places([Ask("number", Count(), None, None, Sliding(None), pl.Int64())], 0, False, map)
    places.put(
        Part(np.array([], dtype=np.int64), {"number": Answer(Column.from_series(pl.Series([], dtype=pl.Int64)))})
    )
    assert len(places.answers()["number"].value) == 0
