"""Writes that come together are written together, and fail alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

import nowthen as nt
from nowthen.serve.group_commit import GroupCommit


def test_what_waits_for_a_write_is_written_by_the_next_one() -> None:
    batches: list[list[int]] = []
    first_runs, may_end = threading.Event(), threading.Event()

    def write(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        first_runs.set()
        may_end.wait(10)
        return [item * 2 for item in items]

    commits = GroupCommit(write)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(commits.commit, 0)
        first_runs.wait(10)
        others = [pool.submit(commits.commit, item) for item in range(1, 6)]
        while len(commits._waiting) < 5:
            pass
        may_end.set()
        assert [one.result(10) for one in (first, *others)] == [0, 2, 4, 6, 8, 10]
    assert [sorted(batch) for batch in batches] == [[0], [1, 2, 3, 4, 5]]


def test_an_error_reaches_everyone_whose_write_it_was() -> None:
    def write(items: Sequence[int]) -> list[int]:
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        GroupCommit(write).commit(1)


def test_a_conflict_fails_alone() -> None:
    written: list[int] = []

    def write(items: Sequence[int]) -> list[int]:
        if 13 in items:
            raise nt.Conflict("13")
        written.extend(items)
        return list(items)

    commits = GroupCommit(write)
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(commits.commit, item) for item in range(10, 18)]
        failed = [one for one in done if one.exception(10) is not None]
    assert len(failed) == 1
    assert sorted(written) == [10, 11, 12, 14, 15, 16, 17]
