"""Microseconds are a time, exactly."""

from __future__ import annotations

import pytest

from nowthen.engine.language.instant import instant
from nowthen.serve.moment import moment


@pytest.mark.parametrize(
    "microseconds", [-1, 0, 1, 1_711_929_600_123_457, -2_208_988_800_000_001, 253_402_300_799_999_999]
)
def test_a_moment_is_the_instant_it_was_made_of(microseconds: int) -> None:
    assert instant(moment(microseconds), "at") == microseconds
