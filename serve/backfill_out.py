"""Where a backfill writes: the file, and beside it the folder that lets it go on."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..engine.errors import Invalid
from ..engine.plan.pieces import Fixed
from ..engine.plan.reader import Loaded, Reader
from ..engine.running.training_set import TrainingSet

_PLAN, _LOCK = "plan.json", "lock"  # that engine/running/journal.py leaves in the folder of a run


def in_job() -> bool:
    """Whether this process was started by `ray job submit`."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ


def check_lasting(option: str, path: Path) -> None:
    """Refuse in a job a path that is gone with the job's folder."""
    if in_job() and not path.is_absolute():
        raise Invalid(
            f"{option} {str(path)!r}: a job runs in a copy of its folder, which is removed. Give an absolute path, on a disk that all nodes share."
        )


def checked_out(given: str) -> Path:
    """The file to write, if it can be."""
    path = Path(given)
    check_lasting("--out", path)
    if path.suffix != ".parquet" or path.is_dir():
        raise Invalid(f"--out {given!r} must name a .parquet file.")
    _check_folder(path.parent)
    return path


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


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise Invalid(f"--out: there is no folder {str(folder)!r}. Create it first.")
    if not os.access(folder, os.W_OK):
        raise Invalid(f"--out: folder {str(folder)!r} is not writable. Name another one.")
