"""Where clocks jump over a multiple of the hop, the grid point was put after the instant asked at: an event after it was counted, and
of a partial bucket there were -1.
"""

from __future__ import annotations

import numpy as np
import pytest

import nowthen as nt

HOUR = 3_600_000_000
YEARS = np.arange(0, 8 * 366 * 24 * 12) * (HOUR // 12) + 1_388_534_400_000_000  # every five minutes from 2014 on


@pytest.mark.parametrize("zone", ["America/Havana", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Beirut", "UTC"])
@pytest.mark.parametrize("hop", ["45m", "1h", "7h"])
@pytest.mark.parametrize("partial", [True, False])
def test_no_bucket_ends_after_the_time_asked(zone: str, hop: str, partial: bool) -> None:
    after, upto = (end() for end in nt.hopping("1d", hop, tz=zone, partial=partial).ends(YEARS))
    assert (upto <= YEARS).all()
    assert (after <= upto).all()
