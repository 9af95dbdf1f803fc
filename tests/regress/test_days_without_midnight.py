"""Where clocks change at midnight, buckets of local days left out an hour, or counted one twice."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

import nowthen as nt
from nowthen.engine.language.window import Hopping

HOUR = 3_600_000_000
# The day before clocks change at midnight, the day of it and the next begin (hours UTC): 23, 24 or 25 hours long.
CASES = {
    "no midnight": ("America/Sao_Paulo", [(3, 3), (4, 3), (5, 2), (6, 2)]),
    "two midnights": ("America/Havana", [(3, 4), (4, 4), (5, 5), (6, 5)]),
}


@pytest.mark.parametrize("offset", [0, 6 * HOUR], ids=["midnight", "six hours later"])
@pytest.mark.parametrize("zone, days", CASES.values(), ids=CASES.keys())
def test_every_instant_is_in_exactly_one_local_day(zone: str, days: list[tuple[int, int]], offset: int) -> None:
    begins = [int(datetime(2018, 11, day, hour, tzinfo=UTC).timestamp()) * 1_000_000 + offset for day, hour in days]
    made = nt.tumbling("1d", tz=zone)
    over = Hopping(made.width, made.hop, offset=offset, tz=zone)
    asked = np.arange(begins[1], begins[3], HOUR // 2)
    found = {(int(a), int(b)) for a, b in zip(*(end() for end in over.ends(asked)), strict=True)}
    assert sorted(found) == [(begins[0], begins[1]), (begins[1], begins[2])]
