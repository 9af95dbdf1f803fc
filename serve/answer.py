"""What a caller gets back: values, their status, and the point in time and versions they reflect. Small on the wire: a header and one run of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import groupby, islice
from typing import Any

import numpy as np
import polars as pl

from ..engine.errors import UnknownColumn, WrongType, did_you_mean
from ..engine.folds.column import Array, Column, physical
from ..engine.folds.online import Served
from ..engine.language import dtype as types
from ..engine.language.instant import datetime_of, instant
from ..engine.language.status import NAMES
from .json_values import plain, real

_BOOL, _CODE = np.dtype(np.bool_), np.dtype(np.uint8)


@dataclass(frozen=True, eq=False)
class Answer:
    """The features of a service for n questions, in the order asked.

    `watermark` is the newest event_time up to which every source was seen (None: some source has no rows), `versions` says which
    version of the service answered, `token` names the log positions it stands on: `get(after=token)` is at least as new.
    """

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    codes: tuple[Array, ...] = field(repr=False)
    watermark: datetime | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    token: str = ""

    @staticmethod
    def of(served: Served, watermark_us: int | None, versions: Mapping[str, str], token: str) -> Answer:
        """The answer made of what the engine served."""
        watermark = None if watermark_us is None else datetime_of(watermark_us)
        return Answer(served.names, served.columns, served.status, watermark, versions, token)

    def __len__(self) -> int:
        return len(self.columns[0])

    def to_polars(self) -> pl.DataFrame:
        """One column per feature, in the service's order, of the same types as in training."""
        return pl.DataFrame([column.to_series(name) for name, column in zip(self.names, self.columns, strict=True)])

    def to_numpy(self) -> Array:
        """The values (n, features) in the service's order, as `to_numpy` of the same training columns gives them: a null number is NaN.

        Lists are refused.
        """
        if all(
            column.valid is None and column.values.dtype.kind in "iuf" and column.dtype.is_numeric()
            for column in self.columns
        ):
            return np.stack([column.values for column in self.columns], axis=1)
        for name, column in zip(self.names, self.columns, strict=True):
            if isinstance(column.dtype, pl.List):
                raise WrongType(
                    f"feature {name!r} is {column.dtype}, which an array cannot hold. Use to_polars() or row(i)."
                )
        return self.to_polars().to_numpy()

    def row(self, i: int = 0) -> dict[str, Any]:
        """The values of question i as Python values, by feature; None is null."""
        return {name: _value(column, i) for name, column in zip(self.names, self.columns, strict=True)}

    def status(self, name: str) -> list[str]:
        """Why each value of a feature is there or is missing: present, null, not_found, outside_ttl or default."""
        if name not in self.names:
            raise UnknownColumn(f"the answer has no feature {name!r}. {did_you_mean(name, self.names)}")
        return NAMES[self.codes[self.names.index(name)]].tolist()  # type: ignore[no-any-return]

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON has values: NaN and infinities as strings, times as ISO text."""
        return {
            "features": {
                name: plain(column.to_series()) for name, column in zip(self.names, self.columns, strict=True)
            },
            "status": {name: NAMES[codes].tolist() for name, codes in zip(self.names, self.codes, strict=True)},
            "types": {name: types.written(column.dtype) for name, column in zip(self.names, self.columns, strict=True)},
            "watermark": None if self.watermark is None else self.watermark.isoformat(),
            "versions": dict(self.versions),
            "token": self.token,
        }

    @staticmethod
    def from_json(parts: Mapping[str, Any]) -> Answer:
        """The answer that `as_json` wrote."""
        dtypes = {name: types.read(written) for name, written in parts["types"].items()}
        columns = tuple(Column.from_series(real(values, dtypes[name])) for name, values in parts["features"].items())
        number = {name: code for code, name in enumerate(NAMES.tolist())}
        codes = tuple(
            np.array([number[status] for status in statuses], dtype=np.uint8) for statuses in parts["status"].values()
        )
        watermark = None if parts["watermark"] is None else datetime.fromisoformat(parts["watermark"])
        return Answer(tuple(parts["features"]), columns, codes, watermark, parts["versions"], parts["token"])

    def __repr__(self) -> str:
        of = ", ".join(f"{name}@{version[:12]}" for name, version in self.versions.items())
        until = "no rows of some source yet" if self.watermark is None else f"rows up to {self.watermark}"
        return f"<Answer of {of}: {len(self.names)} features for {len(self)} questions, {until}>\n{self.to_polars()}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpacked, _packed(self)


def _value(column: Column, i: int) -> Any:
    if column.valid is not None and not column.valid[i]:
        return None
    if column.dtype.is_temporal():
        return column.take(np.array([i])).to_series()[0]
    if isinstance(column.dtype, pl.List):
        return column.take(np.array([i])).to_series().to_list()[0]
    value = column.values[i]
    return value.item() if isinstance(value, np.generic) else value


def _packed(answer: Answer) -> tuple[Any, ...]:
    """The parts of an answer as few small objects: fifteen arrays cost more to pickle than to compute."""
    nulls = tuple(column.valid is not None for column in answer.columns)
    texts = tuple(_plain(column.values) for column in answer.columns if column.values.dtype == np.object_)
    parts = [column.values.tobytes() for column in answer.columns if column.values.dtype != np.object_]
    parts += [column.valid.tobytes() for column in answer.columns if column.valid is not None]
    parts += [codes.tobytes() for codes in answer.codes]
    watermark = None if answer.watermark is None else instant(answer.watermark, "watermark")
    head = _head(answer.names, tuple(column.dtype for column in answer.columns))
    return len(answer), head, nulls, texts, b"".join(parts), watermark, dict(answer.versions), answer.token


def _unpacked(
    n: int,
    head: str,
    nulls: Sequence[bool],
    texts: Sequence[Any],
    raw: bytes,
    watermark: int | None,
    versions: dict[str, str],
    token: str,
) -> Answer:
    names, dtypes, runs = _schema(head)
    at, text = 0, iter(texts)
    values: list[Array] = []
    for kind, count in runs:
        if kind == np.object_:
            values.extend(map(_objects, islice(text, count)))
        else:
            values.extend(np.frombuffer(raw, kind, count * n, at).reshape(count, n))
            at += count * n * kind.itemsize
    some = sum(nulls)
    masks = iter(np.frombuffer(raw, _BOOL, some * n, at).reshape(some, n))
    codes = np.frombuffer(raw, _CODE, len(names) * n, at + some * n).reshape(len(names), n)
    valid = [next(masks) if null else None for null in nulls]
    seen = None if watermark is None else datetime_of(watermark)
    return Answer(names, tuple(map(Column, dtypes, values, valid)), tuple(codes), seen, versions, token)


@lru_cache(256)
def _head(names: tuple[str, ...], dtypes: tuple[pl.DataType, ...]) -> str:
    """Names and types in one line; no name holds a space."""
    return " ".join([*names, *(types.written(dtype).replace(" ", "") for dtype in dtypes)])


@lru_cache(256)
def _schema(head: str) -> tuple[tuple[str, ...], tuple[pl.DataType, ...], tuple[tuple[np.dtype[Any], int], ...]]:
    """Names and types of a head, and the stretches of columns that lie as one array in the bytes."""
    words = head.split(" ")
    dtypes = tuple(types.read(word.replace(",", ", ")) for word in words[len(words) // 2 :])
    runs = tuple((kind, len(list(group))) for kind, group in groupby(map(physical, dtypes)))
    return tuple(words[: len(words) // 2]), dtypes, runs


def _plain(values: Array) -> Any:
    """Texts as a list; lists have a small form of their own."""
    return values.tolist() if isinstance(values, np.ndarray) else values


def _objects(values: Any) -> Array:
    if not isinstance(values, list):
        return values  # type: ignore[no-any-return]  # lists
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
