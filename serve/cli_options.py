"""Options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help="The store's folder or address. Default: NOWTHEN_STORE, else \\[tool.nowthen] store in pyproject.toml.",
    ),
]
DefinitionsOption = Annotated[
    str | None,
    typer.Option(
        "--definitions",
        help="A file or module with sources, views and services. Default: NOWTHEN_DEFINITIONS, else \\[tool.nowthen].",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Ask a server, such as http://127.0.0.1:8000, instead of opening the store here."),
]
Names = Annotated[list[str] | None, typer.Argument(help="Names; all if none is given.")]
