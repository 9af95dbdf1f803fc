"""Training sets against a linear scan: every value and status, by CONTRACT.md section 3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from nowthen.engine.folds import compiled

from .asking import differences, expected, spine_frame, training_set
from .worlds import World, worlds

SHORT = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(SHORT, max_examples=4000, derandomize=False)


@pytest.fixture(scope="module", params=["numpy", "compiled"])
def kernels(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways to reduce ranges: numpy, as for small data, and the compiled loops."""
    loops = compiled.warm() if request.param == "compiled" else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "kernels", lambda work: loops)
        yield


def holds(world: World) -> None:
    """Assert the law for every row and feature of a world."""
    got = training_set(world).collect(engine="local", status=True)
    spine = spine_frame(world)
    assert got.select(spine.columns).equals(spine)
    assert got.select(spine.columns).schema == spine.schema
    assert differences(world, got, expected(world)) == []


@pytest.mark.usefixtures("kernels")
@SHORT
@given(worlds())
def test_every_value_and_status_is_what_the_law_of_time_says(world: World) -> None:
    holds(world)


@pytest.mark.usefixtures("kernels", "bucketed")
@SHORT
@given(worlds())
def test_the_law_holds_where_keys_are_answered_bucket_by_bucket(world: World) -> None:
    holds(world)


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
@LONG
@given(worlds(most=30))
def test_every_value_and_status_is_what_the_law_of_time_says_in_many_worlds(world: World) -> None:
    holds(world)
