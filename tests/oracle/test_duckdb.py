"""Windows against DuckDB's range frames, and `last` against its ASOF join, on a few thousand rows full of ties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import polars as pl
import pytest

import nowthen as nt

START = datetime(2020, 1, 1, tzinfo=UTC)
MINUTE_US = 60_000_000
FOLDS = {
    "count": "count(x) OVER {over}",
    "sum": "coalesce(fsum(x) OVER {over}, 0)",
    "mean": "favg(x) OVER {over}",
    "min": "min(x) OVER {over}",
    "max": "max(x) OVER {over}",
    "var": "var_samp(x) OVER {over}",
    "std": "stddev_samp(x) OVER {over}",
    "n_unique": "count(DISTINCT x) OVER {over}",
    "median": "quantile_cont(x, 0.5) OVER {over}",
}
CLOSE = {
    "sum": 1e-12,
    "mean": 1e-12,
    "var": 1e-10,
    "std": 1e-10,
    "median": 1e-15,
}  # DuckDB interpolates in another order
# name: (over, delay, closed) for NowThen, the frame in minutes for DuckDB
FRAMES = {
    "hour": (("1h", "0s", "right"), f"{60 * MINUTE_US - 1} PRECEDING AND CURRENT ROW"),
    "hour_before": (("1h", "0s", "left"), f"{60 * MINUTE_US} PRECEDING AND 1 PRECEDING"),
    "late_day": (("1d", "2h", "right"), f"{1560 * MINUTE_US - 1} PRECEDING AND {120 * MINUTE_US} PRECEDING"),
    "forever": (("forever", "0s", "right"), "UNBOUNDED PRECEDING AND CURRENT ROW"),
    "ever_before": (("forever", "3h", "left"), f"UNBOUNDED PRECEDING AND {180 * MINUTE_US + 1} PRECEDING"),
}


def rows(seed: int, n: int) -> pl.DataFrame:
    """Rows whose times are whole minutes of four days, in no order; one key has half of them."""
    random = np.random.default_rng(seed)
    minutes = random.integers(0, 5760, n)
    hot = random.random(n) < 0.5
    return pl.DataFrame(
        {
            "n": np.arange(n),
            "shop": pl.Series(
                [None if k == 9 else k for k in np.where(hot, 0, random.integers(0, 10, n))], dtype=pl.Int64
            ),
            "till": np.array(["a", "b", "ü"])[random.integers(0, 3, n)],
            "time": pl.Series([START + timedelta(minutes=int(m)) for m in minutes], dtype=pl.Datetime("us", "UTC")),
            "x": pl.Series([None if r < 0.1 else round(r * 1e4, 2) for r in random.random(n)], dtype=pl.Float64),
        }
    )


SHOP = nt.Entity("shop", keys={"shop": pl.Int64})
TILL = nt.Entity("till", keys={"till": pl.String})


def source(frame: pl.DataFrame) -> nt.Source:
    return nt.Source("rows", nt.Frame(frame), event_time="time", entities=[SHOP, TILL])


def expressions(frame: pl.DataFrame) -> dict[str, object]:
    """Every fold over every frame."""
    events = source(frame)
    out: dict[str, object] = {}
    for name, ((width, delay, closed), _) in FRAMES.items():
        for fold in FOLDS:
            out[f"{fold}_{name}"] = getattr(events.x, fold)().over(width, delay=delay, closed=closed)
    return out


@pytest.mark.parametrize("keys", [("shop",), ("till",), ("shop", "till"), ()], ids=str)
def test_windows_equal_range_frames(keys: tuple[str, ...]) -> None:
    frame = rows(1, 3000).filter(pl.col("shop").is_not_null())
    view = nt.feature_view(
        "view", entity=[{"shop": SHOP, "till": TILL}[key] for key in keys], features=expressions(frame)
    )
    found = nt.training_set(frame.select("n", "shop", "till", "time"), view, at="time").collect(engine="local")
    by = f"PARTITION BY {', '.join(keys)} " if keys else ""
    columns = ", ".join(
        sql.format(over=f"({by}ORDER BY us RANGE BETWEEN {between})") + f" AS {fold}_{name}"
        for name, (_, between) in FRAMES.items()
        for fold, sql in FOLDS.items()
    )
    query = f"SELECT n, {columns} FROM (SELECT *, epoch_us(time) AS us FROM frame) ORDER BY n"
    wanted = duckdb.connect().sql(query).pl()
    found = found.sort("n").select(wanted.columns)
    for name in wanted.columns[1:]:
        got, want = found[name].cast(pl.Float64), wanted[name].cast(pl.Float64)
        assert got.is_null().equals(want.is_null())
        close = next((close for fold, close in CLOSE.items() if name.startswith(fold)), 0.0)
        np.testing.assert_allclose(got.drop_nulls(), want.drop_nulls(), rtol=close, err_msg=name)


def test_a_null_key_has_the_values_of_an_empty_window() -> None:
    frame = rows(1, 3000)
    view = nt.feature_view("view", entity=SHOP, features=expressions(frame))
    found = nt.training_set(frame.select("shop", "time"), view, at="time").collect(engine="local")
    nobody = found.filter(pl.col("shop").is_null())
    assert nobody.height > 0
    for name in FRAMES:
        assert nobody[f"count_{name}"].unique().to_list() == [0]
        assert nobody[f"sum_{name}"].unique().to_list() == [0.0]
        assert nobody[f"mean_{name}"].is_null().all()


@pytest.mark.parametrize("closed", ["right", "left"])
def test_last_equals_an_asof_join(closed: str) -> None:
    frame, asked = rows(2, 2000).unique(["shop", "time"], keep="first"), rows(3, 2000)
    view = nt.feature_view(
        "view", entity=SHOP, features={"found": source(frame).x.last().over("forever", closed=closed)}
    )
    found = nt.training_set(asked.select("n", "shop", "time"), view, at="time").collect(engine="local")
    sign = ">=" if closed == "right" else ">"
    query = f"""
        SELECT asked.n, frame.x AS found FROM asked ASOF LEFT JOIN frame
        ON asked.shop = frame.shop AND asked.time {sign} frame.time ORDER BY asked.n
    """
    wanted = duckdb.connect().sql(query).pl()
    assert found["found"].equals(wanted["found"])
