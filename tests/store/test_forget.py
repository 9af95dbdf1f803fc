"""Forgetting a key: nothing of it is left in any file, nothing else is touched, and it does not come back."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict, Invalid, NotFound, Unavailable, WrongType
from nowthen.store.store import Store

from . import shop

SECRET = "zebra-7f3a9c1e5b"
PERSON = nt.Entity("person", keys={"person": pl.String})
TIME = pl.Datetime("us", "UTC")


def visits(n: int = 40, first: int = 0) -> pl.DataFrame:
    """n visits, one an hour, of five persons; one of them is to be forgotten."""
    names = [SECRET, "anna", "bert", "cleo", "dora"]
    ids = range(first, first + n)
    return pl.DataFrame(
        {
            "visit": list(ids),
            "when": pl.Series([shop.START + timedelta(hours=i) for i in ids], dtype=TIME),
            "person": [names[i % 5] for i in ids],
            "place": [f"p{i % 3}" for i in ids],
            "spent": [float(i) for i in ids],
        }
    )


def source(rows: pl.DataFrame | None) -> nt.Source:
    reader = None if rows is None else nt.Frame(rows)
    schema = dict(visits(1).schema) if rows is None else None
    return nt.Source("visits", reader, event_time="when", row_id="visit", entities=[PERSON, shop.PLACE], schema=schema)


def service(tx: nt.Source) -> nt.FeatureService:
    habits = nt.feature_view("habits", entity=PERSON, features={"spent_2d": tx["spent"].sum().over("2d")})
    places = nt.feature_view("places", entity=shop.PLACE, features={"visits_1d": tx.count().over("1d")})
    return nt.FeatureService("guests", [habits, places])


def questions() -> pl.DataFrame:
    rows = visits(15)
    return rows.select("person", "place", pl.col("when").alias("at"))


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that has the person everywhere: tables, an older tagged version, features, a training set, a snapshot, the log."""
    store: Store = nt.connect(tmp_path_factory.mktemp("guests") / "store")
    tx = source(visits(30))
    store.apply(service(tx))
    store.ingest(tx)
    store.tag("before")
    store.ingest(source(visits(40)))
    store.backfill("habits", shop.START, shop.START.replace(day=3), every="1d", engine="local")
    store.training_set(questions(), "guests", at="at").save("guests/one")
    store.snapshot("guests")
    store.push(tx, visits(3, first=40), key="late")
    return store.root


@pytest.fixture
def full(furnished: Path, tmp_path: Path) -> Store:
    """A copy of it."""
    made: Store = nt.connect(shutil.copytree(furnished, tmp_path / "full"))
    return made


def persons(store: Store, **options: object) -> set[str]:
    return set(store.events(source(visits(1)), **options).read(["person"])["person"])  # type: ignore[arg-type]


def files_with(folder: Path, text: str) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]


def test_the_key_stands_in_files_before(full: Store) -> None:
    assert {path.split("/")[0] for path in files_with(full.root, SECRET)} >= {
        "tables",
        "features",
        "training",
        "snapshots",
        "log",
    }


def test_afterwards_no_file_of_the_store_has_the_key_in_its_bytes(full: Store) -> None:
    report = full.forget(PERSON, [SECRET])
    assert (files_with(full.root, SECRET), report.left) == ([], ())


def test_the_report_says_where_rows_were(full: Store) -> None:
    report = full.forget(PERSON, [SECRET])
    assert report.rows["source/visits"] == 9
    assert {"view/habits", "training/guests/one", "snapshot/guests"} <= set(report.rows)
    assert report.logs == ("visits",)
    assert SECRET not in str(report)


@pytest.mark.parametrize("key", [SECRET, "ida"])
def test_files_of_values_that_have_the_key_are_named(store: Store, key: str) -> None:
    rows = visits(60).with_columns(pl.col("person").replace(SECRET, key))
    tx = source(rows)
    last = nt.feature_view("last", entity=shop.PLACE, features={"who": tx["person"].last()})
    store.apply(last)
    store.ingest(tx)
    store.backfill("last", shop.START, shop.START.replace(day=3), every="1h", engine="local")
    store.training_set(rows.select("place", at="when"), [last], at="at").save("lately")
    report = store.forget(PERSON, [key])
    assert {path.split("/")[0] for path in report.left} == {"features", "training"}


def test_other_rows_stay_as_they_were(full: Store) -> None:
    columns = visits(1).columns
    before = full.events(source(visits(1))).read(columns).filter(pl.col("person") != SECRET).sort("visit")
    full.forget(PERSON, [SECRET])
    assert full.events(source(visits(1))).read(columns).sort("visit").equals(before)


def test_a_tagged_version_is_without_the_key_and_otherwise_as_it_was(full: Store) -> None:
    full.forget(PERSON, [SECRET])
    found = full.events(source(visits(1)), as_of=full.tags()["before"]).read(["visit"])["visit"].sort().to_list()
    assert found == [visit for visit in range(30) if visit % 5]


def test_versions_that_nothing_pins_end(full: Store) -> None:
    last = full.here.ledger.head().number
    full.forget(PERSON, [SECRET])
    with pytest.raises(NotFound, match="no longer kept"):
        persons(full, as_of=last - 1)


def test_a_saved_training_set_lacks_the_rows_and_says_so(full: Store) -> None:
    before = full.open_training_set("guests/one").collect()
    full.forget(PERSON, [SECRET])
    after = full.open_training_set("guests/one")
    assert after.collect().equals(before.filter(pl.col("person") != SECRET))
    assert sum(one["rows"] for one in after.note["erased"]) == 3


