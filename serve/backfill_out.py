"""Beside the file that a backfill writes: what must not be it, and the folder that lets the backfill go on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ..engine.errors import Invalid
from ..engine.plan.pieces import Fixed
from ..engine.plan.reader import Loaded, Reader
from ..engine.running.sinking import refuse_read
from ..engine.running.training_set import TrainingSet
from ..store.sources.training import sources_of
from .out_file import check_lasting

_PLAN, _LOCK = "plan.json", "lock"  # that engine/running/journal.py leaves in the folder of a run


def check_apart(out: Path, train: TrainingSet, *others: Reader) -> None:
    """Refuse to write over a file that is read."""
    sources = (train.open_source(spec) for spec in sources_of(train.features))
    refuse_read(out, [train.spine.reader, *others, *sources])


def resume_folder(train: TrainingSet, given: str | None, out: Path) -> Path | None:
    """The folder for what is done; by default beside the file, and None there where what is read may change between two runs."""
    if given is None and changing(train):
        return None
    folder = out.with_name(f"{out.name}.resume") if given is None else Path(given)
    check_lasting("--resume", folder)
    _check_journal(folder)
    return folder


def kept(folder: Path | None) -> int:
    """How many steps' results an earlier run has left."""
    return 0 if folder is None else len(list(folder.glob("*.arrow")))


def forget(folder: Path) -> None:
    """Have the next run start from scratch: it empties a folder of another plan."""
    (folder / _PLAN).unlink(missing_ok=True)


def tidy(folder: Path | None) -> None:
    """Remove the folder of a run that did nothing."""
    if folder is not None and folder.is_dir() and not kept(folder):
        for name in (_PLAN, _LOCK):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()


def _check_journal(folder: Path) -> None:
    """Refuse a folder that holds something else: what it holds is removed at the end."""
    if folder.exists() and not folder.is_dir():
        raise Invalid(f"--resume {str(folder)!r} is a file; give a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not any((folder / name).exists() for name in (_PLAN, _LOCK)):
        raise Invalid(f"--resume {str(folder)!r} holds other files, and a run empties its folder. Name a new one.")


def changing(train: TrainingSet) -> list[str]:
    """What is read that may hold other rows the next time, for people."""
    plan = train.plan(engine="local")
    readers = [plan.input.spine.reader, *(side.scan.reader for side in plan.input.sides)]
    return [reader.describe() for reader in readers if not _rests(reader)]


def _rests(reader: Reader) -> bool:
    return isinstance(reader, Loaded | Fixed)
