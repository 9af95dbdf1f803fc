"""A connected store answers in this process what it has published."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.serve.connect import ConnectedStore
from nowthen.serve.online import Features
from nowthen.store.store import Store

from . import bank


def count(features: Features, **options: Any) -> int:
    """How many transactions of the last day a customer has at NOW."""
    keys = {"customer_id": 3, "shop": "bar"}
    return int(features.get("risk", keys, request={"amount": 1.0}, at=bank.NOW, **options).row()["count_1d"])


def test_a_store_answers_online_what_training_gives(store: ConnectedStore) -> None:
    keys, options = bank.question(bank.asked())
    with store.online() as features:
        answer = features.get("risk", keys, **options)
    assert_frame_equal(answer.to_polars(), bank.offline(bank.transactions(), bank.asked()), check_exact=True)


def test_a_push_is_seen_by_the_next_get_of_its_client(store: ConnectedStore) -> None:
    with store.online() as features:
        before = count(features)
        token = features.push("tx", [bank.row()])
        assert count(features, after=token) == before + 1


def test_a_push_to_the_store_is_seen_by_clients_that_are_open(store: ConnectedStore) -> None:
    with store.online() as features:
        before = count(features)
        store.push("tx", [bank.row()])
        assert count(features) == before + 1


def test_a_service_that_was_applied_but_not_published_is_not_found(tmp_path: Path) -> None:
    store = nt.connect(tmp_path / "store")
    store.apply(bank.service(bank.transactions())[0])
    with store.online() as features, pytest.raises(nt.NotFound, match="service 'risk' is not published"):
        count(features)


def test_what_connect_gives_is_a_store_and_says_so(tmp_path: Path) -> None:
    store = nt.connect(tmp_path / "store")
    assert isinstance(store, Store)
    assert repr(store) == f"Store({str(tmp_path / 'store')!r})"


def test_a_client_shows_whose_features_it_has_and_what_it_can_do(store: ConnectedStore) -> None:
    with store.online() as features:
        shown = repr(features)
    assert shown == f"<Features of {store!r} in this process: get(service, keys), push(source, rows), services()>"


def test_a_store_that_travelled_answers_too(store: ConnectedStore) -> None:
    with store.online() as here, pickle.loads(pickle.dumps(store)).online() as there:
        assert count(there) == count(here)
