"""Definitions as files: what is exported comes back the same, and a file that says something else than it means is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict, Corrupt, Invalid, NotFound
from nowthen.store.store import Store

from . import shop


def spend(width: str = "1d") -> type[nt.FeatureView]:
    tx = shop.source(shop.sales())
    features = {
        "total": nt.feature(tx.amount.sum().over(width), default=0.0, about="Spent a day."),
        "high": tx.filter(tx.amount > 5).count().over("7d"),
    }
    return nt.feature_view("spend", entity=shop.CUSTOMER, features=features, owner="me", tags={"pii": "no"})


@pytest.fixture
def exported(store: Store, tmp_path: Path) -> Path:
    store.apply(nt.FeatureService("score", [spend()], owner="us", about="Scores."))
    store.export(tmp_path / "defs")
    return tmp_path / "defs"


def test_each_definition_is_a_file(exported: Path) -> None:
    files = sorted(path.relative_to(exported).as_posix() for path in exported.rglob("*.json"))
    assert files == ["services/score.json", "sources/sales.json", "views/spend.json"]


def test_a_file_says_in_words_what_it_means(exported: Path) -> None:
    said = json.loads((exported / "views" / "spend.json").read_text())["says"]
    assert said["total"] == "feature(sales.amount.sum().over('1d'), default=0.0)"


def test_what_was_exported_is_imported_as_it_was(exported: Path, tmp_path: Path, store: Store) -> None:
    other = nt.connect(tmp_path / "other")
    assert {change.state for change in other.import_(exported).changes} == {"new"}
    assert other.import_(exported).is_empty
    assert other.service("score").version == store.service("score").version
    assert {one.title: one.id for one in other.registry.current().values()} == {
        one.title: one.id for one in store.registry.current().values()
    }


def test_exporting_again_changes_no_byte(exported: Path, store: Store) -> None:
    before = {path: path.read_bytes() for path in exported.rglob("*.json")}
    store.export(exported)
    assert {path: path.read_bytes() for path in exported.rglob("*.json")} == before


def test_files_of_what_is_no_more_are_removed_and_others_left(exported: Path, store: Store) -> None:
    (exported / "views" / "mine.json").write_text('{"kind": "note"}')
    store.remove("score")
    store.export(exported)
    assert not (exported / "services" / "score.json").exists()
    assert (exported / "views" / "mine.json").exists()


def test_a_change_in_one_place_changes_one_line_of_words(exported: Path, store: Store) -> None:
    before = (exported / "views" / "spend.json").read_text().splitlines()
    store.apply(spend("2d"))
    store.export(exported)
    after = (exported / "views" / "spend.json").read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert any("over('2d')" in line for line in changed)
    assert len(changed) == 4  # two versions, the words and the width


def test_an_import_breaks_nobody(exported: Path, tmp_path: Path) -> None:
    other = nt.connect(tmp_path / "other")
    tx = shop.source(shop.sales())
    more = nt.feature_view(
        "spend", entity=shop.CUSTOMER, features={"total": tx.amount.sum(), "high": tx.count(), "more": tx.amount.max()}
    )
    other.apply(nt.FeatureService("users", [more]))
    with pytest.raises(Conflict, match="spend:more is removed, but it is used by service users"):
        other.import_(exported)
    assert other.plan_import(exported).breaking


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "change, error",
    [
        (lambda c: c["says"].update(total="tx.amount.max()"), "'says' is not what its definition means"),
        (lambda c: c.update(version="0" * 32), "'version' is not what"),
        (lambda c: c.update(owner="you"), "'owner' is not what"),
        (lambda c: c.update(extra=1), "'extra' is not what"),
        (lambda c: c["definition"].update(extra=1), "'definition' is not what"),
        (lambda c: c["definition"]["nodes"][0].update(extra=1), "'definition' is not what"),
        (lambda c: c["definition"]["views"]["spend"].update(every=1), "reads as version"),
        (lambda c: c["definition"].update(name="../../x"), "not a definition|cannot be named|malformed"),
        (lambda c: c["definition"].pop("nodes"), "malformed"),
        (lambda c: c["definition"]["nodes"].append({"node": "__class__"}), "'definition' is not what"),
        (lambda c: c["definition"].update(format=1), "format 1"),
        (lambda c: c["definition"]["nodes"][0].update(arg=0, kept=0), "not a definition|malformed"),
        (lambda c: c.pop("kind"), "not a definition"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(
    exported: Path, store: Store, change: Callable[[dict[str, Any]], object], error: str
) -> None:
    edit(exported / "views" / "spend.json", change)
    before = store.history()[-1].number
    with pytest.raises((Invalid, Corrupt), match=error):
        store.import_(exported)
    assert store.history()[-1].number == before


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"kind": "view"}', b"null"])
def test_what_is_no_definition_is_refused(exported: Path, store: Store, content: bytes) -> None:
    (exported / "views" / "spend.json").write_bytes(content)
    with pytest.raises(Invalid, match="not a definition"):
        store.import_(exported)


def test_a_definition_under_another_name_is_refused(exported: Path, store: Store) -> None:
    (exported / "views" / "spend.json").rename(exported / "views" / "other.json")
    with pytest.raises(Invalid, match=r"belongs in views/spend.json"):
        store.import_(exported)


def test_links_are_not_followed(exported: Path, store: Store, tmp_path: Path) -> None:
    (exported / "views" / "spend.json").rename(tmp_path / "spend.json")
    (exported / "views" / "spend.json").symlink_to(tmp_path / "spend.json")
    with pytest.raises(Invalid, match="is a link"):
        store.import_(exported)


@pytest.mark.parametrize("link", ["views/spend.json", "views"])
def test_nothing_is_written_through_a_link(exported: Path, store: Store, tmp_path: Path, link: str) -> None:
    (exported / link).rename(tmp_path / "elsewhere")
    (exported / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Invalid, match="behind a link"):
        store.export(exported)


def test_a_folder_without_definitions_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such folder"):
        store.import_(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="holds no definitions"):
        store.import_(tmp_path / "empty")
