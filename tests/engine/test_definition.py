"""Definitions as JSON: what comes back has the same content hashes, or is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Corrupt, Invalid, NotFound
from nowthen.engine.language.definition import from_json, to_json, version_of
from nowthen.engine.language.nodes import FoldOver, walk

PERSON = nt.Entity("person", keys={"p": pl.Int64, "q": pl.String}, about="Two keys.")
SCHEMA = {
    "p": pl.Int64,
    "q": pl.String,
    "t": pl.Datetime("us", "UTC"),
    "known": pl.Datetime("ms", "UTC"),
    "id": pl.String,
    "gone": pl.Boolean,
    "x": pl.Float64,
    "n": pl.Int32,
    "day": pl.Date,
    "kind": pl.Enum(["a", "b"]),
    "price": pl.Decimal(10, 2),
    "tags": pl.List(pl.String),
    "parts": pl.Struct({"a": pl.Int8, "b": pl.List(pl.Float32)}),
}


def rows(**options: Any) -> nt.Source:
    given: dict[str, Any] = {"row_id": "id", "known_time": "known", "deleted": "gone", "known_after": {"n": "2d"}}
    return nt.Source("rows", event_time="t", entities=PERSON, schema=SCHEMA, **{**given, **options}, about="Rows.")


r = rows()
request = nt.Request({"amount": pl.Float64, "when": pl.Datetime("us")})
EXPRESSIONS: dict[str, Callable[[], Any]] = {
    "count": lambda: r.count(),
    "window": lambda: r.x.mean().over("7d", delay="1h", closed="left"),
    "tumbling": lambda: r.x.sum().over(nt.tumbling("1d", tz="Europe/Berlin", offset="2h")),
    "hopping": lambda: r.x.max().over(nt.hopping("7d", "1d", partial=True), delay="3h"),
    "filter": lambda: r.filter(r.x > 1.5, r.kind == "a").x.min().over("1d"),
    "where": lambda: r.count(where=r.day > date(2026, 1, 1)).over("1d"),
    "computed": lambda: r.with_columns(y=r.x * 2 + 1)["y"].sum().over("30d"),
    "bare": lambda: r.day,
    "params": lambda: r.x.last(ignore_nulls=True),
    "quantile": lambda: r.x.quantile(0.9, "higher").over("30d"),
    "whole quantile": lambda: r.x.quantile(q=1).over("30d"),
    "lists": lambda: r.x.last_k(5).over("7d").is_null() | r.kind.top_k(2).is_null(),
    "list": lambda: r.day.first_k(2, ignore_nulls=False),
    "default of a list": lambda: nt.feature(r.x.last_k(5).over("7d"), default=[1.5, None, float("nan")]),
    "default of no list": lambda: nt.feature(r.known.bottom_k(5), default=[]),
    "spread": lambda: r.x.std() / r.x.var(ddof=0).over("7d"),
    "distinct": lambda: r.day.n_unique().over("7d") + r.kind.n_unique(),
    "arithmetic": lambda: -((r.x.sum() / r.count()) ** 2) % 7 // 2,
    "literals": lambda: nt.when(request.amount > float("inf")).then(float("nan")).otherwise(-0.0),
    "integers": lambda: r.count() + 2**40,
    "texts": lambda: r.kind.last() == 'a "quoted" ü',
    "times": lambda: (nt.at() > datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)) & (request.when < datetime(2027, 1, 1)),
    "durations": lambda: (nt.at() - timedelta(days=1, microseconds=1)).dt.hour(),
    "cast": lambda: r.n.sum().over("9d", delay="2d").cast(pl.Float32),
    "members": lambda: r.kind.last().is_in(["a", "b"]),
    "coalesce": lambda: nt.coalesce(r.x.last(), request.amount, 0.0),
    "default": lambda: nt.feature(r.x.mean().over("1d"), default=1.5, about="Mean."),
    "inner default": lambda: nt.feature(r.x.mean().over("1d"), default=0.5) * 2,
}


def there_and_back(defined: Any) -> Any:
    return from_json(json.loads(json.dumps(to_json(defined), sort_keys=True)))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_comes_back_with_its_hash(name: str) -> None:
    view = nt.feature_view("view", entity=PERSON, features={"f": EXPRESSIONS[name]()})
    back = there_and_back(view)
    assert back.spec.version("f") == view.spec.version("f")


def everything() -> nt.FeatureService:
    plain = nt.feature_view(
        "plain", entity=PERSON, features={name.replace(" ", "_"): made() for name, made in EXPRESSIONS.items()},
        every="1h", ttl="90d", history="3d", owner="me", tags={"pii": "no"},
    )  # fmt: skip
    derived = nt.feature_view("derived", entity=PERSON, features={"twice": plain.default * 2, "seen": plain.count > 3})
    return nt.FeatureService("all", [plain, derived.twice, derived.select("seen")], owner="us", about="All of it.")


def test_a_service_comes_back_whole() -> None:
    service = everything()
    back = there_and_back(service)
    assert to_json(back) == {**to_json(service), "sources": to_json(back)["sources"]}
    assert back.version == service.version


def test_the_order_of_features_and_columns_comes_back() -> None:
    view = nt.feature_view("v", entity=PERSON, features={"z": r.count(), "a": r.x.max()})
    assert list(there_and_back(view).spec.features) == ["z", "a"]
    assert list(there_and_back(rows()).spec.schema) == list(SCHEMA)


def test_a_service_with_full_names_keeps_them() -> None:
    a = nt.feature_view("a", entity=PERSON, features={"f": r.count()})
    b = nt.feature_view("b", entity=PERSON, features={"f": r.x.sum()})
    assert list(there_and_back(nt.FeatureService("s", [a, b], full_names=True)).features) == ["a__f", "b__f"]


def test_words_and_clocks_of_a_view_come_back() -> None:
    view = there_and_back(everything()).features["count"].view
    assert (view.every, view.ttl, view.history, view.owner, view.tags) == (
        3_600_000_000, 90 * 86_400_000_000, 3 * 86_400_000_000, "me", {"pii": "no"},
    )  # fmt: skip


def test_a_source_comes_back_without_its_data() -> None:
    source = rows(max_ahead=None, time_zone=None)
    back = there_and_back(source).spec
    same = ("name", "event_time", "row_id", "known_time", "known_after", "deleted", "max_ahead", "about", "keys")
    assert [getattr(back, part) for part in same] == [getattr(source.spec, part) for part in same]
    assert (back.schema, back.reader) == (source.spec.schema, None)


def test_a_source_comes_back_with_the_words_about_its_data() -> None:
    source = nt.Source("s", nt.Frame({"t": [datetime(2026, 1, 1)]}, "days"), event_time="t")
    back = there_and_back(source).spec
    assert back.open().describe() == "days (1 rows)"
    with pytest.raises(Invalid, match="knows its data only by this description"):
        back.open().read(["t"])


def test_a_shared_source_comes_back_as_one() -> None:
    back = there_and_back(everything())
    folds = [node for ref in back.features.values() for node in walk(ref) if isinstance(node, FoldOver)]
    assert len({id(fold.source) for fold in folds}) == 1


def test_where_the_data_is_does_not_change_a_version() -> None:
    here = nt.Source("s", nt.Frame({"t": [datetime(2026, 1, 1)]}), event_time="t")
    there = nt.Source("s", event_time="t", schema={"t": pl.Datetime("us")})
    assert version_of(here) == version_of(there)


def test_two_sources_of_one_name_are_refused() -> None:
    other = nt.feature_view("other", entity=PERSON, features={"f": rows(row_id=None, deleted=None).count()})
    mine = nt.feature_view("mine", entity=PERSON, features={"g": r.count()})
    with pytest.raises(Invalid, match="two different sources are named 'rows'"):
        to_json(nt.FeatureService("s", [mine, other]))


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    definition = json.loads(json.dumps(to_json(nt.feature_view("v", entity=PERSON, features={"f": r.x.mean()}))))
    change(definition)
    return definition  # type: ignore[no-any-return]


def fold_of(definition: dict[str, Any]) -> dict[str, Any]:
    return next(node for node in definition["nodes"] if node["node"] == "fold")


def test_an_operator_that_is_not_installed_is_named() -> None:
    with pytest.raises(NotFound, match=r"needs operator 'maen' .*Did you mean 'mean'"):
        from_json(changed(lambda definition: fold_of(definition).update(operator="maen")))


def test_another_version_of_an_operator_is_refused() -> None:
    with pytest.raises(Invalid, match="needs version 99 of operator 'mean'"):
        from_json(changed(lambda definition: fold_of(definition).update(version=99)))


def test_a_definition_that_was_tampered_with_is_refused() -> None:
    with pytest.raises(Corrupt, match="was written as"):
        from_json(changed(lambda definition: fold_of(definition)["window"].update(width=1)))


def test_another_format_is_refused() -> None:
    with pytest.raises(Invalid, match="format 3"):
        from_json(changed(lambda definition: definition.update(format=3)))


@pytest.mark.parametrize("part", ["nodes", "sources", "views", "kind"])
def test_a_definition_with_a_part_missing_is_refused(part: str) -> None:
    with pytest.raises(Invalid, match="malformed"):
        from_json(changed(lambda definition: definition.pop(part)))
