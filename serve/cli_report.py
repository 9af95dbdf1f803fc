"""What commands say: results on standard output, errors as one line on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console

from ..engine.errors import NowThenError
from .system_errors import typed

_out, _err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def reported(as_json: bool) -> Iterator[None]:
    """Typed errors, and those of the operating system, as one line (or JSON) and exit code 1."""
    try:
        with typed():
            yield
    except NowThenError as error:
        from .failure import Failure

        failure = Failure.of(error).as_json()
        if as_json:
            print(json.dumps(failure))  # noqa: T201
        else:
            _err.print(f"{failure['error']}: {failure['message']}", markup=False)
        raise typer.Exit(1) from None


def show(facts: Any, as_json: bool, told: Callable[[Any], str]) -> None:
    """Print what was found, as JSON or as people read it."""
    if as_json:
        print(json.dumps(facts, default=str), flush=True)  # noqa: T201
    else:
        _out.print(told(facts), markup=False)


def note(line: str) -> None:
    """Say something on the side, where it does not mix with results."""
    _err.print(line, markup=False)
