"""The files of a source that its tables have already, known by a fingerprint each: what is as it was is not read again.

Where all files are as they were there is nothing to do. Single files are passed over only where rows have both `row_id` and `known_time`:
then the versions of a row are a set. Otherwise the rows of a file decide something about those of others, as the last of a row_id does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...engine.language.definition_values import type_json
from ...engine.language.source import SourceSpec
from ...engine.plan.pieces import pinned
from ...engine.plan.reader import Reader
from ...engine.record import record
from ..ports import Here
from ..sources.conform import Conforming
from ..sources.csv_files import Csv
from ..sources.files import files as files_of
from ..sources.files import is_address, shown
from ..sources.parquet import PinnedParquet
from .source_note import SourceState

KIND = "pieces"
_CSV = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".txt")
_CHUNK = 1 << 20


@record
class Files:
    """What there is to read: a reader, none where all is known; each file with its fingerprint; and the rows of files that are passed over."""

    reader: Reader | None
    marks: Mapping[str, str]
    rows: int = 0

    def lineage(self) -> list[str]:
        """Where rows come from, for people."""
        return [f"piece:{shown(path)}#{mark}" for path, mark in sorted(self.marks.items())]

    def note(self, turn: int, read: int) -> dict[str, object]:
        """What is kept of it beside rows as they are since that turn, once so many more were read."""
        return {"kind": KIND, "files": dict(self.marks), "turn": turn, "rows": self.rows + read}


def unknown(here: Here, spec: SourceSpec, state: SourceState | None, reader: Reader, *, pushed: bool) -> Files:
    """What of a reader's files the tables do not have; `pushed` where rows wait in the log, which those of the files may have to follow."""
    held = pinned(reader)
    marks = _marks(held)
    before = {} if state is None or state.pieces is None else here.notes.get(state.pieces)
    if (
        not marks
        or not before
        or state is None
        or not state.ingested
        or any(state.layout["columns"].get(name) != type_json(dtype) for name, dtype in spec.schema.items())
    ):
        return Files(held, marks)  # a column that is asked for now, or more exactly, may have stood in the files before
    same = {path for path, mark in marks.items() if before["files"].get(path) == mark}
    versions_are_a_set = spec.row_id is not None and spec.known_time is not None
    unchanged = marks == before["files"] and before["turn"] == state.turn and not pushed
    if len(same) == len(marks) and (versions_are_a_set or unchanged):
        return Files(None, marks, before["rows"])
    return _without(held, same, marks) if versions_are_a_set else Files(held, marks)


def _marks(reader: Reader) -> dict[str, str]:
    """The files of a reader and what tells each from others that stood there; nothing where that cannot be told."""
    inner = reader.inner if isinstance(reader, Conforming) else reader
    if isinstance(inner, PinnedParquet):
        return {file.path: _mark(Path(file.path), footer=True) for file in inner.held}
    if isinstance(inner, Csv) and not is_address(inner.path):
        return {os.path.abspath(path): _mark(Path(path), footer=False) for path in files_of(inner.path, _CSV)}
    return {}


def _mark(path: Path, *, footer: bool) -> str:
    facts = path.stat()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if footer and facts.st_size >= 8:
            file.seek(-8, os.SEEK_END)
            size = int.from_bytes(file.read(4), "little") + 8
            file.seek(-min(size, facts.st_size), os.SEEK_END)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return f"{facts.st_size}-{facts.st_mtime_ns}-{digest.hexdigest()[:32]}"


def _without(reader: Reader, known: set[str], marks: Mapping[str, str]) -> Files:
    """A reader without some of its files, where it can leave them out."""
    inner = reader.inner if isinstance(reader, Conforming) else reader
    if not isinstance(inner, PinnedParquet) or len(known) == len(marks):
        return Files(reader, marks)
    left = replace(inner, held=tuple(file for file in inner.held if file.path not in known))
    passed = sum(file.rows for file in inner.held if file.path in known)
    return Files(replace(reader, inner=left) if isinstance(reader, Conforming) else left, marks, passed)
