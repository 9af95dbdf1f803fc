"""Ingest: every row once, however often and however it comes; bad rows never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict, Invalid, NotFound, WrongType
from nowthen.engine.folds.rows import ARRIVAL, SEQUENCE
from nowthen.engine.plan.reader import TimeBound
from nowthen.store.store import Store
from nowthen.store.tables.table_list import tables_of

from . import shop

KNOWN = {"known_time": "known"}


def stored(store: Store, name: Any, *columns: str) -> pl.DataFrame:
    return store.events(name).read(columns or ["sale", "amount"])


def with_known(rows: pl.DataFrame, hours: int) -> pl.DataFrame:
    return rows.with_columns(known=pl.col("when") + timedelta(hours=hours))


def test_all_columns_come_back_in_the_order_they_had(store: Store) -> None:
    rows = shop.sales().sample(fraction=1, shuffle=True, seed=1)
    tx = shop.source(rows)
    store.ingest(tx)
    assert stored(store, tx, *rows.columns).equals(rows)


def test_an_ingest_says_what_it_did(store: Store) -> None:
    done = store.ingest(shop.source(shop.sales(50)))
    assert (done.new, done.duplicates, done.corrections, done.late, done.rows, done.version) == (50, 0, 0, 0, 50, 1)


def test_ingesting_again_changes_nothing(store: Store) -> None:
    tx = shop.source(shop.sales())
    store.ingest(tx)
    done = store.ingest(tx)
    assert (done.new, done.duplicates, done.version, len(store.history())) == (0, 60, 1, 1)


def test_only_new_rows_of_a_grown_source_are_added(store: Store) -> None:
    store.ingest(shop.source(shop.sales(40)))
    done = store.ingest(shop.source(shop.sales(60)))
    assert (done.new, done.duplicates, done.rows) == (20, 40, 60)
    assert stored(store, shop.source(shop.sales())).equals(shop.sales().select("sale", "amount"))


def test_late_rows_are_counted_and_kept(store: Store) -> None:
    rows = shop.sales()
    store.ingest(shop.source(rows[30:]))
    assert store.ingest(shop.source(rows)).late == 30


@pytest.mark.parametrize("options", [{}, KNOWN], ids=["later", "known later"])
def test_a_changed_row_is_a_correction(store: Store, options: dict[str, str]) -> None:
    rows = with_known(shop.sales(10), 0)
    changed = with_known(rows, 1).with_columns(amount=pl.lit(999.0))[:3]
    store.ingest(shop.source(rows, **options))
    done = store.ingest(shop.source(pl.concat([changed, rows[3:]]), **options))
    assert (done.new, done.corrections, done.duplicates) == (3, 3, 7)


def test_a_row_changed_back_is_a_correction_again(store: Store) -> None:
    first, second = shop.sales(3), shop.sales(3).with_columns(amount=pl.lit(1.0))
    for rows in (first, second, first):
        store.ingest(shop.source(rows))
    last = stored(store, shop.source(first), "sale", "amount").unique("sale", keep="last", maintain_order=True)
    assert last["amount"].to_list() == first["amount"].to_list()


def test_of_several_rows_of_one_id_in_a_file_the_last_counts_and_repeating_adds_nothing(store: Store) -> None:
    twice = pl.concat([shop.sales(5), shop.sales(5).with_columns(amount=pl.lit(7.0))])
    assert store.ingest(shop.source(twice)).new == 5
    assert store.ingest(shop.source(twice)).new == 0
    assert stored(store, shop.source(twice))["amount"].to_list() == [7.0] * 5


def test_versions_with_known_times_are_all_kept(store: Store) -> None:
    both = pl.concat([with_known(shop.sales(5), 0), with_known(shop.sales(5), 9).with_columns(amount=pl.lit(7.0))])
    done = store.ingest(shop.source(both, **KNOWN))
    assert (done.new, done.corrections) == (10, 5)
    assert store.ingest(shop.source(both, **KNOWN)).new == 0


def test_corrections_unsettle_a_table(store: Store) -> None:
    store.ingest(shop.source(shop.sales(5)))
    before = store.events(shop.source(shop.sales(5))).settled
    store.ingest(shop.source(shop.sales(5).with_columns(amount=pl.lit(7.0))))
    assert (before, store.events(shop.source(shop.sales(5))).settled) == (True, False)


def test_without_row_id_equal_rows_are_kept_as_often_as_they_stand_there(store: Store) -> None:
    rows = pl.concat([shop.sales(3), shop.sales(3)[:1]])
    assert store.ingest(shop.source(rows, row_id=None)).new == 4
    assert store.ingest(shop.source(rows, row_id=None)).new == 0
    assert store.ingest(shop.source(pl.concat([rows, rows[:1], shop.sales(4)[3:]]), row_id=None)).new == 2


def test_rows_without_an_id_stand_for_themselves(store: Store) -> None:
    rows = shop.sales(4).with_columns(sale=pl.when(pl.col("sale") > 1).then("sale"))
    assert store.ingest(shop.source(rows)).new == 4
    assert store.ingest(shop.source(rows)).new == 0


def test_every_row_has_its_arrival_and_a_sequence_of_its_own(store: Store) -> None:
    tx = shop.source(shop.sales())
    before = datetime.now(UTC)
    store.ingest(tx)
    rows = stored(store, tx, ARRIVAL, SEQUENCE)
    assert rows[SEQUENCE].is_sorted()
    assert rows[SEQUENCE].is_unique().all()
    assert rows[ARRIVAL].min() >= before  # type: ignore[operator]


def test_a_source_about_nothing_has_one_table(store: Store) -> None:
    tx = shop.source(shop.sales(), entities=[])
    store.ingest(tx)
    assert [table.path for table in tables_of(store.here)] == ["tables/sales/_all"]
    assert stored(store, tx).equals(shop.sales().select("sale", "amount"))


def test_each_entity_has_its_table_with_all_rows(store: Store) -> None:
    store.ingest(shop.source(shop.sales()))
    assert [table.path for table in tables_of(store.here)] == ["tables/sales/customer", "tables/sales/place"]


def test_a_source_without_rows_can_be_ingested(store: Store) -> None:
    tx = shop.source(shop.sales().clear())
    assert store.ingest(tx).rows == 0
    assert stored(store, tx).height == 0


@pytest.mark.parametrize(
    "dtype",
    [pl.Int8(), pl.Decimal(10, 2), pl.Categorical(), pl.Enum(["0", "1", "2"]), pl.Date(), pl.Time(), pl.Duration("ms")],
)
def test_columns_of_many_types_come_back(store: Store, dtype: pl.DataType) -> None:
    texts = isinstance(dtype, pl.Categorical | pl.Enum)
    more = pl.Series("more", ["0", "1", None] if texts else [0, 1, None]).cast(dtype)
    rows = shop.sales(3).with_columns(more)
    store.ingest(shop.source(rows))
    assert stored(store, shop.source(rows), "more").equals(rows.select("more"))


def test_nested_columns_come_back(store: Store) -> None:
    rows = shop.sales(3).with_columns(
        more=pl.Series([[1, 2], [], None]), parts=pl.Series([{"a": 1}, {"a": None}, {"a": 3}])
    )
    store.ingest(shop.source(rows))
    assert stored(store, shop.source(rows), "more", "parts").equals(rows.select("more", "parts"))


def test_files_outside_a_time_bound_are_not_opened(store: Store) -> None:
    years = pl.concat(
        [
            shop.sales(8).with_columns(pl.col("when").dt.offset_by(f"{n}y"), sale=pl.col("sale") + 100 * n)
            for n in range(30)
        ]
    )
    tx = shop.source(years)
    store.ingest(tx)
    bound = TimeBound("when", int(datetime(2040, 1, 1, tzinfo=UTC).timestamp() * 1e6), None)
    events = store.events(tx)
    opened = events.stored(["when"], events.tables[0], events.inside(events.tables[0].files, bound))
    assert set(opened["when"].dt.year()) < set(years["when"].dt.year())


@pytest.mark.parametrize(
    "change, part",
    [
        ({"row_id": None}, "row_id"),
        ({"entities": [shop.CUSTOMER]}, "keys"),
        ({"time_zone": "Europe/Berlin"}, "time_zone"),
        ({"known_time": "when"}, "known_time"),
    ],
)
def test_a_source_that_lies_otherwise_than_before_is_refused(store: Store, change: dict[str, Any], part: str) -> None:
    store.ingest(shop.source(shop.sales()))
    with pytest.raises(Conflict, match=f"was ingested with {part}="):
        store.ingest(shop.source(shop.sales(), **change))


def test_a_column_of_another_type_is_refused(store: Store) -> None:
    store.ingest(shop.source(shop.sales()))
    with pytest.raises(Conflict, match="amount"):
        store.ingest(shop.source(shop.sales().with_columns(pl.col("amount").cast(pl.String))))


NAIVE = pl.Datetime("us")
BAD: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "null time": (shop.sales().with_columns(when=pl.when(pl.col("sale") != 4).then("when")), {}, Invalid, "when is null in row 4"),
    "ambiguous time": (
        shop.sales(3).with_columns(when=pl.Series([datetime(2026, 10, 25, 2, 30)] * 3)), {"time_zone": "Europe/Berlin"}, Invalid, "row 0: .* is ambiguous",
    ),
    "nanoseconds": (
        shop.sales(2).with_columns(when=pl.Series([1_000, 1_001]).cast(pl.Datetime("ns"))), {}, Invalid, "row 1: .* has nanoseconds",
    ),
    "null known time": (
        shop.sales(3).with_columns(known=pl.lit(None, dtype=NAIVE)), KNOWN, Invalid, "known is null in row 0",
    ),
    "text for a number": (
        shop.sales(3).with_columns(amount=pl.lit("5")), {"schema": dict(shop.sales().schema)}, WrongType, "amount is String; the source says Float64",
    ),
    "number beyond its type": (
        shop.sales(3).with_columns(sale=pl.col("sale") + 200), {"schema": {**shop.sales().schema, "sale": pl.Int8}}, WrongType, "sale row 0: 200",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_rows_are_refused_before_anything_is_written(store: Store, case: str) -> None:
    rows, options, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        store.ingest(shop.source(rows, **options))
    assert (store.history(), (store.root / "events").exists()) == ([], False)


@pytest.mark.parametrize("name", ["", "a.b", "`a`", "__mine", "_rowid"])
def test_a_column_that_no_table_can_have_is_refused(store: Store, name: str) -> None:
    with pytest.raises(Invalid, match=r"cannot be stored\. Rename it"):
        store.ingest(shop.source(shop.sales().rename({"amount": name})))


@pytest.mark.parametrize("name", ["a b", "ü", '"q"', "A", "a\nb", "a/b"])
def test_a_column_of_an_odd_name_comes_back(store: Store, name: str) -> None:
    rows = shop.sales().rename({"amount": name})
    store.ingest(shop.source(rows))
    assert stored(store, shop.source(rows), name).equals(rows.select(name))


def test_a_column_that_the_file_has_not_is_named(store: Store) -> None:
    with pytest.raises(NotFound, match="no column 'returned'"):
        store.ingest(shop.source(shop.sales().drop("returned"), schema=dict(shop.sales().schema)))


def test_a_missing_file_is_named_and_nothing_written(store: Store) -> None:
    with pytest.raises(NotFound, match="nothing is at"):
        store.ingest(shop.source(nt.Parquet("nowhere.parquet"), schema=dict(shop.sales().schema)))
    assert store.history() == []


def test_a_source_that_only_takes_pushes_cannot_be_ingested(store: Store) -> None:
    with pytest.raises(Invalid, match="has no reader"):
        store.ingest(shop.source(None, schema=dict(shop.sales().schema)))


def test_what_is_no_source_cannot_be_ingested(store: Store) -> None:
    with pytest.raises(Invalid, match="is not a source"):
        store.ingest(3)  # type: ignore[arg-type]
