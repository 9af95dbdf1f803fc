"""Sources over what is no reader: each mistake is told with how to wrap the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import nowthen as nt

from .shop import ROWS, sales

UNWRAPPED: dict[str, tuple[Any, str]] = {
    "a frame": (ROWS, "type DataFrame, which is no reader; wrap a frame: nt.Frame(...)"),
    "a lazy frame": (ROWS.lazy(), "type LazyFrame, which is no reader"),
    "a pandas frame": (pd.DataFrame({"time": []}), "nt.Frame(...)"),
    "columns": ({"time": []}, "type dict"),
    "a text": (
        "sales.parquet",
        "is given 'sales.parquet', a path, which does not say how it is read; wrap it: nt.Parquet('sales.parquet')",
    ),
    "a path": (Path("sales.csv"), "nt.Csv"),
    "another source": (sales(), "type Source"),
    "a reader's class": (nt.Parquet, "the class Parquet"),
}


@pytest.mark.parametrize("schema", [None, {"time": pl.Datetime("us", "UTC")}], ids=["", "with schema="])
@pytest.mark.parametrize("data, says", UNWRAPPED.values(), ids=UNWRAPPED.keys())
def test_data_that_is_not_wrapped_is_refused_with_how_to_wrap_it(data: Any, says: str, schema: Any) -> None:
    with pytest.raises(nt.WrongType, match=r"^source 's' is given ") as refused:
        nt.Source("s", data, event_time="time", schema=schema)
    assert says in str(refused.value)


def test_a_lazy_frame_that_is_refused_is_not_read() -> None:
    lazy = pl.scan_parquet("there-is-no-such-file.parquet")
    with pytest.raises(nt.WrongType, match="no reader"):
        nt.Source("s", lazy, event_time="time")  # type: ignore[arg-type]
