"""Parts of a saved training set: its rows between two times, read from its file when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from ...engine.errors import Conflict
from ...engine.language.duration import Duration
from ...engine.language.source import SourceSpec
from ...engine.plan.plan import Spine
from ...engine.plan.reader import Loaded, Reader
from ...engine.running.settling import ROW
from ...engine.running.training_set import TrainingSet
from .ways_out import WaysOut

if TYPE_CHECKING:
    from ...engine.language.nodes import Reference
    from .saved_training_set import SavedTrainingSet


@dataclass(frozen=True, repr=False)
class Part(WaysOut):
    """Some rows of a saved training set, in its order. `Conflict` once rows of it were forgotten: split it again."""

    of: SavedTrainingSet
    digest: str  # of the file whose rows are numbered
    kept: pl.Series  # which of its rows, rising

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.kept)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of its columns."""
        return self.of.schema

    @property
    def features(self) -> Mapping[str, Reference]:
        """Columns and their features, as they were defined then."""
        return self.of.features

    def collect(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Its rows, or some columns of them."""
        self._check()
        return self.of.collect(columns)[self.kept]

    def batches(self, rows: int = 1_000_000) -> Iterator[pl.DataFrame]:
        """Its rows in frames of at most `rows` rows, in order, at least one."""
        frames = self.of.batches(rows)
        return self._batches(frames)

    def _batches(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        self._check()
        first = 0
        for frame in frames:
            low, high = self.kept.search_sorted(first), self.kept.search_sorted(first + frame.height)
            if high > low or not first:
                yield frame[self.kept[low:high] - first]
            first += frame.height

    def _check(self) -> None:
        if self.of.digest != self.digest:
            raise Conflict(f"rows of training set {self.of.name!r} were forgotten since it was split. Split it again.")

    def __repr__(self) -> str:
        return f"<Part of {self.of.name}: {self.rows:,} of {self.of.rows:,} rows>"


def parts(saved: SavedTrainingSet, at: Sequence[str | datetime], gap: Duration) -> tuple[Part, ...]:
    """The rows cut by time, as `TrainingSet.split` cuts them: it is given their times and numbers."""
    digest, column = saved.digest, saved.note["at"]
    times = saved.collect([column]).with_row_index(ROW)
    spine = Spine(Loaded(times, f"training set {saved.name!r}"), dict(times.schema), column, {})
    cut = TrainingSet({}, spine, _nothing).split(at, gap=gap)
    return tuple(Part(saved, digest, part.spine.reader.read([ROW])[ROW]) for part in cut)


def _nothing(source: SourceSpec) -> Reader:
    raise AssertionError(f"a split reads no source, and not {source.name}")
