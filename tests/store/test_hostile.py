"""What comes from outside: names, paths, addresses and literals that want to be something else are refused, or stay the values they are."""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Invalid, NotFound, NowThenError
from nowthen.store.store import Store

from . import shop

SECRET = "h0t-secret"
# Names that lead elsewhere, hide, take themselves for an option, a device, a pattern, markup or another name, in one list for all doors.
NAMES = {
    "up": "../../etc/passwd",
    "up by backslash": "..\\..\\windows",
    "up encoded": "%2e%2e%2fetc",
    "absolute": "/etc/passwd",
    "drive": "C:\\x",
    "dot": ".",
    "dots": "..",
    "hidden": ".hidden",
    "option": "-rf",
    "long option": "--force",
    "nothing": "",
    "blank": " ",
    "blank at its end": "rides ",
    "newline": "rides\n",
    "nul": "rides\0",
    "bell": "\a",
    "escape": "\x1b[31mred",
    "turned round": "rides\u202egpj.exe",
    "no width": "ri\u200bdes",
    "cyrillic": "r\u0456des",
    "full width": "\uff52\uff49\uff44\uff45\uff53",
    "accent to be composed": "ride\u0301s",
    "surrogate": "\ud800",
    "pattern": "*",
    "question": "rides?",
    "home": "~root",
    "variable": "$HOME",
    "command": "`id`",
    "pipe": "a|b",
    "quote": "a'b",
    "double quote": 'a"b',
    "statement": "x'; DROP TABLE rides; --",
    "always true": "x' OR '1'='1",
    "comment": "a--b",
    "markup": "<script>alert(1)</script>",
    "template": "{{7*7}}",
    "format": "{0.__class__}",
    "address": "s3://bucket/x",
    "query": "rides?versionId=1",
    "colon": "a:b",
    "pin": "rides@abc",
    "long": "a" * 300,
    "number first": "1rides",
    "dunder": "__class__",
}
TX = shop.source(shop.sales())

