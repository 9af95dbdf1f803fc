"""Files that commands write: whether they can be written is known before anything long begins."""

from __future__ import annotations

import os
from pathlib import Path

from ..engine.errors import Invalid


def checked_out(given: str, option: str = "--out", suffix: str = ".parquet") -> Path:
    """The file to write, if it can be; any suffix will do if none is named."""
    path = Path(given)
    check_lasting(option, path)
    if not path.name.endswith(suffix) or path.is_dir():
        raise Invalid(f"{option} {given!r} must name a {suffix + ' ' if suffix else ''}file.")
    _check_folder(option, path.parent)
    return path


def in_job() -> bool:
    """Whether this process was started by `ray job submit`."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ


def check_lasting(option: str, path: Path) -> None:
    """Refuse in a job a path that is gone with the job's folder."""
    if in_job() and not path.is_absolute():
        raise Invalid(
            f"{option} {str(path)!r}: a job runs in a copy of its folder, which is removed. Give an absolute path, on a disk that all nodes share."
        )


def _check_folder(option: str, folder: Path) -> None:
    if not folder.is_dir():
        raise Invalid(f"{option}: there is no folder {str(folder)!r}. Create it first.")
    if not os.access(folder, os.W_OK):
        raise Invalid(f"{option}: folder {str(folder)!r} is not writable. Name another one.")
