"""What every reader keeps. A new reader's test inherits `ReaderSuite` and says how rows get to where it reads."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import polars as pl
import pytest

from nowthen.engine.errors import UnknownColumn
from nowthen.engine.plan.pieces import Divisible, height, pieces, pinned
from nowthen.engine.plan.reader import Loaded, Reader, TimeBound

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = pl.DataFrame(
    {
        "id": pl.Series([3, 1, 2, 5, 4], dtype=pl.Int64),
        "when": pl.Series([FIRST + timedelta(days=n) for n in (4, 0, 1, 1, 2)], dtype=pl.Datetime("us", "UTC")),
        "amount": pl.Series([1.5, None, -0.0, 1e300, 2.0], dtype=pl.Float64),
        "name": pl.Series(["ä", "b", None, "d", "e"], dtype=pl.String),
        "good": pl.Series([True, None, False, True, True], dtype=pl.Boolean),
    }
)


def instant(days: float) -> int:
    """Microseconds UTC of so many days after the first."""
    return int((FIRST + timedelta(days=days)).timestamp() * 1_000_000)


class ReaderSuite:
    """The tests. `reader` puts rows where the reader finds them."""

    def reader(self, folder: Path, rows: pl.DataFrame) -> Reader:
        raise NotImplementedError

    @pytest.fixture
    def found(self, tmp_path: Path) -> Reader:
        return self.reader(tmp_path, ROWS)

    def test_it_is_a_reader(self, found: Reader) -> None:
        assert isinstance(found, Reader)

    def test_its_schema_is_that_of_the_rows(self, found: Reader) -> None:
        assert {name: found.schema()[name] for name in ROWS.columns} == dict(ROWS.schema)

    def test_rows_come_back_as_they_were_in_their_order(self, found: Reader) -> None:
        assert found.read(ROWS.columns).equals(ROWS)

    def test_columns_come_in_the_order_asked_for(self, found: Reader) -> None:
        assert found.read(["name", "id"]).equals(ROWS.select("name", "id"))

    def test_an_unknown_column_names_the_nearest(self, found: Reader) -> None:
        with pytest.raises(UnknownColumn, match="Did you mean 'amount'"):
            found.read(["id", "amuont"])

    @pytest.mark.parametrize("bound", [(1, 2), (None, 1), (2, None), (None, None), (90, 99)])
    def test_no_row_inside_a_bound_is_left_out(self, found: Reader, bound: tuple[int | None, int | None]) -> None:
        first, last = (None if days is None else instant(days) for days in bound)
        got = found.read(["id"], TimeBound("when", first, last))["id"].to_list()
        times = ROWS["when"].dt.timestamp("us")
        inside = ROWS.filter((times >= (first or 0)) & (times <= (last or 2**62)))["id"].to_list()
        assert [one for one in got if one in inside] == inside

    def test_a_bound_is_ignored_where_times_are_local(self, tmp_path: Path) -> None:
        local = ROWS.with_columns(pl.col("when").dt.convert_time_zone("Asia/Tokyo"))
        reader = self.reader(tmp_path, local)
        got = reader.read(["id"], TimeBound("when", instant(1), instant(2)))["id"].to_list()
        assert {2, 5, 4} <= set(got)

    def test_no_rows_are_no_error(self, tmp_path: Path) -> None:
        reader = self.reader(tmp_path, ROWS.clear())
        assert reader.read(["id"], TimeBound("when", 0, 1)).height == 0

    def test_pieces_hold_every_row_once_and_know_how_many_they_have(self, found: Reader) -> None:
        held = pinned(found)
        parts = [(first, piece, piece.read(["id"])) for first, piece in pieces(held, 1)]
        assert sorted(pl.concat(rows for _, _, rows in parts)["id"]) == sorted(held.read(["id"])["id"])
        assert [first for first, _, _ in parts] == [0, *accumulate(rows.height for _, _, rows in parts[:-1])]
        known = isinstance(held, Divisible | Loaded)
        assert [height(piece) for _, piece, _ in parts] == [rows.height if known else None for _, _, rows in parts]

    def test_it_travels_to_another_process(self, found: Reader) -> None:
        assert pickle.loads(pickle.dumps(found)).read(["id"]).equals(ROWS.select("id"))

    def test_it_says_what_it_reads(self, found: Reader) -> None:
        assert found.describe()
