"""NowThen: a training set in this process, on Ray or from a store, and `store.online()` for what is served."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

import nowthen as nt

from .wire import Case, NotApplicable, arrow, moved, serve

_KEYS = {"int64": pl.Int64, "string": pl.String}


def answer(case: Case, engine: str = "local") -> pa.Table:
    """The spine with the feature `found`."""
    if case["ask"]["online"] and engine != "local":
        raise NotApplicable("what is served does not come from a training set")
    if case["ask"]["online"]:
        return served(moved(case, datetime.now(UTC)))
    return stored(case) if engine == "store" else trained(case).collect(engine=engine).to_arrow()


def trained(case: Case) -> Any:
    """The training set from the events themselves, not yet computed."""
    spine = pl.from_arrow(arrow(case["spine"]))
    return nt.training_set(spine, view(case, source(case)), at="time", known_at=case["ask"]["known_at"])


def stored(case: Case) -> pa.Table:
    """The training set from a store that has taken the events in."""
    rows = source(case)
    spine = pl.from_arrow(arrow(case["spine"]))
    with tempfile.TemporaryDirectory() as folder:
        store = nt.connect(Path(folder) / "store")
        store.ingest(rows)
        made = store.training_set(spine, view(case, rows), at="time", known_at=case["ask"]["known_at"])
        return made.collect(engine="local").to_arrow()


def served(case: Case) -> pa.Table:
    """The spine with what is served for its keys now, after the pushes."""
    rows = source(case)
    service = nt.FeatureService("conformance", [view(case, rows)])
    with tempfile.TemporaryDirectory() as folder:
        store = nt.connect(Path(folder) / "store")
        store.apply(service)
        store.ingest(rows)
        store.snapshot(service)
        store.push(rows, pl.from_arrow(arrow(case["pushed"])))
        spine = arrow(case["spine"])
        with store.online() as features:
            got = features.get("conformance", {"key": spine["key"].to_pylist()}).to_polars()
        return spine.append_column("found", got["found"].to_arrow())


def source(case: Case) -> nt.Source:
    """The events as a source."""
    ask, columns = case["ask"], case["events"]["columns"]
    return nt.Source(
        "events",
        nt.Frame(pl.from_arrow(arrow(case["events"]))),
        event_time="time",
        known_time="known" if ask["known"] else None,
        row_id="row" if "row" in columns and (ask["row"] or ask["online"]) else None,
        deleted="gone" if "gone" in columns else None,
        entities=[entity(name, columns) for name in ask["keys"]],
    )


def entity(name: str, columns: dict[str, str]) -> nt.Entity:
    """An entity with one key of its own name."""
    return nt.Entity(name, keys={name: _KEYS[columns[name]]})


def view(case: Case, rows: nt.Source) -> Any:
    """A view with the feature that is asked."""
    ask = case["ask"]
    fold = getattr(rows["value"], ask["fold"])()
    over = fold.over(ask["window"] or "forever", delay=ask["delay"] or "0s", closed=ask["closed"])
    keys = [entity(name, case["events"]["columns"]) for name in ask["keys"]]
    return nt.feature_view("view", entity=keys, features={"found": over}, ttl=ask["ttl"])


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "local"
    serve(lambda case: answer(case, chosen), lacks={})
