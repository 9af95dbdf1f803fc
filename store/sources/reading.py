"""The reader of anything that holds rows."""

from __future__ import annotations

import importlib
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import polars as pl

from ...engine.errors import Invalid
from ...engine.plan.reader import Reader

# Readers by what paths end with, each with its home: a format that is not read is not loaded.
_PARQUET, _CSV, _LANCE = (".parquet", "Parquet"), (".csv_files", "Csv"), (".lance_table", "Lance")
_BY_ENDING: tuple[tuple[tuple[str, ...], tuple[str, str]], ...] = (
    ((".parquet", ".pq"), _PARQUET),
    ((".csv", ".csv.gz", ".csv.zst", ".tsv"), _CSV),
    ((".lance",), _LANCE),
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
    from .frame import Frame

    return Frame(given, name)


def _of_path(path: str) -> Reader:
    for endings, reader in _BY_ENDING:
        if path.rstrip("/").endswith(endings):
            return _opened(reader, path)
    return _of_folder(path)


def _of_folder(path: str) -> Reader:
    place = Path(path)
    if place.is_dir():
        if (place / "_versions").is_dir():
            return _opened(_LANCE, path)
        for endings, reader in _BY_ENDING:
            if any(one.name.endswith(endings) for one in place.rglob("*")):
                return _opened(reader, path)
    raise Invalid(
        f"{path!r} does not say what it is. Name a .parquet, .csv or .lance file or folder, or use nt.Parquet({path!r})."
    )


def _opened(reader: tuple[str, str], path: str) -> Reader:
    home, name = reader
    made: Reader = getattr(importlib.import_module(home, __package__), name)(path)
    return made
