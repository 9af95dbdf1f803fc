"""A folder where a run keeps what its steps found, so that a run of the same plan goes on where another one ended.

One file for a step's value and one for its report, each written aside and renamed; the report comes last and holds the length and
the checksum of the other. Workers write, so the folder must be where all of them can reach it.
"""

from __future__ import annotations

import fcntl
import json
import re
import uuid
import zlib
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import polars as pl

from ..errors import Conflict, Invalid
from ..folds.hashing import HASH_VERSION, content_hashes
from ..language.expr import digest
from ..plan.pieces import Fixed
from ..plan.plan import Plan
from ..plan.reader import Loaded, Reader
from ..plan.way import WHOLE, Way
from ..record import record
from .filed import Filed, filed
from .packed import Packed
from .parts import Part
from .step import Each, Outcome, Report, Step, Work
from .task import AtTask, questions_of, source_columns

_VERSION = 1  # of what is noted and how; another one goes on with nothing
_PLAN, _LOCK = "plan.json", "lock"
_OURS = re.compile(
    r"(plan\.json|\d+ (answer|split)[ \d]*\.(json|arrow))(\.[0-9a-f]{32})?|\d+ (answer|split)[ \d]*\.[0-9a-f]{32}"
)


class Journal:
    """The folder of one run. Another run that has it open is a `Conflict`."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        key = _key(plan)
        self._folder = folder = folder.absolute()  # a worker may run in another one
        self._made = not folder.exists()
        _make(folder)
        self._lock = _locked(folder)
        held = _json(folder / _PLAN)
        self._ours = held is not None and held.get("made", False)  # a run before this one made the folder
        if held is None or held.get("key") != key:
            try:
                _emptied(folder)
            except Invalid:
                (folder / _LOCK).unlink()
                self._lock.close()
                raise
            held = {
                "key": key,
                "made": self._made or self._ours,
                "ways": [asdict(side.way) for side in plan.input.sides],
            }
            _put(folder / _PLAN, json.dumps(held).encode())
        sides = zip(plan.input.sides, held["ways"], strict=True)
        self.plan = replace(
            plan,
            input=replace(
                plan.input, sides=tuple(replace(side, way=replace(Way(**way), groups=1)) for side, way in sides)
            ),
        )

    def found(self, step: Step) -> Outcome | None:
        """What a step found before, if that is whole."""
        held = _json(self._folder / f"{step.key}.json") if step.key else None
        path = self._folder / f"{step.key}.arrow"
        if held is None or not path.exists() or _sum(path) != held["sum"]:
            return None
        report = Report(**{**held["report"], "sizes": tuple(held["report"]["sizes"])})
        if held["offsets"] is None:
            return Outcome(Part.of(pl.read_ipc(path)), report)
        return Outcome(Filed(path, np.array(held["offsets"]), path.stat().st_size), report)

    def kept(self, step: Step) -> Step:
        """The step, such that it leaves what it finds here."""
        return replace(step, work=Noted(step.work, self._folder, step.key)) if step.key else step

    def close(self, *, done: bool) -> None:
        """Let go of the folder; when the run is done, remove what is in it, and itself if it was made here."""
        with closing(self._lock):
            if done:
                self._clear()

    def _clear(self) -> None:
        for path in _ours(self._folder):  # what others put there meanwhile stays
            path.unlink(missing_ok=True)
        (self._folder / _LOCK).unlink(missing_ok=True)
        if self._made or self._ours:
            with suppress(OSError):  # a worker that was killed may have left a last file
                self._folder.rmdir()


@record
class Noted:
    """The work of a step that also writes down what it found."""

    work: Work
    folder: Path
    key: str

    def __call__(self, each: Each, *needs: Any) -> Outcome:
        """As the work; a packed table is left in its file."""
        outcome = self.work(each, *needs)
        aside = self.folder / f"{self.key}.{uuid.uuid4().hex}"
        made = filed(outcome.value, aside)
        path = aside.rename(self.folder / f"{self.key}.arrow")
        offsets = made.offsets.tolist() if isinstance(made, Filed) else None
        note = {"report": asdict(outcome.report), "sum": _sum(path), "offsets": offsets}
        _put(self.folder / f"{self.key}.json", json.dumps(note).encode())
        value = replace(made, path=path) if isinstance(outcome.value, Packed) else outcome.value
        return Outcome(value, outcome.report)


def _key(plan: Plan) -> str:
    """Equal for plans over equal rows that give equal answers."""
    sides = [replace(side, way=WHOLE) for side in plan.input.sides]
    written = str(replace(plan, input=replace(plan.input, sides=tuple(sides))))
    folds = [[str(part) for part in folding.same[:1]] for side in sides for folding in side.foldings]
    folds += [[side.scan.kept.identity] for side in sides if side.scan.kept is not None]  # whose text says no versions
    tasks = [AtTask(side, plan.input.spine) for side in sides]
    asked = dict.fromkeys(column for task in tasks for column in questions_of(task))
    rows = [_fingerprint(plan.input.spine.reader, [*asked])]
    rows += [_fingerprint(task.source, source_columns(task)) for task in tasks]
    return digest([_VERSION, written, folds, plan.statuses, HASH_VERSION, rows])


def _fingerprint(reader: Reader, columns: Sequence[str]) -> str:
    """Equal for readers of equal rows, as far as these columns go."""
    if isinstance(reader, Loaded):
        frame = reader.frame.select(columns)
        hashes = content_hashes(frame).view(np.uint64)
        places = np.arange(1, len(hashes) + 1, dtype=np.uint64)
        return f"{frame.schema} {reader.frame.height} {int((hashes * places).sum())}"
    if isinstance(reader, Fixed):
        return reader.fingerprint()
    raise Invalid(
        f"resume=: {reader.describe()} may change between two runs. Use Parquet files, a store's table, or a frame."
    )


def _locked(folder: Path) -> TextIO:
    lock = (folder / _LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Conflict(f"another run has {str(folder)!r} open. Wait for it, or give another folder.") from None
    return lock


def _emptied(folder: Path) -> None:
    """Remove what another run left. Folders that hold anything else are refused: it may be dear to somebody."""
    ours = _ours(folder)
    strangers = {path.name for path in folder.iterdir()} - {path.name for path in ours} - {_LOCK}
    if strangers:
        raise Invalid(
            f"resume=: {str(folder)!r} holds {min(strangers)!r}, which no run left there. Give an empty folder."
        )
    for path in ours:
        path.unlink()


def _ours(folder: Path) -> list[Path]:
    """What runs left in a folder."""
    return [path for path in folder.iterdir() if _OURS.fullmatch(path.name)]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"resume=: {str(folder)!r} cannot be made: {error.strerror}. Give another folder.") from None


def _put(path: Path, data: bytes) -> None:
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    aside.write_bytes(data)
    aside.rename(path)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _sum(path: Path) -> list[int]:
    """Length and checksum of a file."""
    size = crc = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            size, crc = size + len(block), zlib.crc32(block, crc)
    return [size, crc]