def test_the_same_source_does_not_bring_the_key_back(full: Store) -> None:
    full.forget(PERSON, [SECRET])
    full.ingest(source(visits(40)))
    assert SECRET not in persons(full)


def test_pushing_the_same_row_again_does_not_bring_the_key_back(full: Store) -> None:
    full.forget(PERSON, [SECRET])
    with pytest.raises(Conflict, match="a key that was erased"):
        full.push(source(None), visits(1), key="again")
    full.drain(source(None))
    assert SECRET not in persons(full)


def test_what_is_pushed_afterwards_counts_once(full: Store) -> None:
    full.forget(PERSON, [SECRET])
    full.push(source(None), visits(2, first=46), key="new")
    full.drain(source(None))
    assert full.events(source(visits(1))).read(["visit"])["visit"].sort().to_list()[-2:] == [46, 47]


def test_everything_is_whole_afterwards(full: Store) -> None:
    full.forget(PERSON, [SECRET])
    assert full.scrub().whole
    full.cleanup(keep="0s", versions=1)
    assert nt.connect(full.root).scrub().whole


def test_forgetting_again_finds_nothing(full: Store) -> None:
    full.forget(PERSON, [SECRET])
    assert sum(full.forget(PERSON, [SECRET]).rows.values()) == 0


def test_the_served_answer_knows_the_key_no_more(full: Store) -> None:
    full.forget(PERSON, [SECRET])
    with nt.connect(full.root).online() as online:
        answer = online.get(
            "guests", {"person": [SECRET, "anna"], "place": "p1"}, at=shop.START.replace(day=2, hour=18)
        )
    assert answer.to_polars()["spent_2d"].to_list()[0] in (None, 0.0)
    assert answer.to_polars()["spent_2d"].to_list()[1] > 0


def test_a_writer_that_began_before_starts_over(full: Store) -> None:
    from nowthen.store.ledger.entry import begun
    from nowthen.store.ports import Moved

    work, base = begun("test", "slow"), full.here.ledger.head()
    full.forget(PERSON, [SECRET])
    with pytest.raises(Conflict, match="forgotten"):
        full.here.ledger.commit(base, work, lambda head: Moved({"model/x": head.names["source/visits"]}))


def test_while_a_server_writes_the_log_nothing_is_forgotten(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nowthen.store.care.forget._PATIENCE_S", 0.1)
    with full.log("visits").writer(5.0), pytest.raises(Unavailable, match="Push through it"):
        full.forget(PERSON, [SECRET])
    assert SECRET in persons(full)


@pytest.mark.parametrize(
    "keys, error, says",
    [
        ({"persona": ["x"]}, Invalid, "have columns"),
        ({"person": [None]}, Invalid, "nulls"),
        ({"person": [["x"]]}, WrongType, "person"),
        ({"person": []}, Invalid, "no keys"),
        ("anna", WrongType, "as a list"),
        (b"anna", WrongType, "as a list"),
    ],
)
def test_keys_that_are_none_are_refused(full: Store, keys: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        full.forget(PERSON, keys)


@pytest.mark.parametrize("entity", ["person", None])
def test_what_is_no_entity_is_refused(full: Store, entity: nt.Entity) -> None:
    with pytest.raises(WrongType, match=r"nt\.Entity"):
        full.forget(entity, [SECRET])


def test_an_entity_that_no_source_has_is_refused_and_nothing_ends(full: Store) -> None:
    before = full.here.ledger.head().oldest
    with pytest.raises(NotFound, match="Did you mean 'person'"):
        full.forget(nt.Entity("persom", keys={"person": pl.String}), [SECRET])
    assert full.here.ledger.head().oldest == before


def test_rows_whose_log_nobody_can_read_are_not_passed_over(store: Store) -> None:
    store.push(source(None), visits(3), key="k")
    with pytest.raises(Invalid, match="no registered source"):
        store.forget(PERSON, [SECRET])


def pairs(store: Store) -> nt.Source:
    """Three rows of two keys in the store, in this order."""
    rows = visits(3).with_columns(a=pl.Series([1, 2, 1]), b=pl.Series([2, 1, 1]))
    made = nt.Source("pairs", nt.Frame(rows), event_time="when", entities=[pair(a=pl.Int64, b=pl.Int64)])
    store.ingest(made)
    return made


def pair(**keys: type[pl.DataType]) -> nt.Entity:
    return nt.Entity("pair", keys=keys)


def test_keys_are_known_by_their_names_whatever_their_order(store: Store) -> None:
    made = pairs(store)
    store.forget(pair(b=pl.Int64, a=pl.Int32), {"a": [1], "b": [2]})
    assert store.events(made).read(["a", "b"]).rows() == [(2, 1), (1, 1)]


@pytest.mark.parametrize(
    "other",
    [
        {"a": pl.Int64},
        {"a": pl.Int64, "c": pl.Int64},
        {"a": pl.Int64, "b": pl.Int64, "c": pl.Int64},
        {"a": pl.String, "b": pl.Int64},
    ],
)
def test_an_entity_of_that_name_with_other_keys_is_refused_before_anything_is_done(
    store: Store, other: dict[str, type[pl.DataType]]
) -> None:
    pairs(store)
    with pytest.raises(Invalid, match="in source 'pairs'"):
        store.forget(pair(**other), {name: ["1" if dtype == pl.String else 1] for name, dtype in other.items()})
    assert len(store.history()) == 1


@pytest.mark.parametrize("key", [1.5, True, "1x"])
def test_a_key_of_another_type_is_not_rounded_to_one_that_there_is(store: Store, key: object) -> None:
    store.ingest(shop.source(shop.sales(5)))
    with pytest.raises(WrongType, match="customer_id"):
        store.forget(shop.CUSTOMER, [key])
    assert len(store.history()) == 1
