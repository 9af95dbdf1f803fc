"""A hot key cut by time: slices and what is carried between them give what the whole gives, for every fold and kind of window."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.plan.way import Resources
from nowthen.engine.rules import optimize
from nowthen.engine.running import slices
from nowthen.engine.running.training_set import TrainingSet

from .shop import NOON, SHOP

pytestmark = pytest.mark.usefixtures("bucketed", "loops")
SMALL = 1e-12


@pytest.fixture(autouse=True)
def large_pieces(bucketed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pieces of the source, not thousands: how it is cut by time is asked here."""
    monkeypatch.setattr(import_module("nowthen.engine.rules.choose_way"), "_LARGEST_PIECE", 1000)


@pytest.fixture(autouse=True)
def ran(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many steps of each kind ran."""
    found: Counter[str] = Counter()
    for kind in (slices.Slice, slices.Carry):
        made = kind.__call__

        def counted(self: Any, *given: Any, made: Any = made, name: str = kind.__name__) -> Any:
            found[name] += 1
            return made(self, *given)

        monkeypatch.setattr(kind, "__call__", counted)
    return found


def hot(n: int = 3000, share: float = 0.9) -> pl.DataFrame:
    """Sales most of which one shop has; equal times, nulls, NaN, huge values that leave windows."""
    rng = np.random.default_rng(3)
    amount = rng.normal(size=n)
    amount[rng.integers(0, n, 5)] = 1e16
    return pl.DataFrame(
        {
            "shop_id": np.where(rng.random(n) < share, 1, rng.integers(2, 9, n)),
            "time": NOON + pl.Series(rng.integers(0, 4000, n)).cast(pl.Duration("us")) * 1_000_000,
            "amount": [None if k % 17 == 0 else v for k, v in enumerate(amount.tolist())],
            "items": rng.integers(0, 50, n),
            "note": [f"n{k}" for k in rng.integers(0, 9, n)],
            "fraud": rng.random(n) < 0.3,
        }
    )


def training_set(features: Any, **more: Any) -> TrainingSet:
    """Of the hot sales, asked at some of their times and between."""
    rows = hot()
    view = nt.feature_view(
        "view",
        entity=SHOP,
        features=features(nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP, **more)),
    )
    spine = rows.select("shop_id", "time").sample(1500, seed=5)
    made: TrainingSet = nt.training_set(pl.concat([spine, spine[:50]]), view, at="time")
    return made


def all_folds(tx: Any) -> dict[str, Any]:
    """Every fold over short windows and long ones, and for ever where its state is small; with filters and delays."""
    amount, items = tx.amount, tx.items
    plain = {
        "n": tx.count(), "known": amount.count(), "total": amount.sum(), "mean": amount.mean(), "std": amount.std(),
        "low": amount.min(), "high": items.max(), "first": tx.note.first(), "last": tx.note.last(),
        "any": tx.fraud.any(),
    }  # fmt: skip
    made = {f"{name}_{w}": fold.over(w) for name, fold in plain.items() for w in ("7s", "10m", "forever")}
    made |= {f"{name}_{w}": fold.over(w) for name, fold in holding_values(tx).items() for w in ("7s", "10m")}
    kept = tx.filter(tx.fraud & (items > 3))
    return made | {
        "late": amount.sum().over("forever", delay="1m"),
        "before": kept.items.sum().over("forever", closed="left"),
        "kept": kept.count().over("forever"),
        "kept_5m": kept.amount.max().over("5m", delay="30s"),
    }


def holding_values(tx: Any) -> dict[str, Any]:
    """Folds whose states hold the values themselves."""
    return {
        "kinds": tx.note.n_unique(), "median": tx.items.median(), "high": tx.amount.quantile(0.9),
        "latest": tx.amount.last_k(3), "latest_seen": tx.note.last_k(2, ignore_nulls=False), "earliest": tx.note.first_k(2),
        "most": tx.items.top_k(3), "least": tx.note.bottom_k(2),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(holding_values(nt.Source("sales", nt.Frame(hot(9)), event_time="time"))))
def test_the_values_of_the_past_are_never_carried(name: str, ran: Counter[str]) -> None:
    made = training_set(lambda tx: {"n": tx.count().over("7s"), "f": holding_values(tx)[name].over("forever")})
    assert made.collect(engine="local").equals(made.collect(engine="local", workers=1))
    assert not ran


def test_slices_give_what_the_whole_gives(ran: Counter[str]) -> None:
    made = training_set(all_folds)
    whole = made.collect(engine="local", workers=1, status=True)
    assert not ran
    sliced = made.collect(engine="local", status=True)
    assert ran["Slice"] > 2
    assert ran["Carry"] == ran["Slice"] - 1
    assert_frame_equal(sliced, whole, check_exact=False, rel_tol=SMALL, abs_tol=SMALL)


@pytest.mark.parametrize("times, sliced", [(1.5, False), (4.0, True)])
def test_a_bucket_is_cut_where_there_is_no_room_for_it(
    times: float, sliced: bool, ran: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nowthen.engine.plan.budget._LEAST", 0)
    made = training_set(all_folds)
    (side,) = optimize(replace(made.plan(), resources=Resources(1 << 40, slots=1))).input.sides
    memory = int(side.way.memory / times / Resources(1000, slots=1).of_steps * 1000)
    assert made.collect(engine="local", workers=1, memory=memory).height == 1550
    assert bool(ran["Slice"]) == sliced


def test_a_list_that_is_carried_beyond_all_rows(ran: Counter[str]) -> None:
    rows = pl.DataFrame({"shop_id": [1] * 200, "tags": [[1, 2]] * 200})
    rows = rows.with_columns(time=NOON + pl.int_range(200).cast(pl.Duration("us")) * 1_000_000)
    source = nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"n": source.tags.count(), "m": source.count().over("5s")})
    later = rows.select("shop_id", pl.col("time").dt.offset_by("1d"))
    made = nt.training_set(later, view, at="time")
    assert made.collect(engine="local").equals(made.collect(engine="local", workers=1))
    assert ran["Carry"] > 0


@pytest.mark.parametrize("shop", [1, 2, 3, 7])
def test_a_key_that_is_alone_is_cut_whatever_its_bucket(shop: int, ran: Counter[str]) -> None:
    rows = hot().with_columns(shop_id=pl.lit(shop, dtype=pl.Int64))
    source = nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"n": source.count().over("1m")})
    made = nt.training_set(rows.select("shop_id", "time"), view, at="time")
    assert made.collect(engine="local").equals(made.collect(engine="local", workers=1))
    assert ran["Slice"] > 2


def test_nothing_is_carried_where_no_window_is_for_ever(ran: Counter[str]) -> None:
    made = training_set(lambda tx: {"n": tx.count().over("1m"), "most": tx.amount.max().over("1h")})
    assert made.collect(engine="local").equals(made.collect(engine="local", workers=1))
    assert ran["Slice"] > 2
    assert ran["Carry"] == 0


def test_a_clock_of_the_view_moves_what_is_carried(ran: Counter[str]) -> None:
    rows = hot()
    source = nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP)
    view = nt.feature_view(
        "view", entity=SHOP, every="15m", features={"n": source.count(), "m": source.items.sum().over("20m")}
    )
    made = nt.training_set(rows.select("shop_id", "time"), view, at="time")
    assert made.collect(engine="local", status=True).equals(made.collect(engine="local", workers=1, status=True))
    assert ran["Carry"] > 0


def test_rows_that_are_known_later_are_never_sliced(ran: Counter[str]) -> None:
    made = training_set(lambda tx: {"n": tx.count(), "m": tx.items.sum().over("1m")}, known_time="time")
    assert made.collect(engine="local").equals(made.collect(engine="local", workers=1))
    assert ran["Slice"] == 0
