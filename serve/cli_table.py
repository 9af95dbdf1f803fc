"""Rows as a table in a terminal: all rows and all columns, in blocks that fit into its width."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import polars as pl

_LONGEST = 40  # characters of a value; what is longer ends in an ellipsis


def table(frame: pl.DataFrame, width: int | None = None) -> str:
    """The rows as text. Columns that do not fit into the terminal's width follow below, in a table of their own."""
    room = width or shutil.get_terminal_size().columns
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=_LONGEST, tbl_width_chars=65535, fmt_table_cell_list_len=8,
        tbl_hide_dataframe_shape=True, tbl_hide_dtype_separator=True,
    ):  # fmt: skip
        return "\n".join(str(frame.select(names)) for names in _blocks(frame, room)) or "no columns"


def _blocks(frame: pl.DataFrame, room: int) -> Iterator[list[str]]:
    """The names of columns, as many at a time as fit, and always one."""
    block: list[str] = []
    taken = 1
    for name in frame.columns:
        needed = _width(frame.select(name)) - 1
        if block and taken + needed > room:
            yield block
            block, taken = [], 1
        block.append(name)
        taken += needed
    if block:
        yield block


def _width(column: pl.DataFrame) -> int:
    """How wide the table of one column is."""
    return len(str(column).partition("\n")[0])
