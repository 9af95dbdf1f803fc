"""Services: the features of a model, and the keys they need."""

from __future__ import annotations

import pickle

import polars as pl
import pytest

import nowthen as nt

from .shop import SHOP, sales

SOLD = nt.feature_view("sold", entity=SHOP, features={"items": sales().items.sum()})
OVERALL = nt.feature_view("overall", entity=[], features={"twice": SOLD.items * 2})


def test_a_global_feature_needs_the_keys_of_what_it_reads() -> None:
    assert nt.FeatureService("service", [OVERALL]).keys == {"shop_id": pl.Int64()}


def test_the_features_of_a_service_cannot_be_changed() -> None:
    service = nt.FeatureService("service", [SOLD])
    with pytest.raises(TypeError):
        service.features["other"] = OVERALL.twice  # type: ignore[index]


def test_a_service_comes_back_from_pickle_as_it_was() -> None:
    service = nt.FeatureService("service", [SOLD], owner="us")
    version = service.version
    back = pickle.loads(pickle.dumps(service))
    assert (list(back.features), back.version, back.owner) == (["items"], version, "us")
    with pytest.raises(TypeError):
        back.features["other"] = OVERALL.twice
