"""A store, opened: its folder, ledger, notes and tables."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from .folders.folder import open_folder
from .ledger.entries import Entries
from .ledger.founding import identity
from .ledger.notes import NoteFiles
from .ports import Folder, Here


def here(url: str | PathLike[str], storage: Mapping[str, str] | None = None, logs: Path | None = None) -> Here:
    """The store in a folder or at an address. Looking makes nothing: the first commit does."""
    return opened(open_folder(url, storage), logs)


def opened(folder: Folder, logs: Path | None = None) -> Here:
    """The store in a folder. `Invalid` if it is of another format, `Corrupt` if what says so is damaged.

    Logs of pushed rows stand beside a local store; for an object store `logs` says where, if there are any.
    """
    identity(folder)
    return unmarked(folder, logs)


def unmarked(folder: Folder, logs: Path | None = None) -> Here:
    """The same of a folder whose mark is not asked for: of a restore that is not yet a store."""
    from .tables.tables import Tables

    ledger = Entries(folder)
    beside = None if "://" in folder.url else Path(folder.url) / "log"
    return Here(folder, ledger, NoteFiles(folder, ledger), Tables(folder), logs or beside)
