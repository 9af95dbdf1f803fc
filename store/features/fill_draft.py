"""What holes are filled with, and its files: written side by side as values come, and gone again unless a commit takes them in."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from threading import Lock
from types import TracebackType
from typing import Self

import polars as pl

from ...engine.record import record
from ..ledger.entry import begun
from ..ports import DataPart, Here
from .chunks import Hole
from .column_files import ColumnFiles
from .feature_table import column_of, stem_of


@record
class Filled:
    """What fills a hole: rows of keys and times, where it lacks these, and a column for each feature; and what they were made of."""

    hole: Hole
    keys: pl.DataFrame | None
    values: pl.DataFrame
    last: int  # the greatest time asked at
    hashes: Mapping[str, str]
    key_turns: Mapping[str, int]
    turns: Mapping[str, Mapping[str, int]]  # of the sources of each feature


@record
class Files:
    """What was written for a hole: nothing where it has no rows."""

    keys: DataPart | None
    columns: Mapping[
        str, tuple[str, DataPart | None]
    ]  # by hash, with the feature's name: features of one hash have one file

    @property
    def parts(self) -> tuple[DataPart, ...]:
        """All of it."""
        return tuple(part for part in (self.keys, *(part for _, part in self.columns.values())) if part is not None)


class FillDraft:
    """Files for holes that are filled together. Who claims it may enter it, and leaving removes what no commit has taken in."""

    def __init__(self, here: Here, place: str, writers: ThreadPoolExecutor) -> None:
        self.work = begun("backfill", "backfill")
        self._writers, self._held, self._claimed = writers, ExitStack(), Lock()
        self.folder = self._held.enter_context(here.folder.draft(self.work.token))
        self.files = ColumnFiles(here, place, self.folder, self.work.token)
        self._made: list[tuple[Filled, Future[Files]]] = []

    def write(self, filled: Filled) -> None:
        """Have the files of a hole written; what failed before is raised instead."""
        for _, one in self._made:
            if one.done():
                one.result()
        self._made.append((filled, self._writers.submit(_written, filled, self.files)))

    def written(self) -> list[tuple[Filled, Files]]:
        """What was written for each hole, when all is; what failed is raised."""
        done, _ = wait([one for _, one in self._made], return_when=FIRST_EXCEPTION)
        for one in done:
            one.result()
        return [(filled, one.result()) for filled, one in self._made]

    def claim(self) -> bool:
        """Whether it is one's own from now on: of who would commit it and who would give it up it is the first one's."""
        return self._claimed.acquire(blocking=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            wait([one for _, one in self._made if not one.cancel()])  # as they write where the draft is
        finally:
            self._held.__exit__(kind, error, trace)


def _written(filled: Filled, files: ColumnFiles) -> Files:
    """The files of a hole."""
    keys = None if filled.keys is None else files.frame("k", filled.keys)
    features = {filled.hashes[name]: name for name in filled.hole.features}
    columns = {
        version: (name, files.frame(stem_of(version), filled.values.select(pl.col(name).alias(column_of(name, version)))))
        for version, name in features.items()
    }  # fmt: skip
    return Files(keys, columns)
