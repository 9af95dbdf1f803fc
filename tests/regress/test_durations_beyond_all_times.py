"""Windows of millions of years ended in overflows of int64, or in errors of Polars about 128-bit numbers."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

import nowthen as nt

sales = nt.Source("sales", event_time="time", schema={"time": pl.Datetime("us")})


@pytest.mark.parametrize("width", ["200000000d", "99999999999999d", timedelta.max])
def test_a_window_longer_than_all_times_is_refused(width: str | timedelta) -> None:
    with pytest.raises(nt.Invalid, match=r"longer than 10,000 years\. For all of the past say 'forever'"):
        sales.count().over(width)
