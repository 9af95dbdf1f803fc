"""Writers killed at random instants: nothing acknowledged is lost, nothing is there twice, nothing is half there.

NOWTHEN_KILLS says how many (`make storm`: 1,000 in all kinds of work together).
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

import nowthen as nt

from .killed import Victims
from .works import WORKS

KILLS = int(os.environ.get("NOWTHEN_KILLS", "20"))
SEED = int(os.environ.get("NOWTHEN_SEED", "1"))
ROUNDS = 24  # then a new store

_log = logging.getLogger(__name__)

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(120 + 10 * KILLS)]


@pytest.mark.parametrize("kind", WORKS)
def test_a_killed_writer_loses_nothing_repeats_nothing_and_leaves_nothing_half(kind: str, tmp_path: Path) -> None:
    victims, kills, doubts, place = Victims(kind, SEED), 0, 0, 0
    try:
        while kills < max(KILLS // len(WORKS), 1):
            more, doubtful = _one_store(victims, kind, tmp_path / str(place), max(KILLS // len(WORKS), 1) - kills)
            kills, doubts, place = kills + more, doubts + doubtful, place + 1
    finally:
        victims.close()
    _log.info("%s: %d kills, %d of them within a round, %d stores", kind, kills, doubts, place)


def _one_store(victims: Victims, kind: str, folder: Path, at_most: int) -> tuple[int, int]:
    """Kill writers of one store until it has seen enough; how many, and how many of them within a round."""
    work, rounds, kills, doubts = WORKS[kind], 0, 0, 0
    while rounds < ROUNDS and kills < at_most:
        outcome = victims.run(folder, rounds)
        rounds += outcome.acknowledged
        kills, doubts = kills + outcome.killed, doubts + outcome.in_doubt
        store = nt.connect(folder)
        found = work.read(store)
        allowed = [work.expected(rounds)] + ([work.expected(rounds + 1)] if outcome.in_doubt else [])
        assert found in allowed, f"seed {SEED}, {folder}: after round {rounds}, in doubt: {outcome.in_doubt}"
        if outcome.in_doubt:
            work.do(store, rounds)  # whoever was in doubt does it again
            rounds += 1
            assert work.read(store) == work.expected(rounds), f"seed {SEED}, {folder}: after round {rounds} done again"
    _cared_for(folder, kind, rounds)
    return kills, doubts


def _cared_for(folder: Path, kind: str, rounds: int) -> None:
    """Everything is whole, what the killed left behind can be removed, and then the store says the same."""
    work, store = WORKS[kind], nt.connect(folder)
    assert store.scrub().whole
    store.cleanup(keep="0s", versions=1)
    left = (folder / "draft").glob("*")  # none where the killed had not begun
    assert not [one for one in left if one.suffix in (".lock", ".put") or one.is_dir()]
    again = nt.connect(folder)
    assert (work.read(again), again.scrub().whole) == (work.expected(rounds), True)
