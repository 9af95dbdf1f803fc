"""How frames travel through Ray's object store: as Arrow, whose columns are read where they lie."""

from __future__ import annotations

from typing import Any

import polars as pl
import ray


def register() -> None:
    """Have Ray take frames so, in this process."""
    ray.util.register_serializer(pl.DataFrame, serializer=_to_arrow, deserializer=pl.from_arrow)


def _to_arrow(frame: pl.DataFrame) -> Any:
    # Not the newest level: Ray cannot serialize the string views that it writes.
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
