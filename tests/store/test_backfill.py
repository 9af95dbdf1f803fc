"""Backfill: what is computed, what is not computed again, and what becomes a hole."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.errors import Deadline, Invalid, NotFound, UnknownColumn
from nowthen.store.features import asked_rows, backfill, column_files, filler
from nowthen.store.features.asked_rows import Wanted
from nowthen.store.features.view_backfill import How, ViewBackfill
from nowthen.store.store import Store

from . import shop
from .backfilled import DAYS, FEW, HOURS, asked, chunks, spend


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two times of seven customers."""
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", FEW)


def test_values_are_those_of_a_training_set_at_the_same_instants(store: Store, tx: nt.Source) -> None:
    store.backfill("shop", *DAYS, **HOURS)
    for view in ("customer_spend", "place_trade", "trade"):
        found = store.scan(view).collect()
        assert_frame_equal(found, asked(store, view, found), check_exact=True)
        assert found["at"].n_unique() == 8


def test_what_is_there_is_not_computed_again(store: Store, tx: nt.Source) -> None:
    first = store.backfill(spend(tx), *DAYS, **HOURS)
    again = store.backfill(spend(tx), *DAYS, **HOURS)
    assert first.values == {"spend:count_1d": first.rows, "spend:mean_3d": first.rows}
    assert (again.values, again.tasks, again.version) == ({}, 0, first.version)
    assert first.tasks == len(chunks(store)) > 3


def test_a_longer_stretch_computes_what_is_new(store: Store, tx: nt.Source) -> None:
    rows = store.backfill(spend(tx), "2026-01-02", "2026-01-03", **HOURS).rows
    more = store.backfill(spend(tx), *DAYS, **HOURS)
    assert more.rows == len(store.scan("spend").collect()) - rows
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)


def test_a_changed_feature_recomputes_itself_alone_into_files_beside(store: Store, tx: nt.Source) -> None:
    store.backfill(spend(tx), *DAYS, **HOURS)
    before = {chunk.id: chunk for chunk in chunks(store)}
    changed = spend(tx, mean_3d=tx["amount"].mean().over("2d"))
    done = store.backfill(changed, *DAYS, **HOURS)
    assert list(done.values) == ["spend:mean_3d"]
    assert {hole.because for hole in done.holes} == {"the feature changed"}
    for chunk in chunks(store):
        assert chunk.keys == before[chunk.id].keys
        assert dict(chunk.columns).items() > before[chunk.id].columns.items()
    found = store.scan(changed).collect()
    assert_frame_equal(found, asked(store, changed, found), check_exact=True)


def test_going_back_to_a_former_definition_computes_nothing(store: Store, tx: nt.Source) -> None:
    store.backfill(spend(tx), *DAYS, **HOURS)
    before = store.scan(spend(tx)).collect()
    store.backfill(spend(tx, mean_3d=tx["amount"].max().over("2d")), *DAYS, **HOURS)
    assert store.backfill(spend(tx), *DAYS, **HOURS).values == {}
    assert_frame_equal(store.scan(spend(tx)).collect(), before)


def test_a_feature_of_another_name_and_equal_hash_is_not_computed(store: Store, tx: nt.Source) -> None:
    store.backfill(spend(tx), *DAYS, **HOURS)
    view = nt.feature_view("spend", entity=shop.CUSTOMER, features={"sales_1d": tx.count().over("1d")})
    assert store.backfill(view, *DAYS, **HOURS).values == {}
    assert store.scan(view).collect()["sales_1d"].equals(store.scan(spend(tx)).collect()["count_1d"])


def test_a_feature_that_is_new_is_added(store: Store, tx: nt.Source) -> None:
    store.backfill(spend(tx), *DAYS, **HOURS)
    assert list(store.backfill(spend(tx, most=tx["amount"].max().over("1d")), *DAYS, **HOURS).values) == ["spend:most"]


def test_a_late_row_makes_stale_what_it_can_touch(store: Store, tx: nt.Source) -> None:
    store.backfill(spend(tx), *DAYS, **HOURS)
    before = chunks(store)
    store.push(tx, [shop.row(900, 25.5)])
    late = shop.START + timedelta(hours=25.5)
    done = store.backfill(spend(tx), *DAYS, **HOURS)
    assert {hole.because for hole in done.holes} == {"rows changed since"}
    kept = [chunk for chunk in before if chunk in chunks(store)]
    assert 0 < len(kept) < len(before)
    assert max(chunk.last for chunk in kept) < late.timestamp() * 1e6
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)


