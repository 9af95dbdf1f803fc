"""Files as Polars scans them: the reader that all their formats share, with Polars' errors turned into ours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from typing import ClassVar

import polars as pl

from ...engine.errors import Invalid, NowThenError, Unavailable, UnknownColumn, did_you_mean
from ...engine.plan.reader import TimeBound, within
from .files import MissingFile, files, is_address, shown


@dataclass(frozen=True, repr=False, init=False)
class ScannedFiles(ABC):
    """A reader of a file, the files of a folder, those of a glob, or an object-store address; a format says how it is scanned."""

    path: str
    format_name: ClassVar[str]
    endings: ClassVar[tuple[str, ...]]  # of the files of a folder that are read

    def __init__(self, path: str | PathLike[str]) -> None:
        object.__setattr__(self, "path", fspath(path))

    @abstractmethod
    def scan(self) -> pl.LazyFrame:
        """All rows in sequence order, not read yet. Errors may be Polars' own."""

    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of all columns."""
        with refusing(self.describe()):
            return dict(self.scan().collect_schema())

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of all rows in sequence order, or of those within the bound."""
        with refusing(self.describe()):
            return selected(self.scan(), columns, bound)

    def files(self) -> Sequence[str]:
        """The paths of the files of this machine."""
        return [] if is_address(self.path) else files(self.path, self.endings)

    def describe(self) -> str:
        """The format and the path, without credentials."""
        return f"{self.format_name} {shown(self.path)}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(self.path)!r})"


def selected(scan: pl.LazyFrame, columns: Sequence[str], bound: TimeBound | None) -> pl.DataFrame:
    """The columns of a scan, or of its rows within the bound, in its order."""
    kept = within(bound, scan.collect_schema()[bound.column]) if bound else None
    known = scan.collect_schema().names()
    for column in columns:
        if column not in known:
            raise UnknownColumn(f"there is no column {column!r}. {did_you_mean(column, known)}")
    return (scan if kept is None else scan.filter(kept)).select(columns).collect()


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Errors inside become ours and name what was read."""
    try:
        yield
    except UnknownColumn as error:
        raise UnknownColumn(f"{what}: {error}") from None
    except NowThenError:
        raise
    except FileNotFoundError as error:
        raise MissingFile(f"{what}: {_first_line(error)}") from None
    except pl.exceptions.PolarsError as error:
        raise Invalid(f"{what} cannot be read: {_first_line(error)}") from None
    except OSError as error:
        raise Unavailable(f"{what} cannot be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
