"""A list of np.datetime64 in nanoseconds was read as microseconds, a thousand times too late, and np.bool_ in a row became 1.0.

Polars makes those of such values. They are Python's now before Polars sees them, and what is not exact in microseconds is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nowthen as nt
from nowthen.store.sources.frame import as_frame

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678)


@pytest.mark.parametrize("time", [np.datetime64(MOMENT, "us"), np.datetime64(MOMENT, "us").astype("datetime64[ns]")])
def test_a_list_of_times_keeps_its_times(time: Any) -> None:
    assert as_frame({"at": [time, None]})["at"].to_list() == [MOMENT, None]


def test_truth_values_in_rows_stay_true_or_false() -> None:
    assert as_frame([{"good": np.bool_(True)}, {"good": np.bool_(False)}])["good"].to_list() == [True, False]


def test_a_timestamp_of_pandas_does_not_lose_its_nanoseconds_silently() -> None:
    with pytest.raises(nt.Invalid, match=r"column 'at' row 1: .* is not exact in microseconds"):
        as_frame({"at": [pd.Timestamp(MOMENT), pd.Timestamp(MOMENT) + pd.Timedelta(1)]})
