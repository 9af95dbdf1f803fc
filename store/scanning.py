"""Scans of files by Polars, with its errors turned into ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import polars as pl

from ..engine.errors import Invalid, NowThenError, Unavailable, UnknownColumn, did_you_mean
from .files import MissingFile


def collected(scan: pl.LazyFrame, columns: Sequence[str], kept: pl.Expr | None) -> pl.DataFrame:
    """The columns of the rows kept, in the order of the scan."""
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
