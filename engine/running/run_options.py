"""How a run is carried out: the options that every way out of a training set takes."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import TypedDict

from ..errors import Invalid, WrongType, did_you_mean
from ..language.duration import Duration


class RunOptions(TypedDict, total=False):
    """Keyword arguments that change how a training set is made and never what it holds.

    `engine` is "local" (threads of this process), "ray", or "auto" (Ray where connected). `memory` ("4GiB") is what may be in use at once beside
    the result, by default most of the machine; what does not fit is done in parts, with files between. `workers` is how many cores
    to use at most, and `deadline` ("10m") is how long the run may take. `resume` is a folder, on Ray one that all nodes share, where
    what is done is kept until the end: a run that died is taken up again.
    """

    engine: str
    memory: str | int | None
    workers: int | None
    deadline: Duration | None
    resume: str | PathLike[str] | None


def check_options(given: Iterable[str]) -> None:
    """Raise `WrongType` for a word that is not an option, before anything runs."""
    for name in given:
        if name not in RunOptions.__optional_keys__:
            raise WrongType(f"a run has no option {name!r}. {did_you_mean(name, RunOptions.__optional_keys__)}")


def check_rows(rows: int) -> None:
    """Raise for what is no number of rows of a batch."""
    _check_count("rows", rows, "a batch holds one row or more")


def check_workers(workers: int | None) -> None:
    """Raise for what is no number of cores; None stands for all."""
    if workers is not None:
        _check_count("workers", workers, "give at least one")


def _check_count(name: str, given: int, rule: str) -> None:
    """Raise for what is no whole number from one on; `rule` says so in words."""
    if isinstance(given, bool) or not isinstance(given, int):
        raise WrongType(f"{name}={given!r}; {rule}, as a whole number.")
    if given < 1:
        raise Invalid(f"{name}={given}; {rule}.")
