"""The rules: plans before and after each, and the same answers with and without."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import chain, combinations, product

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.build import literal
from nowthen.engine.language.expr import apply
from nowthen.engine.plan.plan import Plan
from nowthen.engine.rules import RULES, optimize
from nowthen.engine.rules.push_time_bound import push_time_bound

from .plans import asked, checked, filtered, under, written
from .shop import ROWS, SHOP, sales, spine

EVERY = "Scan sales from frame (4 rows): sale_id, shop_id, seller, time, amount, items, fraud"
OUTPUTS = """Select
  count_1d = f0
  same = (f1 * 2)
  mean = f2
  late = f3
  Join
    Spine frame (2 rows) at=asked
"""
SHARED = OUTPUTS.replace("f1", "f0")
WRITTEN = f"""{OUTPUTS}    At by shop_id: 1 folds
      f0 = sales.count().over('1d')
      {EVERY}
    At by shop_id: 1 folds
      f1 = sales.count().over('1d')
      {EVERY}
    At by shop_id: 1 folds
      f2 = sales.amount.mean().over('6h')
      {EVERY}
    At by seller: 1 folds
      f3 = sales.items.sum().over('1d', delay='1h') every 1h
      {EVERY}"""
GOLDEN = {
    "share_folds": f"""{SHARED}    At by shop_id: 1 folds
      f0 = sales.count().over('1d')
      {EVERY}
    At by shop_id: 1 folds
      f2 = sales.amount.mean().over('6h')
      {EVERY}
    At by seller: 1 folds
      f3 = sales.items.sum().over('1d', delay='1h') every 1h
      {EVERY}""",
    "merge_folds": f"""{OUTPUTS}    At by shop_id: 3 folds
      f0 = sales.count().over('1d')
      f1 = sales.count().over('1d')
      f2 = sales.amount.mean().over('6h')
      {EVERY}
    At by seller: 1 folds
      f3 = sales.items.sum().over('1d', delay='1h') every 1h
      {EVERY}""",
    "prune_columns": f"""{OUTPUTS}    At by shop_id: 1 folds
      f0 = sales.count().over('1d')
      Scan sales from frame (4 rows): shop_id, time
    At by shop_id: 1 folds
      f1 = sales.count().over('1d')
      Scan sales from frame (4 rows): shop_id, time
    At by shop_id: 1 folds
      f2 = sales.amount.mean().over('6h')
      Scan sales from frame (4 rows): shop_id, time, amount
    At by seller: 1 folds
      f3 = sales.items.sum().over('1d', delay='1h') every 1h
      Scan sales from frame (4 rows): seller, time, items""",
    "push_time_bound": f"""{OUTPUTS}    At by shop_id: 1 folds
      f0 = sales.count().over('1d')
      {EVERY}; time in [2020-01-01 11:59:59.999999, 2020-01-02 12:00:00]
    At by shop_id: 1 folds
      f1 = sales.count().over('1d')
      {EVERY}; time in [2020-01-01 11:59:59.999999, 2020-01-02 12:00:00]
    At by shop_id: 1 folds
      f2 = sales.amount.mean().over('6h')
      {EVERY}; time in [2020-01-02 05:59:59.999999, 2020-01-02 12:00:00]
    At by seller: 1 folds
      f3 = sales.items.sum().over('1d', delay='1h') every 1h
      {EVERY}; time in [2020-01-01 09:59:59.999999, 2020-01-02 12:00:00]""",
}
PLAINER = """Select
  frauds = f0
  again = f1
  many = f2
  either = feature(f4, default=0)
  items = f5
  Join
    Spine frame (2 rows) at=asked
"""
FOLDS = f"""    At by shop_id: 1 folds
      f0 = sales.filter(sales.fraud).count().over('1d')
      {EVERY}
    At by shop_id: 1 folds
      f1 = sales.filter(sales.fraud).count().over('1d')
      {EVERY}
    At by shop_id: 1 folds
      f2 = sales.amount.filter((sales.fraud & (sales.items > 1))).mean().over('6h')
      {EVERY}
"""
NOBODY_READS = f"""    At by shop_id: 1 folds
      f3 = sales.items.max()
      {EVERY}
