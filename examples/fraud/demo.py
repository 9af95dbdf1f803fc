"""The whole way in one program: raw transactions, features, a training set, a model, and decisions served on Ray.

    python examples/fraud/demo.py                                    # generated transactions
    python examples/fraud/demo.py --data transactions.parquet        # the Fraud Detection Handbook's file, or one like it

Every decision scores the transaction that is being made: it is pushed and looked up in one call. At the end everything that was served is
computed once more from the store, the way a training set is, and compared.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import features
import generate
import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

import nowthen as nt
from nowthen.serve import deployment

SPINE = ("customer_id", "terminal_id", "tx_datetime", "amount")
console = Console(highlight=False)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    console.print(f"[bold]{title}[/bold]")
    begun = time.perf_counter()
    yield
    console.print(f"  [dim]{time.perf_counter() - begun:.1f} s[/dim]")


def main() -> None:
    """Run the demo in a folder of its own, which is removed at the end."""
    options = arguments()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="nowthen-demo-") as folder:
        history, fresh = transactions(options, Path(folder))
        store, service = prepare(history, Path(folder))
        model = train(store, pl.read_parquet(history))
        with step("Publish the online state, and serve it on Ray"):
            console.print(f"  {store.snapshot(service)}")
            deployment.start(store, port=None)
        try:
            served = decide(model, fresh)
        finally:
            deployment.stop()
        compare(store, fresh, served)
    console.print(f"\nDone in {time.perf_counter() - begun:.0f} s. Nothing is left behind.")
    console.print(NEXT)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="NowThen, from raw transactions to served decisions")
    parser.add_argument("--data", type=Path, help="a Parquet file of transactions; generated where left out")
    parser.add_argument("--rows", type=int, default=300_000, help="how many to generate")
    parser.add_argument("--decisions", type=int, default=1_000, help="how many of the last ones to decide online")
    return parser.parse_args()


def transactions(options: argparse.Namespace, folder: Path) -> tuple[Path, pl.DataFrame]:
    """A file with the past, and the transactions that will happen during the demo."""
    with step(f"Read {options.data}" if options.data else f"Generate {options.rows:,} card transactions"):
        rows = pl.read_parquet(options.data) if options.data else generate.transactions(options.rows)
        rows.head(-options.decisions).write_parquet(folder / "transactions.parquet")
        days = rows["tx_datetime"].dt.date().n_unique()
        console.print(f"  {rows.height:,} rows over {days} days, {rows['fraud'].mean():.2%} of them fraud")
    return folder / "transactions.parquet", rows.tail(options.decisions)


def prepare(history: Path, folder: Path) -> tuple[Any, nt.FeatureService]:
    """A store with the features registered and the past ingested."""
    with step("Define fifteen features, register them, and ingest the past"):
        tx = features.source(history)
        service = features.define(tx)
        store = nt.connect(folder / "store")
        console.print(f"  {store.apply(service)}")
        console.print(f"  {store.ingest(tx)}")
    return store, service


def train(store: Any, labels: pl.DataFrame) -> HistGradientBoostingClassifier:
    """A model fitted to the first part of the past and tried on the rest, a week apart."""
    with step("Build the training set by time travel, and train"):
        cut = labels["tx_datetime"].quantile(0.8)
        training = store.training_set(labels.select(*SPINE, "fraud"), "fraud_model", at="tx_datetime")
        past, later = (part.collect() for part in training.split([cut], gap="7d"))
        model = HistGradientBoostingClassifier(max_iter=60, random_state=1).fit(inputs(past, training), past["fraud"])
        area = roc_auc_score(later["fraud"], model.predict_proba(inputs(later, training))[:, 1])
        console.print(
            f"  {past.height:,} rows to learn from, {later.height:,} to test on: area under the ROC curve {area:.3f}"
        )
    return model


def inputs(rows: pl.DataFrame, training: Any) -> np.ndarray[Any, Any]:
    """What the model sees, in the service's order."""
    return rows.select(pl.col(list(training.features)).cast(pl.Float64)).to_numpy()


def decide(model: HistGradientBoostingClassifier, fresh: pl.DataFrame) -> list[dict[str, Any]]:
    """Decide on transactions one by one, as they happen; every one is durable before its answer is given."""
    handle = nt.handle("fraud_model")
    served, waited, stopped = [], [], 0
    with step(f"Decide on {fresh.height:,} transactions, one by one"), threadpool_limits(1):
        for row in track(fresh.to_dicts(), "  deciding", console=console, transient=True):
            event = {**row, "fraud": None}  # nobody knows yet
            begun = time.perf_counter()
            answer = handle.get.remote(
                {"customer_id": row["customer_id"], "terminal_id": row["terminal_id"]},
                request={"amount": row["amount"]},
                at=row["tx_datetime"],
                with_rows={"transactions": [event]},
                push=True,
            ).result()
            waited.append(time.perf_counter() - begun)
            stopped += model.predict_proba(answer.to_numpy().astype(np.float64))[0, 1] > 0.5
            served.append(answer.row(0))
        cuts = statistics.quantiles(waited, n=100)
        console.print(
            f"  {stopped} stopped; push and look-up together: median {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms"
        )
    return served


def compare(store: Any, fresh: pl.DataFrame, served: list[dict[str, Any]]) -> None:
    """Compute offline what was served online, and count what is equal."""
    with step("Compute everything that was served once more, offline"):
        again = store.training_set(fresh.select(SPINE), "fraud_model", at="tx_datetime").collect(engine="local")
        table = Table("feature", "equal", box=None, padding=(0, 2))
        equal = total = 0
        for name in served[0]:
            same = sum(a == b for a, b in zip(again[name], (row[name] for row in served), strict=True))
            equal, total = equal + same, total + len(served)
            table.add_row(name, f"{same:,} of {len(served):,}")
        console.print(table)
        console.print(f"  [bold]{equal:,} of {total:,} values are equal[/bold]")


NEXT = """
What to try next
  examples/fraud/features.py            fifteen features: change a window
  make demo ARGS="--data your.parquet"  the same on a file of your own
  nowthen --help                        the same steps from the shell
  make bench                            Polars, DuckDB and pandas beside it
"""

if __name__ == "__main__":
    main()
