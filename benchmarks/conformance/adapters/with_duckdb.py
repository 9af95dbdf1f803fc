"""DuckDB: an ASOF join for last values, range frames over integer microseconds for windows.

A row number and ORDER BY put the spine's order back, as SQL promises none. The session's zone is UTC, because naive times are read in it.

* ASOF: https://duckdb.org/docs/stable/guides/sql_features/asof_join
* range frames: https://duckdb.org/docs/stable/sql/functions/window_functions
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from .wire import Case, arrow, microseconds, serve

LACKS = {
    "known": "ASOF compares one pair of times",
    "row": "ASOF knows no versions of a row",
    "online": "DuckDB serves nothing",
    "zone": "a TIMESTAMPTZ has no zone of its own; the session has",
}
_SQL_TYPES = {pa.int64(): "BIGINT", pa.float64(): "DOUBLE"}


def answer(case: Case) -> pa.Table:
    """The spine with the column `found`."""
    spine, events = arrow(case["spine"]), arrow(case["events"])
    query = windowed(case, events) if case["ask"]["window"] else joined(case)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("spine_rows", spine)
        connection.register("events", events)
        connection.execute("CREATE TABLE spine AS SELECT *, row_number() OVER () AS place FROM spine_rows")
        return connection.sql(query).to_arrow_table()


def joined(case: Case) -> str:
    """The last value at or before each time; one that is too old is made null."""
    ask = case["ask"]
    equal = "".join(f"spine.{key} = events.{key} AND " for key in ask["keys"])
    alive = f"epoch_us(spine.time) - epoch_us(events.time) <= {microseconds(ask['ttl'])}" if ask["ttl"] else "true"
    return f"""
        SELECT spine.* EXCLUDE (place), CASE WHEN {alive} THEN events.value END AS found
        FROM spine ASOF LEFT JOIN events ON {equal} spine.time >= events.time ORDER BY place
    """


def windowed(case: Case, events: pa.Table) -> str:
    """The fold over the window at each time, over questions and events in one table."""
    ask = case["ask"]
    width, late = microseconds(ask["window"]), microseconds(ask["delay"])
    back, ahead = (width + late - 1, late) if ask["closed"] == "right" else (width + late, late + 1)
    keys = ", ".join(ask["keys"])
    fold = f"{ask['fold']}(value) OVER frame"
    if ask["fold"] == "sum":  # of no rows it is NULL, and of integers a number of 128 bits
        fold = f"CAST(coalesce({fold}, 0) AS {_SQL_TYPES[events.schema.field('value').type]})"
    return f"""
        WITH rows AS (
            SELECT {keys}, time, value, NULL AS place FROM events
            UNION ALL SELECT {keys}, time, NULL AS value, place FROM spine
        ), folded AS (
            SELECT place, {fold} AS found FROM rows
            WINDOW frame AS (PARTITION BY {keys} ORDER BY epoch_us(time) RANGE BETWEEN {back} PRECEDING AND {ahead} PRECEDING)
        )
        SELECT spine.* EXCLUDE (place), found FROM spine JOIN folded USING (place) ORDER BY place
    """


if __name__ == "__main__":
    serve(answer, LACKS)
