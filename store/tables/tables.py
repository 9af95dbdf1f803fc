"""Lance tables as lists of files, each version vouched for by the digest of its manifest, each column by its sums.

Files and manifests are made in drafts; a folder brings them to their places. Lance reads what is there and never writes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pyarrow as pa

from ...engine.errors import NotFound
from ...engine.record import record
from ..folders.canonical import digest
from ..ports import DataPart, Folder, Stretch, Version
from . import data_file, table_manifest
from .lance_errors import speaking
from .lance_library import LanceDataset, Session
from .lost import LostFile
from .sums import SUFFIX
from .verified import Verified, damaged

_MADE: Final = "made"  # the folder of a draft that is laid out as the store is
_BATCH_ROWS: Final = 262_144  # Lance's own 8,192 cost twice the time; most files are one batch then, in one piece
_KEPT: Final = 64  # versions held open
_CACHE_BYTES: Final = 128 << 20
_GROUP_BYTES: Final = 16 << 20
_AHEAD: Final = 2  # groups that are checked before they are wanted


@record
class _Opened:
    table: LanceDataset
    schema: pa.Schema
    stretches: tuple[Stretch, ...]
    fragments: Mapping[tuple[str, ...], Any]  # by the paths of their files


class Tables:
    """The tables of a store."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._verified = Verified(folder)
        self._opened: dict[tuple[str, str, str], _Opened] = {}
        self._session = Session(0, _CACHE_BYTES)
        self._lock = Lock()

    def __reduce__(self) -> tuple[Callable[[Folder], Tables], tuple[Folder]]:
        """It travels without what it has opened and made sure of."""
        return Tables, (self._folder,)

    def write(
        self, place: str, stem: str, rows: Iterable[pa.RecordBatch], schema: pa.Schema, draft: Path, token: str
    ) -> DataPart:
        """Write a file into the draft of an attempt; from several threads if need be."""
        made = draft / _MADE / place
        part = data_file.written(made / data_file.DATA, stem, token, rows, schema)
        self._folder.expect(made / part.path)
        return part

    def take_in(self, draft: Path) -> None:
        """Bring all files of a draft to their places, durably; the draft has them no more."""
        made = draft / _MADE
        files = {path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()}
        self._folder.take_in(files)
        for path in files.values():
            path.unlink()

    def version(self, place: str, schema: pa.Schema, stretches: Sequence[Stretch], draft: Path) -> Version:
        """A version that has these stretches, one after another, durably."""
        with self._lock:
            number, content = table_manifest.made(draft, schema, stretches)
        self._folder.put_new(f"{place}/{table_manifest.path_of(number)}", content)
        parts = [part for stretch in stretches for part in stretch.parts]
        rows = sum(stretch.rows for stretch in stretches)
        return Version(number, digest(content), rows, len(parts), sum(part.bytes for part in parts))

    def opened(self, place: str, version: Version) -> tuple[pa.Schema, tuple[Stretch, ...]]:
        """What a version consists of."""
        found = self._open(place, version)
        return found.schema, found.stretches

    def batches(
        self, place: str, version: Version, columns: Sequence[str], stretches: Sequence[Stretch] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The columns of some stretches, or all, in their order; what is read is checked first, some files ahead of reading."""
        found = self._open(place, version)
        wanted = found.stretches if stretches is None else tuple(stretches)
        if all(self._verified.knows(place, part, columns) for one in wanted for part in one.parts):
            yield from self._scanned(place, found, columns, wanted)
        else:
            yield from self._checked(place, found, columns, list(_groups(wanted)))

    def _checked(
        self, place: str, found: _Opened, columns: Sequence[str], groups: Sequence[Sequence[Stretch]]
    ) -> Iterator[pa.RecordBatch]:
        if len(groups) == 1:
            self._check(place, groups[0], columns)
            yield from self._scanned(place, found, columns, groups[0])
            return
        with ThreadPoolExecutor(1) as ahead:
            checks = deque(ahead.submit(self._check, place, group, columns) for group in groups[:_AHEAD])
            for number, group in enumerate(groups):
                checks.popleft().result()
                if number + _AHEAD < len(groups):
                    checks.append(ahead.submit(self._check, place, groups[number + _AHEAD], columns))
                yield from self._scanned(place, found, columns, group)

    def _check(self, place: str, stretches: Iterable[Stretch], columns: Sequence[str]) -> None:
        for stretch in stretches:
            for part in stretch.parts:
                self._verified.need(place, part, columns)

    def _scanned(
        self, place: str, found: _Opened, columns: Sequence[str], stretches: Sequence[Stretch]
    ) -> Iterator[pa.RecordBatch]:
        if not stretches:
            return
        with self._speaking(place):
            fragments = [found.fragments[_name(stretch)] for stretch in stretches]
            yield from found.table.scanner(
                columns=list(columns), fragments=fragments, batch_size=_BATCH_ROWS, scan_in_order=True
            ).to_batches()

    def paths(self, place: str, version: Version) -> Iterator[str]:
        """All files that a version needs: its manifest, its data files and their sums."""
        yield f"{place}/{table_manifest.path_of(version.number)}"
        for stretch in self._open(place, version).stretches:
            for part in stretch.parts:
                yield f"{place}/{part.path}"
                yield f"{place}/{part.path}{SUFFIX}"

    def _open(self, place: str, version: Version) -> _Opened:
        key = (place, version.number, version.digest)
        with self._lock:
            if key not in self._opened:
                self._opened[key] = self._read(place, version)
                while len(self._opened) > _KEPT:
                    del self._opened[next(iter(self._opened))]
            return self._opened[key]

    def _read(self, place: str, version: Version) -> _Opened:
        path = f"{place}/{table_manifest.path_of(version.number)}"
        try:
            content = self._folder.get(path)
        except NotFound:
            raise LostFile.at(path) from None
        if digest(content) != version.digest:
            raise damaged(path, "its digest is not the one that its version was written with")
        uri, options = self._folder.lance(place)
        with self._speaking(place):
            table = table_manifest.opened(uri, options, version.number, content, self._session)
            schema, fragments = table.schema, table.get_fragments()
            stretches = table_manifest.stretches_of(schema, fragments)
            return _Opened(table, schema, stretches, dict(zip(map(_name, stretches), fragments)))

    def _speaking(self, what: str) -> AbstractContextManager[None]:
        return speaking(what, self._folder.lance(what)[1] if "://" in self._folder.url else None)


def _groups(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Stretches that are checked together before any of them is read."""
    group: list[Stretch] = []
    size = 0
    for stretch in stretches:
        group.append(stretch)
        size += sum(part.bytes for part in stretch.parts)
        if size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _name(stretch: Stretch) -> tuple[str, ...]:
    return tuple(part.path for part in stretch.parts)
