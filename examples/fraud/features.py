"""The fifteen features of the Fraud Detection Handbook, defined once for training and for serving.

Whether a transaction is a fraud is only known a week later. The source says so, and the features about terminals look a week back: without `delay="7d"`
NowThen refuses them.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

import nowthen as nt

customer = nt.Entity("customer", keys={"customer_id": pl.Int64}, about="A card holder.")
terminal = nt.Entity("terminal", keys={"terminal_id": pl.Int64}, about="A machine that takes cards.")
request = nt.Request({"amount": pl.Float64})


def source(transactions: str | Path | pl.DataFrame) -> nt.Source:
    """Card transactions in a file or a frame."""
    return nt.Source(
        "transactions",
        nt.Frame(transactions) if isinstance(transactions, pl.DataFrame) else nt.Parquet(transactions),
        event_time="tx_datetime",
        entities=[customer, terminal],
        row_id="transaction_id",
        known_after={"fraud": "7d"},
    )


def define(transactions: str | Path | pl.DataFrame | nt.Source) -> nt.FeatureService:
    """The service `fraud_model` over transactions."""
    tx = transactions if isinstance(transactions, nt.Source) else source(transactions)

    class Transaction(nt.FeatureView, entity=[], owner="fraud-team"):
        """What the transaction itself shows."""

        amount = request.amount
        tx_during_weekend = nt.at().dt.weekday() >= 6
        tx_during_night = nt.at().dt.hour() <= 6

    class CustomerSpend(nt.FeatureView, entity=customer, owner="fraud-team"):
        """How often and how much a customer pays, this transaction included."""

        customer_tx_count_1d = tx.count().over("1d")
        customer_tx_count_7d = tx.count().over("7d")
        customer_tx_count_30d = tx.count().over("30d")
        customer_amount_mean_1d = tx.amount.mean().over("1d")
        customer_amount_mean_7d = tx.amount.mean().over("7d")
        customer_amount_mean_30d = tx.amount.mean().over("30d")

    class TerminalRisk(nt.FeatureView, entity=terminal, owner="fraud-team"):
        """How often a terminal was used, and for fraud, as far as that is known a week later."""

        terminal_tx_count_1d = tx.count().over("1d", delay="7d")
        terminal_tx_count_7d = tx.count().over("7d", delay="7d")
        terminal_tx_count_30d = tx.count().over("30d", delay="7d")
        terminal_fraud_share_1d = nt.feature(tx.fraud.mean().over("1d", delay="7d"), default=0.0)
        terminal_fraud_share_7d = nt.feature(tx.fraud.mean().over("7d", delay="7d"), default=0.0)
        terminal_fraud_share_30d = nt.feature(tx.fraud.mean().over("30d", delay="7d"), default=0.0)

    return nt.FeatureService("fraud_model", [Transaction, CustomerSpend, TerminalRisk])
