"""What `explain` shows: the plan, what a run of it did, and the same as a table, a picture and data."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.running.shelf import Shelf
from nowthen.engine.running.training_set import TrainingSet
from nowthen.engine.showing.diagram import Diagram
from nowthen.engine.showing.explained import Explained
from nowthen.engine.showing.explained_places import Places

from .plans import asked
from .shop import ROWS, SELLER, SHOP, sales, spine

RAN = """# rows with # features in # s: # rows/s
local, up to # steps at a time within #; CPU # s, peak memory of this process #, spilled # B

operator                     steps rows bytes CPU s wall s span s waited s spilled time
Select: # features #
  Join #
    Spine: frame (# rows) #
    At #: by shop_id #
      Scan #: sales #
    At #: by seller #
      Scan #: sales #

as it ran
"""


def analyzed(training_set: TrainingSet, **how: Any) -> Explained:
    """A run here, looked at."""
    made = training_set.explain(analyze=True, **({"engine": "local"} | how))
    assert made.ran is not None
    return made


def operators(explained: Explained) -> dict[str, dict[str, Any]]:
    """The operators by name."""
    return {one["name"]: one for one in explained.to_dict()["operators"]}


def masked(text: str) -> str:
    """A text without its figures: those of an operator's line are one."""
    text = re.sub(r"(?m)(  +(-|(< )?[\d.,]+( ?(B|kB|MB|%))?))+( +[█▏▎▍▌▋▊▉]+)?$", " #", text)
    return re.sub(r"\d[\d.,]*( (MB|GB|kB))?", "#", text)


def test_a_run_is_shown_operator_by_operator() -> None:
    text = str(analyzed(asked()))
    head, _, plan = text.partition("as it ran\n")
    assert [line.split() for line in masked(head).splitlines()] == [line.split() for line in RAN.splitlines()[:-1]]
    assert plan == str(asked().plan(engine="local"))


def test_columns_are_aligned_however_long_the_figures_are() -> None:
    lines = str(analyzed(asked())).split("\n\n")[1].splitlines()
    ends = [[found.end() for found in re.finditer(r"time|%", line)] for line in lines]
    assert len({one[-1] for one in ends}) == 1


@pytest.mark.usefixtures("bucketed")
def test_the_answers_of_every_at_are_those_of_all_rows_of_the_spine() -> None:
    views = [
        nt.feature_view("shop", entity=SHOP, features={"n": sales().count().over("1d")}),
        nt.feature_view("seller", entity=SELLER, features={"last": sales().amount.last()}),
        nt.feature_view("all", entity=[], features={"most": sales().amount.max()}),
    ]
    long = pl.concat([spine()] * 5)
    found = operators(analyzed(nt.training_set(long, views, at="asked")))
    answers = [one["rows"] for name, one in found.items() if name.startswith("At")]
    assert sum(answers) == found["Spine"]["rows"] * 3 == 30
    assert {one["rows"] for name, one in found.items() if name.startswith("Scan")} == {ROWS.height}
    assert found["Join"]["rows"] == found["Select"]["rows"] == 10


@pytest.mark.usefixtures("bucketed")
def test_every_source_that_is_read_another_way_is_a_box_of_its_own() -> None:
    tx = sales()
    views = [
        nt.feature_view("seller", entity=SELLER, features={"last": tx.amount.last()}),
        nt.feature_view("all", entity=[], features={"most": tx.amount.max()}),
        nt.feature_view("shop", entity=SHOP, features={"n": tx.count()}),
    ]
    found = operators(analyzed(nt.training_set(spine(), views, at="asked")))
    assert {name: one["rows"] for name, one in found.items() if name.startswith("Scan")} == {
        f"Scan {number}": ROWS.height for number in (1, 2, 3)
    }
    assert all(one["bytes"] > 0 for one in found.values())


@pytest.mark.usefixtures("bucketed")
def test_the_figures_of_all_operators_add_up_to_the_run() -> None:
    ran = analyzed(asked(shop_id=[1, 2] * 50, seller=["ann"] * 100, asked=[spine()["asked"][0]] * 100)).ran
    assert ran is not None
    assert sum(map(ran.share, ran.figures)) == pytest.approx(1)
    assert sum(one.cpu_s for one in ran.figures.values()) <= ran.cpu_s + 0.05
    assert all(one.span_s <= ran.wall_s + 0.05 for one in ran.figures.values())
    assert ran.rows == 100
    assert ran.rows_per_s == pytest.approx(100 / ran.wall_s)
    assert ran.peak > 10_000_000


@pytest.mark.usefixtures("bucketed")
def test_what_does_not_fit_is_seen_to_go_to_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert analyzed(asked()).to_dict()["spilled"] == 0
    made = Shelf.__init__
    monkeypatch.setattr(Shelf, "__init__", lambda shelf, memory: made(shelf, 0))
    explained = analyzed(asked())
    found = operators(explained)
    assert found["Scan 1"]["spilled"] > 0
    assert found["Join"]["spilled"] > 0
    assert explained.to_dict()["spilled"] == sum(one["spilled"] for one in found.values())


def test_a_source_that_is_read_once_is_one_box_with_an_arrow_to_each_that_shares_it() -> None:
    tx = sales()
    views = [
        nt.feature_view("shop", entity=SHOP, features={"mean": tx.amount.mean().over("1d")}),
        nt.feature_view("seller", entity=SELLER, features={"most": tx["items"].max().over("1d")}),
    ]
    found = operators(analyzed(nt.training_set(spine(), views, at="asked")))
    assert found["Scan 1"]["rows"] == ROWS.height
    assert [name for name in found if name.startswith("Scan")] == ["Scan 1"]
    assert found["At 1"]["inputs"] == found["At 2"]["inputs"] == ["Spine", "Scan 1"]
    assert found["Scan 1"]["notes"][-1] == "time to 2020-01-02 12:00:00"
    assert set(found["Scan 1"]["details"]) == {"shop_id", "time", "amount", "seller", "items"}


@pytest.mark.parametrize("way", ["whole", "bucketed"])
def test_a_source_that_is_its_own_spine_is_not_read_again(
    way: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if way == "bucketed":
        request.getfixturevalue("bucketed")
    ROWS.reverse().write_parquet(tmp_path / "sales.parquet")
    source = nt.Source(
        "sales", nt.Parquet(tmp_path / "sales.parquet"), event_time="time", entities=SHOP, row_id="sale_id"
    )
    view = nt.feature_view("view", entity=SHOP, features={"count": source.count().over("1d", closed="left")})
    found = operators(analyzed(nt.training_set(tmp_path / "sales.parquet", view, at="time")))
    assert [name for name in found if name.startswith("Scan")] == []
    assert found["At 1"]["inputs"] == ["Spine"]
    assert found["At 1"]["rows"] == ROWS.height


@pytest.mark.parametrize("way", ["whole", "bucketed"])
def test_no_step_works_for_what_is_not_shown(way: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if way == "bucketed":
        request.getfixturevalue("bucketed")
    ROWS.reverse().write_parquet(tmp_path / "sales.parquet")
    rows = nt.Parquet(tmp_path / "sales.parquet")
    plain, versioned = (
        nt.Source("sales", rows, event_time="time", entities=[SHOP, SELLER], row_id=row_id)
        for row_id in (None, "sale_id")
    )
    views = [
        nt.feature_view(
            "shop", entity=SHOP, features={"n": plain.count().over("1d"), "sold": versioned["items"].sum()}
        ),
        nt.feature_view("seller", entity=SELLER, features={"last": plain.amount.last()}),
        nt.feature_view("all", entity=[], features={"most": plain.amount.max()}),
    ]
    for labels in (spine(time=spine()["asked"]), tmp_path / "sales.parquet"):
        explained = analyzed(nt.training_set(labels, views, at="time"))
        assert explained.ran is not None
        assert set(explained.ran.figures) == {box.name for box in explained.diagram.boxes}


def test_a_source_that_is_read_by_the_steps_of_its_folds_has_no_figures_of_its_own() -> None:
    explained = analyzed(asked())
    assert explained.ran is not None
    figures = {name: one for name, one in explained.ran.figures.items() if name != "Scan 1"}
    without = Explained.of(explained.plan, explained.plan, replace(explained.ran, figures=figures))
    (line,) = [line for line in without.splitlines() if "Scan 1" in line]
    assert line.split() == ["Scan", "1:", "sales", *["-"] * 9]
    assert "with its folds" in without.svg()
    assert "0 rows" not in without.svg()


def test_an_error_of_the_run_is_raised_as_it_is() -> None:
    broken = ROWS.with_columns(time=pl.when(pl.int_range(pl.len()) != 2).then("time"))
    source = nt.Source("sales", nt.Frame(broken), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"count": source.count()})
    with pytest.raises(nt.Invalid, match=r"sales\.time is null in row 2"):
        nt.training_set(spine(), view, at="asked").explain(analyze=True, engine="local")


def test_without_a_run_there_is_the_plan_and_no_figure() -> None:
    explained = asked().explain(engine="local")
    assert explained == f"as written\n{asked()._written(False, None)}\n\nas it runs\n{asked().plan(engine='local')}"
    assert explained.ran is None
    assert "wall_s" not in explained.to_json()


def test_the_data_is_json() -> None:
    explained = analyzed(asked())
    assert json.loads(explained.to_json()) == explained.to_dict()


def test_it_can_be_copied_and_is_a_text_where_it_is_shown() -> None:
    explained = analyzed(asked())
    assert copy.deepcopy(explained).svg() == explained.svg()
    assert repr(explained) == str(explained)


@pytest.mark.parametrize("analyze", [False, True])
def test_pictures_and_tables_are_well_formed_and_names_are_only_names(analyze: bool) -> None:
    odd = '<b> & "c" &lt;'
    tx = sales()
    feature = tx.filter(tx.seller == odd).count().over("1d")
    view = nt.feature_view("view", entity=SHOP, features={"count": feature})
    explained = nt.training_set(spine(), view, at="asked").explain(analyze=analyze, engine="local")
    texts = [words.text or "" for words in ElementTree.fromstring(explained.svg()).iter()]
    assert any(f"where (sales.seller == '{odd}')" in words for words in texts)
    assert ElementTree.fromstring(explained._repr_html_()).find(".//b[.='b']") is None
    for made in (explained.svg(), explained._repr_html_()):
        assert "<script" not in made
        assert "<b> & " not in made


def test_a_table_has_a_bar_as_long_as_the_share_of_time() -> None:
    explained = analyzed(asked())
    widths = re.findall(r'style="width:([\d.]+)%"', explained._repr_html_())
    assert len(widths) == len(explained.diagram.boxes)
    assert sum(map(float, widths)) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("figures", [False, True])
def test_no_two_boxes_of_a_picture_lie_on_each_other(figures: bool) -> None:
    entities: list[Any] = [SHOP, SELLER, []]
    views = [
        nt.feature_view(
            f"v{n}", entity=entity, features={f"f{n}_{k}": sales().count().over(f"{k}h") for k in range(1, 12)}
        )
        for n, entity in enumerate(entities)
    ]
    places = Places.of(Diagram.of(nt.training_set(spine(), views, at="asked").plan()), figures=figures)
    for one, other in combinations(places.place.values(), 2):
        beside = one.right <= other.x or other.right <= one.x
        assert beside or one.y + one.height <= other.y or other.y + other.height <= one.y
    assert all(one.right < places.width and one.y + one.height < places.height for one in places.place.values())


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster", "bucketed")
def test_workers_report_what_they_did_elsewhere() -> None:
    near, far = (analyzed(asked(), engine=engine) for engine in ("local", "ray"))
    assert far.ran is not None
    assert far.ran.engine == "ray"
    assert far.ran.worker_peak > 10_000_000
    assert {name: one["rows"] for name, one in operators(far).items()} == {
        name: one["rows"] for name, one in operators(near).items()
    }
    workers = {place for name, one in operators(far).items() if name.startswith("At") for place in one["workers"]}
    assert any(re.fullmatch(r"\w{8}:\d+", place) for place in workers)