"""
LAST = f"""    At by shop_id: 1 folds
      f4 = sales.items.filter(sales.fraud).sum().over('6h')
      {EVERY}
    At by seller: 1 folds
      f5 = sales.items.sum()
      {EVERY}"""
# Of rules that need what others made, the plan after all of them up to this one.
GOLDEN_IN_TURN = {
    "simplify": PLAINER + FOLDS + NOBODY_READS + LAST,
    "prune_folds": PLAINER + FOLDS + LAST,
    "push_filters": f"""{PLAINER.replace("f1", "f0")}    At by shop_id: 3 folds
      f0 = sales.count().over('1d')
      f2 = sales.amount.filter((sales.items > 1)).mean().over('6h')
      f4 = sales.items.sum().over('6h')
      {EVERY} where sales.fraud
    At by seller: 1 folds
      f5 = sales.items.sum()
      {EVERY}""",
}
SIZES = (0, 1, 2, len(RULES) - 1, len(RULES))
GOLDEN["choose_way"] = WRITTEN  # nobody says yet what a run may use; tests/engine/test_choose_way.py has the rest
SUBSETS = list(chain.from_iterable(combinations(RULES, size) for size in SIZES))


def test_lowering_writes_a_scan_for_every_fold() -> None:
    assert str(written(asked())) == WRITTEN


def test_every_rule_has_its_golden_plan() -> None:
    assert {rule.__name__ for rule in RULES} == {*GOLDEN, *GOLDEN_IN_TURN}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_rule_alone_makes_its_golden_plan(name: str) -> None:
    rule = next(rule for rule in RULES if rule.__name__ == name)
    assert str(rule(written(asked()))) == GOLDEN[name]


@pytest.mark.parametrize("name", GOLDEN_IN_TURN)
def test_a_rule_after_those_before_it_makes_its_golden_plan(name: str) -> None:
    upto = [rule.__name__ for rule in RULES].index(name) + 1
    assert str(reduce(checked, RULES[:upto], written(filtered(), statuses=False))) == GOLDEN_IN_TURN[name]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_plan_is_left_as_it_is_where_a_rule_has_nothing_to_do(rule: Callable[[Plan], Plan]) -> None:
    plan = optimize(written(filtered()))
    assert str(rule(plan)) == str(plan)
    assert [id(output.expr) for output in rule(plan).outputs] == [id(output.expr) for output in plan.outputs]


@pytest.mark.parametrize("rules", SUBSETS, ids=lambda rules: "+".join(rule.__name__ for rule in rules) or "none")
def test_answers_are_the_same_under_any_of_the_rules(rules: tuple[Callable[[Plan], Plan], ...]) -> None:
    for training_set, status in product((asked(), filtered()), (True, False)):
        wanted = under((), training_set, status=status)
        assert under(rules, training_set, status=status).equals(wanted)


def test_a_fold_of_what_never_changes_has_the_value_it_had() -> None:
    tx = sales()
    features = {
        "never": (tx.fraud & False).any(),
        "always": (tx.fraud | True).all().over("6h"),
        "many": apply("when", True, literal(2), tx["items"]).sum(),
    }
    training_set = nt.training_set(spine(), nt.feature_view("view", entity=SHOP, features=features), at="asked")
    for status in (True, False):
        wanted = under((), training_set, status=status)
        assert training_set.collect(engine="local", status=status).equals(wanted)
    assert wanted["many"].to_list() == [6, 2]


def test_values_are_the_same_with_and_without_statuses() -> None:
    for training_set in (asked(), filtered()):
        values = training_set.collect(engine="local")
        assert training_set.collect(engine="local", status=True).select(values.columns).equals(values)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_applied_twice_changes_nothing_more(rule: Callable[[Plan], Plan]) -> None:
    for plan in (written(asked()), written(filtered(), statuses=False)):
        once = rule(plan)
        assert str(rule(once)) == str(once)


@pytest.mark.parametrize(
    "declared, bounded",
    [({}, True), ({"row_id": "sale_id"}, False), ({"row_id": "sale_id", "known_time": "time"}, False)],
    ids=["plain", "versions", "versions known later"],
)
def test_rows_with_versions_are_not_bounded_by_time(declared: dict[str, str], bounded: bool) -> None:
    plan = push_time_bound(written(asked(sales(**declared))))
    assert all((side.scan.bound is not None) == bounded for side in plan.input.sides)


def test_a_fold_over_forever_has_no_first_time() -> None:
    view = nt.feature_view("view", entity=[], features={"count": sales().count()}, every="1d")
    bound = push_time_bound(written(nt.training_set(ROWS, view, at="time"))).input.sides[0].scan.bound
    assert bound is not None
    assert bound.first is None


def test_naive_local_times_are_bounded_with_a_day_to_spare() -> None:
    rows = ROWS.with_columns(pl.col("time").dt.replace_time_zone(None))
    local = nt.Source("sales", nt.Frame(rows), event_time="time", time_zone="Pacific/Kiritimati")
    view = nt.feature_view("view", entity=[], features={"count": local.count().over("1h")})
    spine = pl.DataFrame({"asked": [rows["time"][0]]}).with_columns(pl.col("asked") - pl.duration(hours=14))
    assert nt.training_set(spine, view, at="asked").collect(engine="local")["count"].to_list() == [1]


def test_folds_of_equal_definitions_over_different_sources_are_not_shared() -> None:
    one, other = sales(), nt.Source("sales", nt.Frame(ROWS.head(1)), event_time="time")
    views = [nt.feature_view(f"v{n}", entity=[], features={f"f{n}": s.count()}) for n, s in enumerate((one, other))]
    found = nt.training_set(ROWS.tail(1).select("time"), views, at="time").collect(engine="local")
    assert found.select("f0", "f1").row(0) == (4, 1)


def test_explain_shows_the_plan_before_and_after() -> None:
    text = asked().explain()
    assert WRITTEN in text
    assert text.index("as written") < text.index("as it runs")
