"""The same worlds put to NowThen: frames, source and views, and the comparison with the naive answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import polars as pl

import nowthen as nt
from nowthen.engine.language.duration import written
from nowthen.engine.running.training_set import TrainingSet

from . import naive
from .naive import Ask, Row
from .worlds import TimeKind, World, is_flagged

A = nt.Entity("a", keys={"a": pl.Int64})
B = nt.Entity("b", keys={"b": pl.String})
VALUES = {"x": pl.Float64(), "n": pl.Int64(), "s": pl.String(), "d": pl.Datetime("us", "UTC"), "flag": pl.Boolean()}


def instants(times: Sequence[int | None], kind: TimeKind) -> pl.Series:
    """A column of instants as a table would write them."""
    utc = pl.Series(times, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if kind.local is not None:
        utc = utc.dt.convert_time_zone(kind.local).dt.replace_time_zone(None)
    elif kind.zone is None:
        utc = utc.dt.replace_time_zone(None)
    else:
        utc = utc.dt.convert_time_zone(kind.zone)
    return utc.dt.cast_time_unit(kind.unit)  # type: ignore[arg-type]


def event_frame(world: World, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as the table of the source."""
    columns: dict[str, pl.Series] = {
        "a": pl.Series([row.keys["a"] for row in rows], dtype=getattr(pl, world.key_type)),
        "b": pl.Series([row.keys["b"] for row in rows], dtype=pl.String),
        "t": instants([row.event_time for row in rows], world.source_time),
        **{name: pl.Series([row.values[name] for row in rows], dtype=dtype) for name, dtype in VALUES.items()},
    }
    if world.known_time:
        columns["known"] = instants([row.known_time for row in rows], world.source_time)
    if world.row_id:
        columns["row"] = pl.Series([row.row_id for row in rows], dtype=pl.Int64)
        columns["gone"] = pl.Series([row.deleted for row in rows], dtype=pl.Boolean)
    return pl.DataFrame(columns)


def spine_frame(world: World) -> pl.DataFrame:
    """The questions as labels."""
    return pl.DataFrame(
        {
            "label": pl.Series(range(len(world.questions)), dtype=pl.Int32),
            "a": pl.Series([q.keys["a"] for q in world.questions], dtype=pl.Int64),
            "b": pl.Series([q.keys["b"] for q in world.questions], dtype=pl.String),
            "asked": instants([q.time for q in world.questions], world.spine_time),
            "seen": instants([q.known for q in world.questions], world.spine_time),
        }
    )


def source(world: World) -> nt.Source:
    """The source over all rows of the world."""
    return nt.Source(
        "events",
        nt.Frame(event_frame(world, world.rows)),
        event_time="t",
        entities=[A, B],
        known_time="known" if world.known_time else None,
        row_id="row" if world.row_id else None,
        deleted="gone" if world.row_id else None,
        time_zone=world.source_time.local,
    )


def feature(rows: nt.Source, ask: Ask) -> Any:
    """The expression of one ask; filters are given in both ways there are."""
    where = None if ask.where is None else rows["flag"] if ask.where is is_flagged else rows["n"] > 0
    over = window(ask)
    if ask.column is None:
        expr = rows.count(where=where).over(*over[0], **over[1])
    else:
        kept = rows if where is None else rows.filter(where)
        name = ask.fold.removesuffix("_known").removesuffix("_seen")
        params: dict[str, Any] = {"quantile": {"q": naive.QUANTILES["quantile"]}}.get(name, {})
        params |= {"k": naive.K} if name.endswith("_k") else {}
        known = {} if name == ask.fold else {"ignore_nulls": ask.fold.endswith("_known")}
        expr = getattr(kept[ask.column], name)(**params, **known).over(*over[0], **over[1])
    return expr if ask.default is None else nt.feature(expr, default=ask.default)


