"""Lineage: from a column to the model that was made of it, and nothing beside."""

from __future__ import annotations

import json
import pickle
import re

import pytest

import nowthen as nt
from nowthen.engine.errors import Invalid, NotFound
from nowthen.store.definitions.lineage import Graph
from nowthen.store.store import Store

from . import shop


@pytest.fixture
def known(store: Store) -> Store:
    """Two views, a service of one feature of each, a training set and a model."""
    tx = shop.source(shop.sales())
    spend = nt.feature_view(
        "spend", entity=shop.CUSTOMER, features={"total": tx.amount.sum().over("1d"), "visits": tx.count().over("1d")}
    )
    taste = nt.feature_view("taste", entity=shop.CUSTOMER, features={"big": spend.total > 5, "where": tx.place.last()})
    store.apply([spend, nt.FeatureService("score", [taste.big])])
    store.apply(taste)
    store.ingest(tx)
    store.training_set(shop.labels(), "score", at="t").save("score/2026")
    store.trained("scorer 7", on="score/2026", about="A tree.")
    return store


def names(graph: Graph, kind: str) -> list[str]:
    return [name for one, name in graph.nodes if one == kind]


def test_a_column_leads_to_the_model(known: Store) -> None:
    graph = known.lineage("sales.amount")
    assert {kind: names(graph, kind) for kind in ("source", "feature", "service", "training set", "model")} == {
        "source": ["sales"],
        "feature": ["spend:total", "taste:big"],
        "service": ["score"],
        "training set": ["score/2026"],
        "model": ["scorer 7"],
    }


def test_a_model_leads_back_to_its_columns(known: Store) -> None:
    graph = known.lineage("scorer 7")
    told = ["sales.customer_id", "sales.sale", "sales.when"]
    assert (names(graph, "column"), names(graph, "view")) == (["sales.amount", *told], ["spend", "taste"])


def test_what_a_service_does_not_use_is_not_in_its_lineage(known: Store) -> None:
    assert "spend:visits" not in names(known.lineage("score"), "feature")
    assert names(known.lineage("sales.place"), "service") == []


def test_counted_rows_are_no_column_in_particular_but_whose_and_when_and_which_they_are(known: Store) -> None:
    told = ["sales.customer_id", "sales.sale", "sales.when"]
    assert names(known.lineage("spend:visits"), "column") == ["sales.*", *told]


def test_a_column_that_nothing_reads_has_its_source_alone(known: Store) -> None:
    assert known.lineage("sales.returned").nodes == (("source", "sales"), ("column", "sales.returned"))


def test_edges_join_nodes_that_are_there(known: Store) -> None:
    graph = known.lineage("spend")
    assert {node for edge in graph.edges for node in edge} <= set(graph.nodes)
    assert (("feature", "spend:total"), ("view", "spend")) in graph.edges


def test_it_shows_itself_as_text_json_and_chart(known: Store) -> None:
    graph = known.lineage("spend:total")
    assert "* feature       spend:total  <- sales.amount" in repr(graph)
    parts = json.loads(json.dumps(graph.as_json()))
    assert parts["nodes"][parts["of"][0]] == {"kind": "feature", "name": "spend:total"}
    assert graph.mermaid().startswith("flowchart LR\n")
    assert pickle.loads(pickle.dumps(graph)) == graph


def test_a_name_cannot_break_out_of_the_chart(known: Store) -> None:
    known.trained('x"]; click n0 "javascript:alert(1)"', on="score/2026")
    lines = known.lineage("score").mermaid().splitlines()
    assert [
        line for line in lines[1:] if not re.fullmatch(r'  n\d+(\["[^"\[\]]*"\]| --> n\d+)|  style n\d+ .*', line)
    ] == []


def test_a_model_needs_a_training_set_that_is_there(known: Store) -> None:
    with pytest.raises(NotFound, match=r"no training set is named 'score/2025'\. Did you mean 'score/2026'"):
        known.trained("scorer 8", on="score/2025")
    with pytest.raises(Invalid, match="a model cannot be named"):
        known.trained("\n", on="score/2026")


def test_an_unknown_name_names_the_nearest(known: Store) -> None:
    with pytest.raises(NotFound, match=r"nothing in the store is named 'sales\.amuont'\. Did you mean 'sales\.amount'"):
        known.lineage("sales.amuont")


def test_each_entry_says_what_it_read_and_wrote(known: Store) -> None:
    wrote = {entry.kind: entry.lineage["wrote"] for entry in known.history()}
    assert wrote["save"] == ["training/score/2026"]
    assert wrote["model"] == ["model/scorer 7"]
    assert wrote["ingest"] == ["source/sales"]
