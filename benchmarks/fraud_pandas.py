"""The fraud-15 features in pandas, with the handbook's trick for the delay.

Pandas has no window that ends before its row; the handbook subtracts: the window of 7 + w days minus the one of 7 days is the delayed one. Two ways to stay
inside a key: `line` lays the keys end to end on one time axis, further apart than the longest window, so that one rolling pass serves all of them; `groupby`
is the usual `groupby().rolling()`, four times slower. In both a row does not see a later one of equal time, so ties take the value of their last row.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from fraud_check import DELAY_DAYS, WINDOWS_DAYS

Rolling = Callable[[int], "pd.core.window.rolling.Rolling"]


def prepare(path: Path, variant: str) -> Callable[[], pd.DataFrame]:
    """A function that computes the features of the file once."""
    rolling_by_key = {"line": rolling_on_a_line, "groupby": rolling_by_group}[variant]
    return lambda: features(pd.read_parquet(path), rolling_by_key)


def features(rows: pd.DataFrame, rolling_by_key: Callable[[pd.DataFrame, str, str], Rolling]) -> pd.DataFrame:
    """The features, one row for each of `rows`, in their order."""
    out = pd.DataFrame({"transaction_id": rows["transaction_id"], "amount": rows["amount"]})
    out["tx_during_weekend"] = rows["tx_datetime"].dt.weekday >= 5
    out["tx_during_night"] = rows["tx_datetime"].dt.hour <= 6
    by_customer = rows.sort_values(["customer_id", "tx_datetime"])
    by_terminal = rows.assign(fraud=rows["fraud"].astype(float)).sort_values(["terminal_id", "tx_datetime"])
    customers = of_customers(by_customer, rolling_by_key(by_customer, "customer_id", "amount"))
    terminals = of_terminals(by_terminal, rolling_by_key(by_terminal, "terminal_id", "fraud"))
    return pd.concat([out, customers.reindex(out.index), terminals.reindex(out.index)], axis=1)


def of_customers(rows: pd.DataFrame, rolling: Rolling) -> pd.DataFrame:
    """Counts and mean amounts of customers, for rows sorted by (customer, time)."""
    last = last_of_equal_time(rows, "customer_id")
    values = {}
    for days in WINDOWS_DAYS:
        values[f"customer_tx_count_{days}d"] = rolling(days).count().to_numpy()[last].astype(np.int64)
        values[f"customer_amount_mean_{days}d"] = rolling(days).mean().to_numpy()[last]
    return pd.DataFrame(values, index=rows.index)


def of_terminals(rows: pd.DataFrame, rolling: Rolling) -> pd.DataFrame:
    """Counts and shares of fraud at terminals, for rows sorted by (terminal, time).

    A row's later ties are missing from both windows, so the difference is right without a correction.
    """
    count, frauds = counts_and_sums(rolling, DELAY_DAYS)
    values = {}
    for days in WINDOWS_DAYS:
        longer_count, longer_frauds = counts_and_sums(rolling, DELAY_DAYS + days)
        inside = longer_count - count
        values[f"terminal_tx_count_{days}d"] = inside.astype(np.int64)
        values[f"terminal_fraud_share_{days}d"] = np.divide(
            longer_frauds - frauds, inside, out=np.zeros(len(inside)), where=inside > 0
        )
    return pd.DataFrame(values, index=rows.index)


def counts_and_sums(rolling: Rolling, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and their total in the window of `days` up to each row."""
    return rolling(days).count().to_numpy(), rolling(days).sum().to_numpy()


def rolling_by_group(rows: pd.DataFrame, key: str, column: str) -> Rolling:
    """Rolling windows by `groupby`; their values come in the order of the rows, which are sorted by (key, time)."""
    groups = rows[[key, "tx_datetime", column]].groupby(key)
    return lambda days: groups.rolling(f"{days}D", on="tx_datetime")[column]


def rolling_on_a_line(rows: pd.DataFrame, key: str, column: str) -> Rolling:
    """Rolling windows over all keys at once, on a time axis on which no window reaches from one key into another."""
    keys = rows[key].to_numpy()
    nth_key = np.concatenate([[0], np.cumsum(keys[1:] != keys[:-1])])
    time = rows["tx_datetime"]
    apart = (time.max() - time.min()).ceil("D") + pd.Timedelta(days=DELAY_DAYS + max(WINDOWS_DAYS) + 1)
    line = pd.Series(
        rows[column].to_numpy(), index=time.to_numpy() + nth_key * apart.to_timedelta64().astype("timedelta64[us]")
    )
    return lambda days: line.rolling(f"{days}D")


def last_of_equal_time(rows: pd.DataFrame, key: str) -> np.ndarray:
    """For each row the position of the last row of equal key and time."""
    keys, times = rows[key].to_numpy(), rows["tx_datetime"].to_numpy()
    ends = np.flatnonzero(np.concatenate([(keys[1:] != keys[:-1]) | (times[1:] != times[:-1]), [True]]))
    return np.repeat(ends, np.diff(ends, prepend=-1))
