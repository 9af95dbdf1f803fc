"""A store, opened: its folder, ledger, notes and tables."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

from .entries import Entries
from .folder import open_folder
from .founding import identity
from .notes import NoteFiles
from .ports import Folder, Here


def here(url: str | PathLike[str], storage: Mapping[str, str] | None = None) -> Here:
    """The store in a folder or at an address. Looking makes nothing: the first commit does."""
    return opened(open_folder(url, storage))


def opened(folder: Folder) -> Here:
    """The store in a folder. `Invalid` if it is of another format, `Corrupt` if what says so is damaged."""
    from .tables import Tables

    identity(folder)
    ledger = Entries(folder)
    return Here(folder, ledger, NoteFiles(folder, ledger), Tables(folder))
