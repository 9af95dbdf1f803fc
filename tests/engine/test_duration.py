"""Durations as Polars writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nowthen.engine.errors import Invalid
from nowthen.engine.language.duration import microseconds, written


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**55))
def test_a_written_length_is_read_back(length: int) -> None:
    assert microseconds(written(length)) == length


@pytest.mark.parametrize(
    "text, length", [("1w", 604_800_000_000), ("1d12h", 129_600_000_000), ("5ms3us", 5003), ("0s", 0)]
)
def test_units_add_up(text: str, length: int) -> None:
    assert microseconds(text) == length


def test_a_timedelta_is_a_duration() -> None:
    assert microseconds(timedelta(days=1, microseconds=1)) == 86_400_000_001


@pytest.mark.parametrize("text", ["", "7", "d", "1 d", "-1d", "1.5h", "1mo", "1q", "1y", "7D", "9999999d", 5, None])
def test_what_has_no_fixed_length_is_refused(text: object) -> None:
    with pytest.raises(Invalid):
        microseconds(text)  # type: ignore[arg-type]