def test_a_correction_makes_stale_what_knew_better(store: Store) -> None:
    rows = shop.sales().with_columns(known=pl.col("when"))
    source = shop.source(rows, known_time="known")
    store.ingest(source)
    view = nt.feature_view("spend", entity=shop.CUSTOMER, features={"sum_3d": source["amount"].sum().over("3d")})
    store.backfill(view, *DAYS, **HOURS)
    known = shop.START + timedelta(hours=30)
    better = rows[3:4].with_columns(amount=pl.lit(1e6), known=pl.lit(known).dt.cast_time_unit("us"))
    store.ingest(source.spec.reading(nt.Frame(pl.concat([rows, better]))))
    stale = store.holes(view, *DAYS, **HOURS)
    assert stale
    assert min(hole.end for hole in stale) > known.timestamp() * 1e6
    store.backfill(view, *DAYS, **HOURS)
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, view, found), check_exact=True)
    assert found["sum_3d"].max() > 1e6  # type: ignore[operator]


def test_compaction_makes_nothing_stale(store: Store, tx: nt.Source) -> None:
    store.ingest(shop.source(shop.sales(80)))
    store.backfill(spend(tx), *DAYS, **HOURS)
    store.compact("sales")
    assert store.holes(spend(tx), *DAYS, **HOURS) == []


def test_holes_say_what_is_missing_and_why(store: Store, tx: nt.Source) -> None:
    store.backfill(spend(tx), "2026-01-01T12:00", "2026-01-02", **HOURS)
    before, after = store.holes(spend(tx), *DAYS, **HOURS)
    assert str(before) == "spend on 6h from 2026-01-01 to 2026-01-01T12:00:00Z: count_1d, mean_3d (never filled)"
    assert after.as_json()["start"] == "2026-01-02"


def test_a_backfill_that_was_stopped_goes_on_where_it_was(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = filler.Filler.fill
    done: list[int] = []

    def dies(self: Any, draft: Any) -> Any:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(sum(one.values.height for one, _ in draft.written()))
        return plain(self, draft)

    monkeypatch.setattr(backfill, "_COMMIT_BYTES", 1)

    monkeypatch.setattr(filler.Filler, "fill", dies)
    with pytest.raises(KeyboardInterrupt):
        store.backfill(spend(tx), *DAYS, **HOURS)
    monkeypatch.undo()
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", FEW)
    rest = store.backfill(spend(tx), *DAYS, **HOURS)
    found = store.scan("spend").collect()
    assert rest.rows == found.height - sum(done)
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)


@pytest.mark.parametrize("size, commits", [(1, 4), (700, 2), (1 << 20, 1)])
def test_chunks_are_committed_together_up_to_a_size(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch, size: int, commits: int
) -> None:
    monkeypatch.setattr(backfill, "_COMMIT_BYTES", size)
    before = store.here.ledger.head().number
    done = store.backfill(spend(tx), *DAYS, **HOURS)
    assert (done.tasks, store.here.ledger.head().number - before) == (4, commits)
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)


def test_backfills_at_once_converge(store: Store, tx: nt.Source) -> None:
    views = [spend(tx), spend(tx, most=tx["amount"].max().over("1d")), spend(tx)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda view: Store.at(store.root).backfill(view, *DAYS, **HOURS), views))
    found = store.scan(views[1]).collect()
    assert_frame_equal(found, asked(store, views[1], found), check_exact=True)
    assert store.backfill(views[1], *DAYS, **HOURS).values == {}


def test_the_rows_of_a_spine_keep_their_order_and_number(store: Store, tx: nt.Source) -> None:
    spine = pl.concat([shop.labels(), shop.labels()]).sample(fraction=1, shuffle=True, seed=3)
    done = store.backfill("customer_spend", spine=spine, at="t")
    found = store.scan("customer_spend").collect()
    wanted = store.training_set(spine.select("customer_id", "t"), "customer_spend", at="t").collect()
    assert_frame_equal(found, wanted.rename({"t": "at"}), check_exact=True)
    assert (done.tasks, store.backfill("customer_spend", spine=spine, at="t").values) == (3, {})


def test_keys_of_other_widths_lie_in_one_table(store: Store, tx: nt.Source) -> None:
    store.backfill("customer_spend", *DAYS, **HOURS)
    narrow = shop.labels().with_columns(pl.col("customer_id").cast(pl.Int16))
    store.backfill("customer_spend", spine=narrow, at="t")
    wanted = store.training_set(shop.labels().select("customer_id", "t"), "customer_spend", at="t").collect()
    every = next(chunk.grid.label for chunk in chunks(store, "customer_spend") if chunk.grid.spine)
    assert_frame_equal(store.scan("customer_spend", every=every).collect(), wanted.rename({"t": "at"}))


