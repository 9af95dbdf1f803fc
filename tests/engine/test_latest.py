"""The latest rows, learned a piece at a time, are those that the driver finds among all rows."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from nowthen.engine.folds import compiled
from nowthen.engine.folds import latest as latest_rows
from nowthen.engine.folds.ask import Answer, Ask
from nowthen.engine.folds.at import Asked, Driver
from nowthen.engine.folds.column import Column, Index
from nowthen.engine.folds.grouping import Order
from nowthen.engine.folds.latest import Latest, looks_at_the_latest
from nowthen.engine.folds.ready import Ready
from nowthen.engine.folds.rows import Rows, arrange
from nowthen.engine.language.fold import Fold
from nowthen.engine.language.registry import operators
from nowthen.engine.language.window import tumbling, window

pytestmark = pytest.mark.usefixtures("loops")

GROUPS = 12
WINDOWS = {
    "forever": window("forever"),
    "forever, delayed": window("forever", "20us"),
    "sliding": window("50us"),
    "delayed": window("50us", "20us"),
    "strictly before": window("50us", closed="left"),
}
TYPES: dict[str, pl.DataType] = {
    "amount": pl.Float64(),
    "pieces": pl.Int32(),
    "paid": pl.Boolean(),
    "shop": pl.String(),
    "sent": pl.Datetime("us", "UTC"),
}


def last(*, ignore_nulls: bool = False) -> Fold:
    kind: Any = operators()["last"]
    made: Fold = kind(ignore_nulls=ignore_nulls)
    return made


def asks() -> list[Ask]:
    """Over every column, window, clock and ttl, with filter and without, nulls seen and skipped."""
    made = []
    for column in [None, *TYPES]:
        dtype = TYPES[column] if column else pl.Datetime("us", "UTC")
        for name, one in WINDOWS.items():
            for clocks in ((), (30,)):
                for kept in (None, "kept"):
                    for skips in (False, True) if column else (False,):
                        for ttl in (None, 15, 60) if name.startswith("forever") else (None,):
                            label = f"{column} {name} {clocks} {kept} {skips} {ttl}"
                            fold = last(ignore_nulls=skips)
                            made.append(Ask(label, fold, column, kept, one, dtype, clocks, ttl))
    return made


def world(seed: int, *, sequence: bool = False) -> tuple[Rows, Index, Order, Index]:
    """Rows in any order with the group of each, and questions in order."""
    random = np.random.default_rng(seed)
    n = int(random.choice([0, 1, 40, *[600] * 9]))

    def column(values: Any, dtype: pl.DataType, nulls: float) -> Column:
        return Column(dtype, values, random.random(n) >= nulls if nulls else None)

    shops = np.array([f"shop {i}" for i in random.integers(0, 9, n)], dtype=object)
    columns = {
        "amount": column(random.normal(size=n), TYPES["amount"], 0.3),
        "pieces": column(random.integers(0, 99, n).astype(np.int32), TYPES["pieces"], 0),
        "paid": column(random.random(n) < 0.5, TYPES["paid"], 0.3),
        "shop": column(shops, TYPES["shop"], 0.3),
        "sent": column(random.integers(0, 999, n), TYPES["sent"], 0),
        "kept": column(random.random(n) < 0.5, pl.Boolean(), 0.2),
    }
    time = random.integers(0, int(random.choice([5, 300, 2000])), n)
    if seed % 3 == 0:
        time.sort()
    numbers = random.permutation(n) if sequence else None
    questions = int(random.choice([0, 1, *[500] * 8]))
    asked_group, asked = random.integers(0, GROUPS, questions), random.integers(-20, 400, questions)
    order = Order.of(asked_group, GROUPS, asked)
    return Rows(time, columns, numbers), random.integers(-1, GROUPS - 2, n), order, order.sorted(asked)


def cuts(n: int, pieces: int) -> list[slice]:
    edges = np.sort(np.random.default_rng(n).integers(0, n + 1, pieces - 1)).tolist()
    return [slice(low, high) for low, high in zip([0, *edges], [*edges, n], strict=True)]


def fresh(order: Order, times: Index, which: list[Ask] | None = None) -> Latest:
    made = Latest.of(which or asks(), order.offsets, times)
    assert made is not None
    return made


def by_driver(rows: Rows, group: Index, order: Order, times: Index) -> dict[str, Answer]:
    events = arrange(rows, group, GROUPS).events
    asked = Asked(order.groups(slice(0, order.size)) if order.size else np.empty(0, dtype=np.int64), times)
    return {ask.name: answer for ask, answer in Driver(Ready.of(events, asks()), asked).answers()}


def check(found: Latest, wanted: dict[str, Answer]) -> None:
    answers = {ask.name: answer for ask, answer in found.answers()}
    assert list(answers) == [ask.name for ask in asks()]
    for name, answer in answers.items():
        other = wanted[name]
        assert answer.value.to_series().equals(other.value.to_series()), name
        assert answer.value.values.dtype == other.value.values.dtype, name
        for mine, its in ((answer.found, other.found), (answer.expired, other.expired)):
            assert (mine is None) == (its is None), name
            assert mine is None or its is None or mine.tolist() == its.tolist(), name


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("pieces", [1, 4])
def test_rows_cut_into_pieces_give_the_drivers_answers(seed: int, pieces: int) -> None:
    rows, group, order, times = world(seed)
    latest = fresh(order, times)
    for cut in cuts(len(rows), pieces):
        latest.add(rows.take(cut), group[cut])
    check(latest, by_driver(rows, group, order, times))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sequence", [False, True])
def test_pieces_that_are_cut_again_give_the_drivers_answers(
    seed: int, monkeypatch: pytest.MonkeyPatch, *, sequence: bool
) -> None:
    monkeypatch.setattr(latest_rows, "_BLOCK", 7)
    rows, group, order, times = world(seed, sequence=sequence)
    latest = fresh(order, times)
    for cut in cuts(len(rows), 3):
        latest.add(rows.take(cut), group[cut])
    check(latest, by_driver(rows, group, order, times))


def test_of_rows_at_one_time_the_last_stays_wherever_their_key_was_asked_meanwhile() -> None:
    """Rows of a key go to and fro between its two questions, and three of them are alike in time."""
    order = Order.of(np.zeros(2, dtype=np.int64), 1, np.array([10, 20]))
    last_amount = Ask("last", last(), "amount", None, WINDOWS["forever"], TYPES["amount"])
    latest = Latest.of([last_amount], order.offsets, np.array([10, 20]), with_status=False)
    assert latest is not None
    for times, amounts in (([5, 15, 5, 15, 5], [1.0, 2.0, 3.0, 4.0, 5.0]), ([15, 5, 15, 4], [6.0, 7.0, 8.0, 9.0])):
        rows = Rows(np.array(times), {"amount": Column(TYPES["amount"], np.array(amounts))})
        latest.add(rows, np.zeros(len(times), dtype=np.int64))
    assert [answer.value.values.tolist() for _, answer in latest.answers()] == [[7.0, 8.0]]


@pytest.mark.parametrize("seed", range(12))
def test_rows_with_a_sequence_may_come_in_any_order(seed: int) -> None:
    rows, group, order, times = world(seed, sequence=True)
    latest = fresh(order, times)
    for cut in reversed(cuts(len(rows), 3)):
        latest.add(rows.take(cut), group[cut])
    check(latest, by_driver(rows, group, order, times))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("sequence", [False, True])
def test_what_several_learned_is_merged_in_order(seed: int, sequence: bool) -> None:
    rows, group, order, times = world(seed, sequence=sequence)
    several = [fresh(order, times) for _ in range(3)]
    for one, cut in zip(several, cuts(len(rows), 3), strict=True):
        one.add(rows.take(cut), group[cut])
    first, second, third = (travelled(one) for one in several)
    second.merge(third.knowledge)
    first.merge(second.knowledge)
    check(first, by_driver(rows, group, order, times))


def travelled(latest: Latest) -> Latest:
    """As it comes out of shared memory, where nothing may be written to."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(latest, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(buffer.raw()) for buffer in buffers])  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(2, 8))
