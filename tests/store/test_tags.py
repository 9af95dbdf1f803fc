"""Tags: names for versions of a store, which cleanup leaves alone."""

from __future__ import annotations

import pytest

from nowthen.engine.errors import Conflict, NotFound
from nowthen.store.store import Store

from . import shop


@pytest.fixture
def grown(store: Store) -> Store:
    """A store of three versions."""
    for rows in (10, 20, 30):
        store.ingest(shop.source(shop.sales(rows)))
    return store


def sold(store: Store, version: int) -> int:
    return store.events(shop.source(shop.sales()), as_of=version).read(["sale"]).height


def test_the_newest_version_is_tagged_or_any(grown: Store) -> None:
    assert (grown.tag("now"), grown.tag("then", 2)) == (3, 2)
    assert grown.tags() == {"now": 3, "then": 2}


def test_a_tag_keeps_its_version_through_a_cleanup(grown: Store) -> None:
    grown.tag("then", 1)
    grown.cleanup(keep="0s", versions=1)
    assert sold(grown, 1) == 10
    with pytest.raises(NotFound, match="no longer kept"):
        sold(grown, 2)


def test_a_tag_says_as_of_what_a_store_is_read(grown: Store) -> None:
    grown.tag("then", 2)
    tx = shop.source(shop.sales())
    assert grown.events(tx, as_of="then").read(["sale"]).height == 20
    assert grown.scan(tx, as_of="then").collect().height == 20
    with pytest.raises(
        NotFound, match=r"as_of='than' is neither a tag of this store nor a time .* Did you mean 'then'"
    ):
        grown.events(tx, as_of="than")


def test_a_tag_stays_where_it_is(grown: Store) -> None:
    grown.tag("then", 2)
    before = len(grown.history())
    assert grown.tag("then", 2) == 2
    assert len(grown.history()) == before
    with pytest.raises(Conflict, match="names version 2"):
        grown.tag("then", 1)


def test_what_only_a_tag_kept_goes_when_it_is_taken_away(grown: Store) -> None:
    grown.tag("then", 1)
    grown.cleanup(keep="0s", versions=1)
    grown.untag("then")
    grown.cleanup(keep="0s", versions=1)
    with pytest.raises(NotFound):
        sold(grown, 1)


def test_versions_that_are_not_there_are_refused(grown: Store, store: Store) -> None:
    with pytest.raises(NotFound, match="no such version"):
        grown.tag("later", 99)
    with pytest.raises(NotFound, match="no tag is named 'x'"):
        grown.untag("x")


def test_an_empty_store_has_nothing_to_tag(store: Store) -> None:
    with pytest.raises(NotFound, match="no versions yet"):
        store.tag("now")
    assert not store.root.exists()
