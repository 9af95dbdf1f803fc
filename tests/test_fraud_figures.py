"""The twelve windowed features of the fraud example against DuckDB's range frames, value by value.

Always on generated transactions, once as they are and once with their times cut to the hour, which is full of ties and of events exactly on a window's
end. With NOWTHEN_FRAUD_DATA set to a Parquet file of the handbook's transactions also on that: the promise about the real data is kept only if this was run.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import polars as pl
import pytest

import nowthen as nt

EXAMPLE = Path(__file__).parents[1] / "examples" / "fraud"
DAY_US = 86_400_000_000
# name: key, fold in SQL (favg adds with compensation), window in days, delay in days
FIGURES = {
    **{f"customer_tx_count_{w}d": ("customer_id", "count(*)", w, 0) for w in (1, 7, 30)},
    **{f"customer_amount_mean_{w}d": ("customer_id", "favg(amount)", w, 0) for w in (1, 7, 30)},
    **{f"terminal_tx_count_{w}d": ("terminal_id", "count(*)", w, 7) for w in (1, 7, 30)},
    **{f"terminal_fraud_share_{w}d": ("terminal_id", "favg(fraud::INT)", w, 7) for w in (1, 7, 30)},
}


def example(name: str) -> ModuleType:
    """A file of the example, which is no package."""
    spec = importlib.util.spec_from_file_location(f"fraud_example_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the module of their class
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["generated", "on the hour", "real"])
def transactions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "real":
        return real()
    path = tmp_path_factory.mktemp("fraud") / "transactions.parquet"
    rows: pl.DataFrame = example("generate").transactions(rows=20_000, days=90, customers=100, terminals=60)
    cut = "1h" if request.param == "on the hour" else "1s"
    rows.with_columns(pl.col("tx_datetime").dt.truncate(cut)).write_parquet(path)
    return path


def real() -> Path:
    path = os.environ.get("NOWTHEN_FRAUD_DATA")
    if not path:
        pytest.skip(
            "NOT CHECKED ON REAL DATA: set NOWTHEN_FRAUD_DATA to the Parquet file of the handbook's transactions"
        )
    return Path(path)


@pytest.fixture(scope="module")
def figures(transactions: Path) -> pl.DataFrame:
    """NowThen's values of all features, with DuckDB's of the same name and `_sql`, by transaction."""
    service = example("features").define(transactions)
    found = nt.training_set(transactions, service, at="tx_datetime").collect(engine="local")
    return found.join(expected(transactions), on="transaction_id", how="left", validate="1:1", maintain_order="left")


def expected(transactions: Path) -> pl.DataFrame:
    columns = ", ".join(in_sql(name, *figure) for name, figure in FIGURES.items())
    rows = "SELECT *, epoch_us(tx_datetime) AS us FROM read_parquet($path)"
    query = f"SELECT transaction_id, {columns} FROM ({rows})"
    values: pl.DataFrame = duckdb.connect().sql(query, params={"path": str(transactions)}).pl()
    return values


def in_sql(name: str, key: str, fold: str, window: int, delay: int) -> str:
    frame = f"{(window + delay) * DAY_US - 1} PRECEDING AND {delay * DAY_US} PRECEDING"
    value = f"{fold} OVER (PARTITION BY {key} ORDER BY us RANGE BETWEEN {frame})"
    return f"coalesce({value}, 0) AS {name}_sql"


def test_rows_are_the_files_rows_in_its_order(transactions: Path, figures: pl.DataFrame) -> None:
    assert figures["transaction_id"].equals(pl.read_parquet(transactions)["transaction_id"])


@pytest.mark.parametrize("name", [name for name in FIGURES if "count" in name])
def test_a_count_equals_sql(figures: pl.DataFrame, name: str) -> None:
    wrong = figures.filter(pl.col(name).ne_missing(pl.col(f"{name}_sql")))
    assert wrong.is_empty(), wrong.select("transaction_id", name, f"{name}_sql").head()


@pytest.mark.parametrize("name", [name for name in FIGURES if "count" not in name])
def test_a_mean_equals_sql(figures: pl.DataFrame, name: str) -> None:
    near = (pl.col(name) - pl.col(f"{name}_sql")).abs() <= 1e-12 * pl.col(f"{name}_sql").abs()
    wrong = figures.filter(near.fill_null(False).not_())
    assert wrong.is_empty(), wrong.select("transaction_id", name, f"{name}_sql").head()


def test_some_of_every_figure_is_not_zero(figures: pl.DataFrame) -> None:
    assert [name for name in FIGURES if not (figures[f"{name}_sql"] != 0).any()] == []