def test_either_form_goes_on_from_the_other(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, group, order, times = world(seed)
    forms = itertools.cycle([None, compiled.warm()])
    latest = fresh(order, times)
    for cut, form in zip(cuts(len(rows), 6), forms, strict=False):
        monkeypatch.setattr(compiled, "kernels", lambda _, form=form: form)
        latest.add(rows.take(cut), group[cut])
    check(latest, by_driver(rows, group, order, times))


def test_more_is_learned_after_a_journey() -> None:
    rows, group, order, times = world(7)
    latest = fresh(order, times)
    for cut in cuts(len(rows), 3):
        latest = travelled(latest)
        latest.add(rows.take(cut), group[cut])
    check(latest, by_driver(rows, group, order, times))


@pytest.mark.parametrize("far", [2**40, 2**60])
def test_times_may_lie_so_far_apart_that_they_fit_beside_no_group(far: int) -> None:
    rows, group, order, times = world(9)
    scaled = [part * np.int64(far // 2000) for part in (rows.time, times)]
    rows = replace(rows, time=scaled[0])
    latest = fresh(order, scaled[1])
    for cut in cuts(len(rows), 2):
        latest.add(rows.take(cut), group[cut])
    check(latest, by_driver(rows, group, order, scaled[1]))


def test_values_alone_are_the_same_without_statuses() -> None:
    rows, group, order, times = world(7)
    plain = Latest.of(asks(), order.offsets, times, with_status=False)
    assert plain is not None
    plain.add(rows, group)
    wanted = by_driver(rows, group, order, times)
    for ask, answer in plain.answers():
        assert answer.value.to_series().equals(wanted[ask.name].value.to_series()), ask.name
        assert answer.found is None


def test_other_folds_and_windows_do_not_fit() -> None:
    first: Any = operators()["first"]
    plain = asks()[0]
    for other in (replace(plain, fold=first()), replace(plain, window=tumbling("1d"))):
        assert not looks_at_the_latest(other)
        assert Latest.of([plain, other], np.zeros(2, dtype=np.int64), np.empty(0, dtype=np.int64)) is None


def test_a_fold_that_looks_at_the_latest_means_it() -> None:
    folds = [kind for kind in operators().values() if isinstance(kind, type) and issubclass(kind, Fold) and kind.latest]
    assert folds
    meanings: list[Callable[[list[Any]], Any]] = [kind().meaning for kind in folds]
    assert [meaning([3, 1, 2]) for meaning in meanings] == [2] * len(folds)
    assert [meaning([]) for meaning in meanings] == [None] * len(folds)


def test_ties_of_many_rows_are_decided_by_sequence() -> None:
    one_instant = np.full(5, 3)
    rows = Rows(one_instant, {"pieces": Column(pl.Int32(), np.arange(5, dtype=np.int32))}, np.array([1, 4, 0, 3, 2]))
    ask = Ask("last", last(), "pieces", None, window("forever"), pl.Int32())
    latest = Latest.of([ask], np.array([0, 1]), np.array([3]))
    assert latest is not None
    latest.add(rows, np.zeros(5, dtype=np.int64))
    ((_, answer),) = latest.answers()
    assert answer.value.values.tolist() == [1]
