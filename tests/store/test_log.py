"""The log: what was acknowledged is there, once, in order; what was torn is cut; what was damaged is told."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nowthen.engine.errors import CommitUnknown, Conflict, Corrupt, NotFound, StorageFull, Unavailable
from nowthen.engine.folds.rows import ARRIVAL, SEQUENCE
from nowthen.store.rows import log as log_module
from nowthen.store.rows.log import Log


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log" / "sales")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()


def rows(*values: int) -> pl.DataFrame:
    return pl.DataFrame({"n": pl.Series(values, dtype=pl.Int64), "text": [f"t{value}" for value in values]})


def values(log: Log, position: int = 0, upto: int | None = None) -> list[int]:
    return [value for frame in log.read(position, upto)[0] for value in frame["n"].to_list()]


def segment(log: Log) -> Path:
    return log.segments()[-1]


def test_an_empty_log_ends_at_nothing(log: Log) -> None:
    assert (log.end(), log.read()) == (0, ([], 0))


def test_rows_come_back_in_order_with_arrival_and_sequence(log: Log) -> None:
    with log.writer() as writer:
        writer.append(rows(1, 2), arrival=5)
        last = writer.append(rows(3)).last
    (frame,), end = log.read()
    assert frame["n"].to_list() == [1, 2, 3]
    assert frame[ARRIVAL].dt.timestamp("us").to_list()[:2] == [5, 5]
    assert frame[SEQUENCE].is_sorted()
    assert (frame[SEQUENCE][-1], end, log.end()) == (last, last, last)


def test_reading_goes_on_from_a_position(log: Log) -> None:
    with log.writer() as writer:
        first, second, third = (writer.append(rows(n)).last for n in (1, 2, 3))
    assert values(log, first) == [2, 3]
    assert values(log, first, upto=second) == [2]
    assert values(log, third) == []


def test_several_pushes_are_forced_to_the_disk_once(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    forced: list[int] = []
    with log.writer() as writer:
        writer.append(rows(0))
        monkeypatch.setattr(os, "fdatasync", forced.append)
        done = writer.append_many([(rows(1), ""), (rows(2, 3), "k"), (rows(), "")])
    assert (len(forced), [one.rows for one in done], values(log)) == (1, [1, 2, 0], [0, 1, 2, 3])


def test_a_push_of_one_key_is_stored_once(log: Log) -> None:
    with log.writer() as writer:
        first = writer.append(rows(1), key="k")
        again = writer.append(rows(1), key="k")
    assert (again.last, again.again, values(log)) == (first.last, True, [1])


def test_keys_are_remembered_by_the_next_writer_and_within_a_batch(log: Log) -> None:
    with log.writer() as writer:
        first, twin = writer.append_many([(rows(1), "k"), (rows(1), "k")])
    with log.writer() as writer:
        again = writer.append(rows(1), key="k")
    assert (first.last, twin.again, again.again, values(log)) == (again.last, True, True, [1])


def test_a_key_with_other_rows_is_refused(log: Log) -> None:
    with log.writer() as writer:
        writer.append(rows(1), key="k")
        with pytest.raises(Conflict, match="key 'k' was used for a push of 1 rows"):
            writer.append(rows(1, 2), key="k")


def test_one_process_writes_at_a_time(log: Log) -> None:
    with log.writer(), pytest.raises(Unavailable, match=f"written by process {os.getpid()}"):
        log.writer()


def test_writers_can_take_turns(log: Log) -> None:
    one = log.writer()
    one.append(rows(1), key="k")
    one.pause()
    other = log.writer()
    other.append(rows(2))
    other.pause()
    one.resume()
    last = one.append(rows(3)).last
    one.pause()
    assert (values(log), log.end()) == ([1, 2, 3], last)


@pytest.mark.parametrize("cut", [1, 7, 30, 60, 200])
def test_a_torn_end_is_cut_and_nothing_else(log: Log, cut: int) -> None:
    with log.writer() as writer:
        writer.append(rows(1))
        kept = segment(log).stat().st_size
        writer.append(rows(2))
    with segment(log).open("r+b") as file:
        file.truncate(kept + cut)
    assert values(log) == [1]
    with log.writer() as writer:
        writer.append(rows(3))
    assert values(log) == [1, 3]


def test_bytes_that_were_never_written_out_are_a_torn_end(log: Log) -> None:
    with log.writer() as writer:
        writer.append(rows(1))
        start = segment(log).stat().st_size
        writer.append_many([(rows(2), ""), (rows(3), "")])
    with segment(log).open("r+b") as file:
        file.seek(start)
        file.write(bytes(64))
    assert values(log) == [1]


@pytest.mark.parametrize("place", [3, 9, 20, 50, 100, 300])
def test_a_flipped_bit_in_what_was_acknowledged_is_told(log: Log, place: int) -> None:
    with log.writer() as writer:
        for n in range(3):
            writer.append(rows(n))
    data = bytearray(segment(log).read_bytes())
    data[place] ^= 4
    segment(log).write_bytes(data)
    with pytest.raises(Corrupt, match="is damaged at byte 0"):
        log.read()
    with pytest.raises(Corrupt):
        log.writer()


def test_a_full_segment_is_followed_by_another(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "SEGMENT_BYTES", 1_000)
    with log.writer() as writer:
        ends = [writer.append(rows(n), key=f"k{n}").last for n in range(9)]
    assert len(log.segments()) > 2
    assert [values(log, end) for end in (0, *ends)] == [list(range(n, 9)) for n in range(10)]
    with log.writer() as writer:
        assert writer.append(rows(0), key="k0").again


@pytest.mark.parametrize("empties", [False, True])
def test_a_segment_that_is_lost_or_emptied_between_others_is_told(
    log: Log, monkeypatch: pytest.MonkeyPatch, *, empties: bool
) -> None:
    monkeypatch.setattr(log_module, "SEGMENT_BYTES", 100)
    with log.writer() as writer:
        first, second, third = (writer.append(rows(n)).last for n in (1, 2, 3))
    lost = log.segments()[1]
    lost.write_bytes(b"") if empties else lost.unlink()
    for position in (0, first):
        with pytest.raises(Corrupt, match=f"segment {first + 1:020d}.log was lost"):
            log.read(position)
    with pytest.raises(Corrupt, match="was lost"):
        log.writer()
    assert values(log, second) == [3]
    assert log.end() == third


def test_a_read_that_ends_before_what_is_lost_is_answered(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "SEGMENT_BYTES", 1)
    with log.writer() as writer:
        first, second, _ = (writer.append(rows(n)).last for n in (1, 2, 3))
    log.segments()[1].unlink()
    assert values(log, 0, upto=first) == [1]
    with pytest.raises(Corrupt):
        log.read(0, upto=second)


def test_a_segment_that_cannot_be_begun_leaves_the_writer_as_it_was(
    log: Log, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def is_full(*_: Any, **__: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(log_module, "SEGMENT_BYTES", 1)
    with log.writer() as writer:
        writer.append(rows(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", is_full)
            with pytest.raises(StorageFull):
                writer.append(rows(2))
        with (tmp_path / "of another").open("w") as other:
            writer.append(rows(3))
            os.fstat(other.fileno())
        assert not (tmp_path / "of another").read_bytes()
    assert values(log) == [1, 3]


def test_what_is_torn_at_the_beginning_of_a_segment_was_never_forced(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "SEGMENT_BYTES", 1)
    with log.writer() as writer:
        writer.append(rows(1))
        writer.append_many([(rows(2), ""), (rows(3), "")])
    with segment(log).open("r+b") as file:
        file.write(bytes(64))
    assert values(log) == [1]


def test_frames_of_another_shape_come_apart(log: Log) -> None:
    with log.writer() as writer:
        writer.append(rows(1))
        writer.append(rows(2).with_columns(more=pl.lit(True)))
    assert [frame.columns[:-2] for frame in log.read()[0]] == [["n", "text"], ["n", "text", "more"]]


def test_a_full_disk_leaves_no_half_record(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    with log.writer() as writer:
        writer.append(rows(1))
        with monkeypatch.context() as patch:
            patch.setattr(log_module, "_write_whole", _fill_up)
            with pytest.raises(StorageFull, match="no room left"):
                writer.append(rows(2), key="k")
        writer.append(rows(2), key="k")
    assert values(log) == [1, 2]


def _fill_up(handle: int, data: bytes) -> None:
    os.write(handle, data[:10])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_failed_forcing_is_told_as_unknown_and_can_be_retried(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int) -> Any:
        raise OSError(errno.EIO, "Input/output error")

    writer = log.writer()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(CommitUnknown, match="push again with the same key"):
            writer.append(rows(1), key="k")
    with log.writer() as writer:
        writer.append(rows(1), key="k")
    assert values(log) == [1]


def test_an_emptied_log_has_no_rows_and_ends_where_it_ended(log: Log) -> None:
    with log.writer() as writer:
        last = writer.append(rows(1, 2)).last
        assert writer.emptied() == last
    assert (log.end(), values(log, last), segment(log).stat().st_size, len(log.segments())) == (last, [], 0, 1)


def test_rows_after_an_emptying_follow_on(log: Log) -> None:
    with log.writer() as writer:
        last = writer.append(rows(1)).last
        writer.emptied()
        assert writer.append(rows(2)).first > last
    with log.writer() as again:
        assert (again.end > last, values(log, last)) == (True, [2])


def test_a_writer_that_paused_while_another_emptied_the_log_goes_on_behind_it(log: Log) -> None:
    with log.writer() as writer:
        last = writer.append(rows(1), key="a").last
        writer.pause()
        with log.writer() as other:
            other.emptied()
        writer.resume()
        assert writer.append(rows(2), key="b").first > last
        assert writer.append(rows(1), key="a").again
    assert values(log, last) == [2]


def test_reading_rows_that_were_emptied_away_is_refused(log: Log) -> None:
    with log.writer() as writer:
        writer.append(rows(1))
        writer.emptied()
        writer.append(rows(2))
    with pytest.raises(NotFound, match="forget"):
        log.read(0)
    assert log.read(0, upto=0) == ([], 0)


def test_emptying_twice_or_an_empty_log_changes_nothing(log: Log) -> None:
    with log.writer() as writer:
        assert (writer.emptied(), log.segments()) == (0, [])
        last = writer.append(rows(1)).last
        assert (writer.emptied(), writer.emptied(), log.end()) == (last, last, last)


def test_an_emptying_keeps_a_segment_that_was_begun_and_has_no_rows(log: Log) -> None:
    with log.writer() as writer:
        last = writer.append(rows(1)).last
    (log.folder / log_module.segment_name(last + 1)).touch()
    with log.writer() as writer:
        assert writer.emptied() == last
        assert log.end() == last
        writer.append(rows(2))
    assert values(log, last) == [2]