def window(ask: Ask) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What `over` is given."""
    w = ask.window
    delay = {"delay": written(w.delay)} if w.delay else {}
    if w.hop is None:
        return ("forever" if w.width is None else written(w.width),), {**delay, "closed": w.closed}
    assert w.width is not None
    more: dict[str, Any] = {"partial": w.partial, "tz": w.tz or "UTC", "offset": timedelta(microseconds=w.offset)}
    if w.width == w.hop:
        return (nt.tumbling(written(w.width), **more),), delay
    return (nt.hopping(written(w.width), written(w.hop), **more),), delay


def views(world: World) -> list[Any]:
    """A view for each ask, named v0, v1, ..., with the feature f0, f1, ..."""
    rows = source(world)
    entities = {"a": A, "b": B}
    return [
        nt.feature_view(
            f"v{n}",
            entity=[entities[key] for key in ask.keys],
            features={f"f{n}": feature(rows, ask)},
            every=None if ask.every is None else written(ask.every),
            ttl=None if ask.ttl is None else written(ask.ttl),
        )
        for n, ask in enumerate(world.asks)
    ]


def training_set(world: World) -> TrainingSet:
    """The world's training set, through the public door."""
    known: Any = {"column": "seen", "latest": "latest", None: None}.get(world.known_at)  # type: ignore[arg-type]
    if isinstance(world.known_at, int):
        known = naive.at(world.known_at)
    made: TrainingSet = nt.training_set(nt.Frame(spine_frame(world)), views(world), at="asked", known_at=known)
    return made


def expected(world: World, rows: Sequence[Row] | None = None) -> list[list[naive.Answer]]:
    """The naive answers, by question and ask."""
    return [
        [naive.answer(world.rows if rows is None else rows, ask, q.keys, q.time, world.known(q)) for ask in world.asks]
        for q in world.questions
    ]


def differences(world: World, got: pl.DataFrame, wanted: list[list[naive.Answer]]) -> list[str]:
    """Every value and status that is not what the naive loop says."""
    out = []
    for q, (row, answers) in enumerate(zip(got.to_dicts(), wanted, strict=True)):
        for n, (ask, answer) in enumerate(zip(world.asks, answers, strict=True)):
            value, status = row[f"f{n}"], row[f"f{n}__status"]
            if not agrees(ask.fold, value, answer) or status != answer.status:
                out.append(f"row {q} f{n}: {value!r} ({status}), by the law {answer.value!r} ({answer.status}); {ask}")
    return out


def agrees(fold: str, value: Any, answer: naive.Answer) -> bool:
    """Exact; float sums and means within 1e-12 of the sum of magnitudes inside the window, spreads by their condition number."""
    if isinstance(value, list) and isinstance(answer.value, list):
        entries = zip(value, answer.value, strict=False)
        return len(value) == len(answer.value) and all(same(one, other) for one, other in entries)
    wanted = float(answer.value) if answer.value == 0 and isinstance(value, float) else answer.value
    if value is None or wanted is None or type(value) is not type(wanted):
        return value is None and wanted is None
    if not isinstance(value, float) or not math.isfinite(wanted):
        return bool(value == wanted) or (value != value and wanted != wanted)
    if fold in ("var", "std"):
        return value == wanted or abs(value - wanted) <= 1e-12 * condition(answer.folded) * wanted
    if fold not in ("sum", "mean") or not answer.folded:
        return value == wanted
    scale = sum(abs(Fraction(one)) for one in answer.folded) / (len(answer.folded) if fold == "mean" else 1)
    return math.isfinite(value) and abs(Fraction(value) - Fraction(wanted)) <= Fraction(1e-12) * scale


def same(one: Any, other: Any) -> bool:
    """Whether two entries of lists are the same value, NaN or null."""
    return type(one) is type(other) and bool(one == other or (one != one and other != other))


def condition(values: list[Any]) -> float:
    """sqrt(sum x^2 / sum (x - mean)^2), by which the error of a spread may grow; 1 where nothing but 0 will do."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / max(len(exact), 1)
    apart = sum((one - mean) ** 2 for one in exact)
    return math.sqrt(sum(one**2 for one in exact) / apart) if apart else 1.0
