"""Versions: which of several rows of one row_id exists, and for whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nowthen.engine.folds.at import FOREVER
from nowthen.engine.folds.versions import is_unique, lives


def ids(*row_ids: Any) -> Any:
    return np.array(row_ids, dtype=object if None in row_ids or isinstance(row_ids[0], str) else np.int64)


def known(*times: int) -> Any:
    return np.array(times, dtype=np.int64)


def test_a_correction_ends_the_version_before_it() -> None:
    life = lives(ids(1, 1), known(10, 20), None)
    assert life.known_until is not None
    assert life.known_until.tolist() == [20, FOREVER]


def test_a_version_known_earlier_than_one_before_it_lives_until_that_one() -> None:
    life = lives(ids(1, 1), known(20, 10), None)
    assert life.known_until is not None
    assert life.known_until.tolist() == [FOREVER, 20]


def test_of_versions_known_at_once_the_last_in_sequence_exists() -> None:
    life = lives(ids(1, 1), known(10, 10), None, sequence=known(8, 7))
    assert life.kept is not None
    assert life.kept.tolist() == [True, False]


def test_a_deletion_ends_a_row_and_never_exists() -> None:
    life = lives(ids(1, 1, 1), known(10, 20, 30), np.array([False, True, False]))
    assert life.kept is not None
    assert life.known_until is not None
    assert life.kept.tolist() == [True, False, True]
    assert life.known_until[0] == 20


def test_without_times_of_knowledge_only_the_last_version_exists() -> None:
    life = lives(ids("a", "b", "a"), None, None)
    assert life.kept is not None
    assert life.kept.tolist() == [False, True, True]


def test_a_row_without_row_id_stands_for_itself() -> None:
    life = lives(ids(None, None, 1), known(10, 20, 5), None)
    assert life.kept is None
    assert life.known_until is not None
    assert life.known_until.tolist() == [FOREVER] * 3


@pytest.mark.parametrize(
    "row_ids, unique",
    [
        (ids(3, 1, 2), True),
        (ids(3, 1, 3), False),
        (ids(-(2**62), 2**62, 5), True),
        (ids(2**62, -(2**62), 2**62), False),
        (ids("a", None, None), True),
        (ids("a", "a", None), False),
        (np.array([], dtype=np.int64), True),
        (np.array([2**64 - 1, 2**63, 2**64 - 1], dtype=np.uint64), False),
    ],
    ids=repr,
)
def test_whether_any_row_has_versions(row_ids: Any, unique: bool) -> None:
    assert is_unique(row_ids) is unique