def test_a_view_that_was_renamed_keeps_its_values(store: Store, tx: nt.Source) -> None:
    store.backfill("customer_spend", *DAYS, **HOURS)
    before = store.scan("customer_spend").collect()
    store.rename("customer_spend", "spending")
    assert store.holes("spending", *DAYS, **HOURS) == []
    assert_frame_equal(store.scan("spending").collect(), before)
    store.backfill("spending", "2026-01-01", "2026-01-04", **HOURS)
    assert store.scan("spending").collect().height == before.height + 28


def test_events_are_filled_at_their_own_times(store: Store, tx: nt.Source) -> None:
    store.backfill("customer_spend", spine="sales")
    found = store.scan("customer_spend").collect()
    spine = shop.sales().select("customer_id", at="when")
    wanted = store.training_set(spine, "customer_spend", at="at").collect()
    assert_frame_equal(found, wanted, check_exact=True)
    store.push(tx, [shop.row(901, 300)])
    assert store.backfill("customer_spend", spine=tx).rows == 1


def test_a_grid_can_be_over_given_keys_with_request_fields(store: Store, tx: nt.Source) -> None:
    request = nt.Request({"limit": pl.Float64})
    features = {"left": request["limit"] - tx["amount"].sum().over("1d")}
    view = nt.feature_view("left", entity=shop.CUSTOMER, features=features)
    keys = pl.DataFrame({"customer_id": [3, 99], "limit": [10.0, 20.0]})
    store.backfill(view, *DAYS, **HOURS, keys=keys)
    wanted = nt.training_set(nt.grid(keys, *DAYS, **HOURS), view, at="at").collect().drop("limit")
    assert_frame_equal(store.scan("left").collect(), wanted, check_exact=True)


def test_chunks_of_equal_keys_and_times_keep_their_own_values(store: Store, tx: nt.Source) -> None:
    request = nt.Request({"limit": pl.Float64})
    features = {"left": request["limit"] - tx["amount"].sum().over("1d"), "one": request["limit"] * 0}
    view = nt.feature_view("left", entity=shop.CUSTOMER, features=features)
    rows = shop.labels(FEW).select("customer_id", "t")
    spine = pl.concat([rows.with_columns(limit=pl.lit(limit)) for limit in (1.0, 1e3, 1e6)])
    assert store.backfill(view, spine=spine, at="t").tasks == 3
    wanted = store.training_set(spine, view, at="t").collect().drop("limit")
    assert_frame_equal(store.scan("left").collect(), wanted.rename({"t": "at"}), check_exact=True)


@pytest.mark.parametrize("spine", ["given", "events"])
def test_a_view_without_keys_is_filled_at_rows_too(store: Store, tx: nt.Source, spine: str) -> None:
    given = shop.labels(20) if spine == "given" else shop.sales().select(t="when")
    store.backfill("trade", **({"spine": given, "at": "t"} if spine == "given" else {"spine": tx}))
    wanted = store.training_set(given.select(at="t"), "trade", at="at").collect()
    assert_frame_equal(store.scan("trade").collect(), wanted, check_exact=True)


@pytest.mark.parametrize("error", [OSError(28, "full"), KeyboardInterrupt(), RuntimeError("can't start new thread")])
def test_files_that_fail_leave_nothing_behind(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    plain, made = column_files.ColumnFiles.frame, count()

    def fails(self: Any, stem: str, frame: pl.DataFrame) -> Any:
        if next(made) == 5:
            raise error
        return plain(self, stem, frame)

    with monkeypatch.context() as patched:
        patched.setattr(column_files.ColumnFiles, "frame", fails)
        with pytest.raises(type(error)):
            store.backfill(spend(tx), *DAYS, **HOURS)
    assert not list((store.root / "draft").glob("*/*"))
    store.backfill(spend(tx), *DAYS, **HOURS)
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)


