"""Records are what frozen dataclasses are, but for what they cost."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.plan.reader import Loaded
from nowthen.engine.record import record


@record
class Point:
    x: int
    y: int = 0
    notes: list[str] = field(default_factory=list, repr=False, compare=False)

    @cached_property
    def total(self) -> int:
        return self.x + self.y


@dataclass(frozen=True)
class FrozenPoint:
    x: int
    y: int = 0
    notes: list[str] = field(default_factory=list, repr=False, compare=False)


@record
class Named(Point):
    name: str = ""

    def __post_init__(self) -> None:
        assert self.x >= 0


@record
class Empty:
    pass


@record
class One:
    value: Any


@record(eq=False)
class Itself:
    x: int


@record
class Spoken:
    x: int

    def __repr__(self) -> str:
        return "spoken"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("one", [(1,), (1, 2), (1, 2, ["note"])])
@pytest.mark.parametrize("other", [(1,), (1, 2), (2, 1), (1, 2, [])])
def test_records_are_equal_where_frozen_dataclasses_are(one: Sequence[Any], other: Sequence[Any]) -> None:
    assert (Point(*one) == Point(*other)) is (FrozenPoint(*one) == FrozenPoint(*other))
    assert hash(Point(*one)) == hash(FrozenPoint(*one))


def test_a_record_is_shown_by_the_fields_that_are_to_be_shown() -> None:
    assert repr(Point(1, notes=["x"])) == repr(FrozenPoint(1)).replace("FrozenPoint", "Point")
    assert repr(Named(1, name="a")) == "Named(x=1, y=0, name='a')"
    assert repr(Empty()) == "Empty()"


@pytest.mark.parametrize("value", [1, float("nan"), [1], ()])
def test_records_of_one_field_are_compared_as_tuples_are(value: Any) -> None:
    one = One(value)
    assert one == one
    assert (one == One(2)) is False


def test_a_record_in_itself_is_shown_once() -> None:
    held: list[Any] = []
    one = One(held)
    held.append(one)
    assert repr(one) == "One(value=[...])"


def test_records_of_different_classes_differ_though_their_fields_are_equal() -> None:
    assert Point(1) != Named(1)
    assert Point(1).__eq__((1, 0)) is NotImplemented
    assert Point(1).__eq__(FrozenPoint(1)) is NotImplemented


def test_records_without_fields_are_equal() -> None:
    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())


def test_some_are_only_what_they_are() -> None:
    one = Itself(1)
    assert one == one
    assert one != Itself(1)
    assert len({one, Itself(1)}) == 2


def test_what_a_class_says_itself_stays() -> None:
    assert repr(Spoken(1)) == "spoken"
    assert Spoken(1) == Spoken(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Spoken(1))


def test_records_are_dataclasses() -> None:
    assert replace(Named(1, name="a"), x=3) == Named(3, name="a")
    assert [one.name for one in fields(Named)] == ["x", "y", "notes", "name"]
    with pytest.raises(AssertionError):
        Named(-1)
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]


def test_defaults_are_made_for_each() -> None:
    assert Point(1).notes is not Point(1).notes


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_are_equal(made: Any) -> None:
    one = Named(1, 2, name="a")
    assert one.total == 3
    again = made(one)
    assert again == one
    assert again is not one
    assert again.total == 3


def test_nothing_frozen_derives_from_a_record() -> None:
    with pytest.raises(TypeError, match="frozen"):
        dataclass(frozen=True)(type("Derived", (Point,), {"__annotations__": {}}))


@pytest.mark.parametrize("held", [nt.hopping("1d", "1h"), nt.Parquet("x.parquet"), Loaded(pl.DataFrame())])
def test_what_users_hold_is_frozen(held: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        held.anything = 2