DOORS: dict[str, Callable[[Store, str], object]] = {
    "a source": lambda _, name: nt.Source(name, event_time="t", schema={"t": pl.Datetime("us")}),
    "an entity": lambda _, name: nt.Entity(name, keys={"k": pl.Int64}),
    "a view": lambda _, name: nt.feature_view(name, entity=shop.CUSTOMER, features={"f": TX.count()}),
    "a feature": lambda _, name: nt.feature_view("v", entity=shop.CUSTOMER, features={name: TX.count()}),
    "a service": lambda _, name: nt.FeatureService(name, [nt.feature_view("v", entity=shop.CUSTOMER, features={"f": TX.count()})]),
    "a new name": lambda store, name: store.rename("spend", name),
}  # fmt: skip
QUESTIONS: dict[str, Callable[[Store, str], object]] = {
    "service": lambda store, name: store.service(name),
    "view": lambda store, name: store.view(name),
    "source": lambda store, name: store.source(name),
    "manifest": lambda store, name: store.manifest(name),
    "versions": lambda store, name: store.versions(name),
    "lineage": lambda store, name: store.lineage(name),
    "remove": lambda store, name: store.remove(name),
    "rename": lambda store, name: store.rename(name, "other"),
    "deprecate": lambda store, name: store.deprecate(name, because="x"),
    "rollback": lambda store, name: store.rollback("spend", to=name),
    "training set": lambda store, name: store.open_training_set(name),
    "training features": lambda store, name: store.training_set(shop.labels(), name, at="t"),
    "scan": lambda store, name: store.scan(name),
    "compact": lambda store, name: store.compact(name),
    "untag": lambda store, name: store.untag(name),
    "model": lambda store, name: store.trained("m", on=name),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that no test here changes but by tags and training sets."""
    store: Store = nt.connect(tmp_path_factory.mktemp("hostile") / "store")
    store.apply(
        nt.FeatureService("score", [nt.feature_view("spend", entity=shop.CUSTOMER, features={"f": TX.count()})])
    )
    store.ingest(TX)
    store.compact()
    return store


def everything(root: Path) -> list[str]:
    """All paths around a store."""
    return sorted(path.relative_to(root.parent).as_posix() for path in root.parent.rglob("*"))


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("door", DOORS)
def test_a_hostile_name_enters_nowhere(filled: Store, door: str, name: str) -> None:
    before = everything(filled.root)
    with pytest.raises((Invalid, AttributeError)):
        DOORS[door](filled, name)
    assert everything(filled.root) == before


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_hostile_name_finds_nothing_and_makes_nothing(filled: Store, name: str) -> None:
    before = everything(filled.root)
    for ask in QUESTIONS.values():
        with pytest.raises((NotFound, Invalid)):
            ask(filled, name)
    assert everything(filled.root) == before


@pytest.mark.parametrize("ask", QUESTIONS)
@pytest.mark.parametrize("name", [3, 1.5, True, b"spend", ["nobody"], {"spend": 1}], ids=str)
def test_what_is_no_text_finds_nothing(filled: Store, ask: str, name: Any) -> None:
    with pytest.raises((NotFound, Invalid)):
        QUESTIONS[ask](filled, name)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_label_is_refused_or_stays_what_it_is_and_leaves_the_store(filled: Store, name: str) -> None:
    try:
        filled.tag(name, 2)
        filled.training_set(shop.labels()[:3], "score", at="t").save(name)
    except Invalid:
        assert name not in filled.tags()
    else:
        assert (filled.tags()[name], filled.open_training_set(name).name) == (2, name)
        assert name.isprintable()
    assert [path for path in everything(filled.root) if not path.startswith("store")] == []


@pytest.mark.parametrize("device", ["CON", "nul", "COM1"])
def test_a_device_is_a_plain_name_here(store: Store, device: str) -> None:
    store.apply(nt.feature_view(device, entity=shop.CUSTOMER, features={"f": TX.count()}))
    assert store.view(device).spec.name == device
    assert not any(Path(path).stem == device for path in everything(store.root))


@pytest.mark.parametrize("column", ["__sequence", "__mine", "_rowid", "_rowaddr", "a.b", "`a`", "", "*", "^.*$"])
def test_a_column_that_a_table_takes_for_something_else_is_refused(store: Store, column: str) -> None:
    rows = shop.sales(3).with_columns(pl.lit(1).alias(column))
    with pytest.raises(Invalid):
        store.ingest(nt.Source("sales", nt.Frame(rows), event_time="when", entities=[shop.CUSTOMER]))
    assert not store.root.exists()


@pytest.mark.parametrize(
    "column", ["a b", "a'b", 'a"b', "ü", "x; DROP TABLE y", "-rf", "$HOME", "a/b", "\u202ex", "AMOUNT", "a*"]
)
def test_a_column_of_any_other_name_comes_back(store: Store, column: str) -> None:
    rows = shop.sales(5).with_columns(pl.Series(column, range(5)))
    tx = nt.Source("sales", nt.Frame(rows), event_time="when", entities=[shop.CUSTOMER], row_id="sale")
    store.ingest(tx)
    assert store.events(tx).read([column])[column].to_list() == list(range(5))
    view = nt.feature_view("v", entity=shop.CUSTOMER, features={"f": tx.filter(tx[column] > 2)[column].sum()})
    assert store.training_set(shop.labels(), view, at="t").collect()["f"].sum() > 0


LITERALS = ["x' OR '1'='1", "p1'; DROP TABLE sales; --", "%", "_", "p1\0", '"', "\\", "NULL", "true", "p1 OR TRUE"]


@pytest.mark.parametrize("literal", LITERALS)
def test_a_literal_in_a_filter_is_a_value(store: Store, literal: str) -> None:
    rows = shop.sales(20).with_columns(place=pl.Series(["p1", literal] * 10))
    tx = shop.source(rows)
    store.ingest(tx)
    view = nt.feature_view("v", entity=shop.CUSTOMER, features={"f": tx.filter(tx.place == literal).count()})
    labels = pl.DataFrame({"customer_id": range(7), "t": [shop.START.replace(year=2027)] * 7})
    found = store.training_set(labels, view, at="t").collect()["f"].sum()
    assert found == rows.filter(pl.col("place") == literal, pl.col("customer_id").is_not_null()).height


@pytest.mark.parametrize("literal", LITERALS)
def test_forgetting_a_key_forgets_that_key_alone(store: Store, literal: str) -> None:
    rows = shop.sales(20).with_columns(place=pl.Series(["p1", literal] * 10))
    tx = shop.source(rows)
    store.apply(tx)
    store.ingest(tx)
    store.forget(shop.PLACE, {"place": [literal]})
    assert set(store.events(tx).read(["place"])["place"]) == {"p1"}


# -- secrets ------------------------------------------------------------------------------------------------------------
ADDRESSES = [
    f"s3://key:{SECRET}@bucket/store",
    f"s3://bucket/store?token={SECRET}",
    f"s3://key:{SECRET}/bucket",
    f"s3://bucket/store#{SECRET}",
    f"gs://{SECRET}@bucket/store",
    f"http://user:{SECRET}@host/store",
    f"postgres://user:{SECRET}@host/db",
    f"file://user:{SECRET}@host/store",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_with_a_secret_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(NowThenError) as error:
        nt.connect(address)
    told: BaseException | None = error.value
    while told is not None:
        assert SECRET not in str(told)
        told = told.__cause__ or told.__context__


def test_a_secret_given_to_a_store_is_in_no_text_pickle_or_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("obstore", reason="obstore is an extra")
    caplog.set_level(logging.DEBUG)
    options = {
        "aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": SECRET, "aws_endpoint": "http://127.0.0.1:9",
        "allow_http": "true", "patience_s": "0",
    }  # fmt: skip
    told: list[Any] = []
    try:
        store = nt.connect("s3://bucket/store", storage=options, log=tmp_path)
        told += [repr(store), repr(store.here), pickle.dumps(store)]
        store.apply(TX)
    except NowThenError as error:
        told += [repr(error), repr(error.__cause__), repr(error.__context__)]
    shown = io.StringIO()
    print(*told, caplog.text, sep="\n", file=shown)
    assert told
    assert SECRET not in shown.getvalue()


def test_a_path_with_a_secret_is_not_in_what_is_exported(store: Store, tmp_path: Path) -> None:
    address = f"s3://key:{SECRET}@bucket/tx.parquet?sig={SECRET}"
    tx = nt.Source("sales", nt.Parquet(address), event_time="when", schema=dict(shop.sales().schema))
    store.apply(tx)
    store.export(tmp_path / "defs")
    written = [path.read_bytes() for path in [*tmp_path.rglob("*.json")]]
    assert len(written) > 3
    assert not any(SECRET.encode() in content for content in written)
    assert SECRET not in repr(store.plan(tx)) + repr(store.history()) + repr(store.versions("sales"))
