"""Lists are served as they are trained on, from whatever answers and over whatever they travel."""

from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.folds.column import Column
from nowthen.serve.answer import Answer
from nowthen.serve.connect import ConnectedStore
from nowthen.serve.http import gateway

from . import bank


def transactions() -> pl.DataFrame:
    """Those of the bank, without what is known of them later."""
    return bank.transactions().drop("fraud")


def service(rows: pl.DataFrame) -> tuple[nt.FeatureService, nt.Source]:
    """The service `lately` over transactions, and their source."""
    customer = nt.Entity("customer", keys={"customer_id": pl.Int64})
    tx = nt.Source("tx", nt.Frame(rows), event_time="time", entities=customer, row_id="id")
    features = {
        "amounts": tx.amount.last_k(5).over("7d"),
        "shops": nt.feature(tx.shop.last_k(2).over("2d"), default=["nowhere"]),
        "times": tx.time.last_k(3),
        "most": nt.feature(tx.amount.top_k(3).over("30d"), default=[]),
        "count": tx.count().over("7d"),
    }
    return nt.FeatureService("lately", [nt.feature_view("lately", entity=customer, features=features)]), tx


@pytest.fixture
def store(tmp_path: Path) -> ConnectedStore:
    made, tx = service(transactions())
    store = nt.connect(tmp_path / "store")
    store.apply(made)
    store.ingest(tx)
    store.snapshot(made)
    return store


def asked() -> pl.DataFrame:
    """Questions about customers some of which there are not."""
    return bank.asked().select("customer_id", "at")


def offline(rows: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """What training says."""
    made, _ = service(rows)
    train = nt.training_set(asked, made, at="at", sources={"tx": rows}).collect(engine="local")
    return train.select(list(made.features))


def served(features: Any, asked: pl.DataFrame) -> Answer:
    """What is served."""
    answer = features.get("lately", {"customer_id": asked["customer_id"].to_list()}, at=asked["at"].to_list())
    assert isinstance(answer, Answer)
    return answer


def test_served_lists_are_those_of_training(store: ConnectedStore) -> None:
    with store.online() as features:
        answer = served(features, asked())
    assert_frame_equal(answer.to_polars(), offline(transactions(), asked()), check_exact=True)
    assert answer.to_polars().schema["amounts"] == pl.List(pl.Float64)
    assert set(answer.status("shops")) == {"present", "not_found"}


def test_a_pushed_row_is_the_first_of_its_list(store: ConnectedStore) -> None:
    question = pl.DataFrame({"customer_id": [3, 99], "at": [bank.NOW, bank.NOW]})
    with store.online() as features:
        before = served(features, question).row(0)
        features.push("tx", [bank.row(amount=12.25)])
        after = served(features, question)
    assert after.row(0)["amounts"] == [12.25, *before["amounts"]][:5]
    assert after.row(0)["times"] == [bank.row()["time"], *before["times"]][:3]
    assert after.row(1) == {"amounts": None, "shops": ["nowhere"], "times": None, "most": [], "count": 0}
    rows = pl.concat([transactions(), pl.DataFrame([bank.row(amount=12.25)])], how="diagonal_relaxed")
    assert_frame_equal(after.to_polars(), offline(rows, question), check_exact=True)


def test_a_row_of_the_question_is_in_its_lists_alone(store: ConnectedStore) -> None:
    keys: dict[str, Any] = {"customer_id": 3}
    with store.online() as features:
        tried = features.get("lately", keys, at=bank.NOW, with_rows={"tx": [bank.row(amount=12.25)]})
        after = features.get("lately", keys, at=bank.NOW)
    assert tried.row(0)["amounts"][0] == 12.25
    assert after.row(0)["amounts"] == tried.row(0)["amounts"][1:] + after.row(0)["amounts"][-1:]


def test_one_by_one_is_what_all_at_once_gives(store: ConnectedStore) -> None:
    questions = asked()
    with store.online() as features:
        together = served(features, questions).to_polars()
        single = [served(features, questions[i : i + 1]).to_polars() for i in range(questions.height)]
    assert_frame_equal(pl.concat(single), together, check_exact=True)


def test_the_gateway_gives_lists_as_json_has_them(store: ConnectedStore) -> None:
    with store.online() as features, TestClient(gateway(features)) as web:
        direct = features.get("lately", {"customer_id": [3, 99]}, at=bank.NOW)
        body = {"service": "lately", "keys": {"customer_id": [3, 99]}, "at": bank.NOW.isoformat()}
        reply = web.post("/v1/get", json=body).json()
    assert reply == direct.as_json()
    assert reply["features"]["most"] == [direct.row(0)["most"], []]
    assert reply["features"]["amounts"][1] is None
    assert reply["types"]["times"] == "List(Datetime(time_unit='us', time_zone='UTC'))"


FRAME = pl.DataFrame(
    {
        "reals": [[1.5, math.nan, None], None, [-math.inf, math.inf], []],
        "whole": pl.Series([[2**60], [], None, [1, None]], dtype=pl.List(pl.Int64)),
        "small": pl.Series([[1.5], [], None, [0.25]], dtype=pl.List(pl.Float32)),
        "texts": [["a", None, "ü b"], None, [], [""]],
        "flags": [[True, None], None, [], [False, False]],
        "times": [[datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC), None], None, [], [datetime(1900, 1, 1, tzinfo=UTC)]],
        "days": pl.Series([[datetime(2024, 1, 1)], None, [], [None]], dtype=pl.List(pl.Datetime)).cast(
            pl.List(pl.Date)
        ),
        "spans": [[timedelta(microseconds=1), None], None, [], [timedelta(days=-1)]],
        "plain": [1, 2, None, 4],
    },
    schema_overrides={"times": pl.List(pl.Datetime("us", "UTC")), "spans": pl.List(pl.Duration("us"))},
)


def answer(frame: pl.DataFrame = FRAME) -> Answer:
    columns = tuple(Column.from_series(frame[name]) for name in frame.columns)
    codes = tuple(np.zeros(frame.height, dtype=np.uint8) for _ in columns)
    return Answer(tuple(frame.columns), columns, codes, datetime(2024, 5, 1, tzinfo=UTC), {"risk": "abc"}, "tx@7")


@pytest.mark.parametrize("rows", [slice(0, 0), slice(1, 3), slice(0, 4)])
def test_a_pickle_of_an_answer_says_the_same(rows: slice) -> None:
    whole = answer()
    cut = Answer(whole.names, tuple(column.slice(rows) for column in whole.columns), answer(FRAME[rows]).codes)
    again = pickle.loads(pickle.dumps(cut))
    assert again.to_polars().equals(FRAME[rows])
    assert again.to_polars().schema == FRAME.schema


def test_json_of_an_answer_says_the_same_and_is_strict() -> None:
    written = answer().as_json()
    assert written["features"]["reals"] == [[1.5, "NaN", None], None, ["-Infinity", "Infinity"], []]
    again = Answer.from_json(json.loads(json.dumps(written, allow_nan=False)))
    assert again.to_polars().equals(FRAME)
    assert again.to_polars().schema == FRAME.schema


def test_a_row_holds_lists_of_python_values() -> None:
    assert repr([answer().row(i) for i in range(4)]) == repr(FRAME.to_dicts())


def test_an_array_has_no_place_for_lists() -> None:
    with pytest.raises(nt.WrongType, match=r"feature 'whole' is List\(Int64\), which an array cannot hold"):
        answer(FRAME.select("plain", "whole")).to_numpy()