def test_a_commit_that_no_thread_can_be_started_for_is_whole_or_nothing(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool has heard of it before it fails, so that another of its threads may still carry it out."""
    plain, heard = ThreadPoolExecutor.submit, count()

    def fails(self: Any, work: Any, /, *given: Any) -> Any:
        made = plain(self, work, *given)
        if work.__name__ == "fill" and next(heard) == 1:
            time.sleep(0.2)
            raise RuntimeError("can't start new thread")
        return made

    monkeypatch.setattr(backfill, "_COMMIT_BYTES", 1)
    with monkeypatch.context() as patched:
        patched.setattr(ThreadPoolExecutor, "submit", fails)
        with pytest.raises(RuntimeError, match="new thread"):
            store.backfill(spend(tx), *DAYS, **HOURS)
    assert not list((store.root / "draft").glob("*/*"))
    assert store.scan("spend").collect().height > 0
    store.backfill(spend(tx), *DAYS, **HOURS)
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)


@pytest.mark.parametrize("first", ["commit", "giving up"])
def test_a_draft_is_committed_or_given_up_and_never_both(first: str, store: Store, tx: nt.Source) -> None:
    job = ViewBackfill(store.here, spend(tx).spec, ["count_1d"], Wanted(*DAYS, **HOURS), store.here.ledger.head())
    (run,), before = job.runs(How()), store.here.ledger.head().number
    with ThreadPoolExecutor(1) as writers:
        draft = job.filler.draft(writers)
        for filled in job.computed(run, How()):
            draft.write(filled)
        if first == "commit":
            job.filler.fill(draft)
            assert not draft.claim()
        else:
            assert draft.claim()
            with draft:
                pass
            with pytest.raises(nt.Conflict, match="given up"):
                job.filler.fill(draft)
    assert not list((store.root / "draft").glob("*/*"))
    assert store.here.ledger.head().number - before == (first == "commit")


def test_a_stretch_before_all_keys_has_no_rows_and_is_no_hole(store: Store, tx: nt.Source) -> None:
    done = store.backfill(spend(tx), "2025-12-30", "2026-01-02", **HOURS)
    assert store.holes(spend(tx), "2025-12-30", "2026-01-02", **HOURS) == []
    assert done.rows == store.scan("spend").collect().height > 0


def test_a_dry_run_counts_and_does_nothing(store: Store, tx: nt.Source) -> None:
    before = store.here.ledger.head().number
    said = store.backfill(spend(tx), *DAYS, **HOURS, dry_run=True)
    assert store.here.ledger.head().number == before
    done = store.backfill(spend(tx), *DAYS, **HOURS)
    assert (said.rows, said.tasks, said.values, said.bytes) == (done.rows, done.tasks, done.values, done.bytes)
    assert said.seconds is not None
    assert "Nothing was done" in str(said)


def test_a_deadline_keeps_what_is_done(store: Store, tx: nt.Source) -> None:
    with pytest.raises(Deadline):
        store.backfill(spend(tx), *DAYS, **HOURS, deadline="1us")


@pytest.mark.ray
def test_on_ray_the_values_are_the_same(store: Store, tx: nt.Source, ray_cluster: Any) -> None:
    done = store.backfill("shop", *DAYS, **HOURS, engine="ray")
    assert done.values["trade:all_6h"] == 8
    for view in ("customer_spend", "place_trade", "trade"):
        found = store.scan(view).collect()
        assert_frame_equal(found, asked(store, view, found), check_exact=True)


def test_request_fields_that_a_grid_lacks_are_refused(store: Store, tx: nt.Source) -> None:
    request = nt.Request({"limit": pl.Float64})
    view = nt.feature_view("left", entity=shop.CUSTOMER, features={"left": request["limit"] - tx["amount"].sum()})
    with pytest.raises(Invalid, match="request field 'limit'"):
        store.backfill(view, *DAYS)


@pytest.mark.parametrize(
    "how, kind, says",
    [
        ({}, Invalid, "which rows"),
        ({"start": "2026-01-01"}, Invalid, "which rows"),
        ({"spine": pl.DataFrame({"customer_id": [1]})}, Invalid, "needs at="),
        ({"spine": pl.DataFrame({"x": [1]}), "at": "t"}, UnknownColumn, "no column 'customer_id'"),
        ({"start": DAYS[0], "end": DAYS[1], "at": "t"}, Invalid, "names a column of spine="),
        ({"start": DAYS[1], "end": DAYS[0]}, Invalid, "must come after"),
        ({"start": DAYS[0], "end": DAYS[1], "keys": {"x": [1]}}, UnknownColumn, "no key column"),
        ({"start": DAYS[0], "end": DAYS[1], "workers": 0}, Invalid, "at least one"),
    ],
)
def test_what_means_nothing_is_refused(
    store: Store, tx: nt.Source, how: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        store.backfill("customer_spend", **how)


def test_a_source_that_was_never_ingested_is_named(store: Store) -> None:
    with pytest.raises(NotFound, match=r"store.ingest\(...\)"):
        store.backfill(spend(shop.source(shop.sales())), *DAYS)
