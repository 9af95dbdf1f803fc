"""The reader of anything that holds rows."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any

import polars as pl

from ..engine.errors import Invalid
from ..engine.reader import Reader
from .csv_files import Csv
from .frame import Frame
from .lance_table import Lance
from .parquet import Parquet

_BY_ENDING: tuple[tuple[tuple[str, ...], type[Parquet] | type[Csv] | type[Lance]], ...] = (
    ((".parquet", ".pq"), Parquet),
    ((".csv", ".csv.gz", ".csv.zst", ".tsv"), Csv),
    ((".lance",), Lance),
)


def reader_of(given: Any, name: str = "frame") -> Reader:
    """The reader of a reader, of a path by its ending, or of any frame.

    >>> reader_of("data/labels.csv")
    Csv('data/labels.csv')
    """
    if isinstance(given, str | PathLike):
        return _of_path(fspath(given))
    # Asking a lazy frame whether it is a reader would resolve its schema.
    if not isinstance(given, pl.LazyFrame) and isinstance(given, Reader):
        return given
    return Frame(given, name)


def _of_path(path: str) -> Reader:
    for endings, reader in _BY_ENDING:
        if path.rstrip("/").endswith(endings):
            return reader(path)
    return _of_folder(path)


def _of_folder(path: str) -> Reader:
    place = Path(path)
    if place.is_dir():
        if (place / "_versions").is_dir():
            return Lance(path)
        for endings, reader in _BY_ENDING:
            if any(one.name.endswith(endings) for one in place.rglob("*")):
                return reader(path)
    raise Invalid(
        f"{path!r} does not say what it is. Name a .parquet, .csv or .lance file or folder, or say nt.Parquet({path!r})."
    )
