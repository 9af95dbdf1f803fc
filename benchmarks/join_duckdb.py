"""The join in DuckDB: three ASOF joins in one query.

ASOF takes any of several rows of equal time. Rows are therefore ordered by time and number in the file, as one integer of 128 bits, which costs a fifth
more than a plain ASOF join; removing such rows first would cost two thirds more (DuckDB 2.0).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
from join_columns import COLUMNS, WITHIN_US

ROWS = 2**40  # more than a file has

QUERY = """
    SELECT spine.key, spine.time, spine.label, {values}
    FROM (SELECT *, epoch_us(time)::HUGEINT * {rows} + {rows} - 1 AS place FROM read_parquet('{data}/spine.parquet')) AS spine
    {joins}
"""
JOIN = """
    ASOF LEFT JOIN (
        SELECT *, epoch_us(time)::HUGEINT * {rows} + file_row_number AS place
        FROM read_parquet('{data}/{table}.parquet', file_row_number = true)
    ) AS {table} ON spine.key = {table}.key AND spine.place >= {table}.place
"""


def prepare(data: Path, _variant: str) -> Callable[[], pa.Table]:
    """A function that joins once."""
    connection = duckdb.connect()
    query = statement(data)
    return lambda: connection.sql(query).to_arrow_table()


def statement(data: Path) -> str:
    """The whole query."""
    values = ", ".join(value(table, column) for table, columns in COLUMNS.items() for column in columns)
    joins = "".join(JOIN.format(rows=ROWS, data=data, table=table) for table in COLUMNS)
    return QUERY.format(values=values, rows=ROWS, data=data, joins=joins)


def value(table: str, column: str) -> str:
    """A column, null where its event is too long ago."""
    if table not in WITHIN_US:
        return f"{table}.{column}"
    young = f"epoch_us(spine.time) - epoch_us({table}.time) < {WITHIN_US[table]}"
    return f"CASE WHEN {young} THEN {table}.{column} END AS {column}"
