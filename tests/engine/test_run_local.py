"""The pool of this process: what is held for the next array goes back to the system near the budget, and only then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nowthen.engine.plan.way import Resources
from nowthen.engine.running import run_local
from nowthen.engine.running.run_local import Threads

MEMORY = 1_000


class Process:
    """What a process holds: some is in use, the rest is given back when it is asked for."""

    def __init__(self) -> None:
        self.used = self.held = self.gave = 0

    def now(self) -> int:
        """Bytes."""
        return self.held

    def give_back(self) -> None:
        """Hold what is used."""
        self.held, self.gave = self.used, self.gave + 1


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    made = Process()
    monkeypatch.setattr(run_local, "now", made.now)
    monkeypatch.setattr(run_local, "give_back", made.give_back)
    return made


@pytest.fixture
def threads() -> Iterator[Threads]:
    with run_local.pool(Resources(memory=MEMORY, slots=1)) as made:
        yield made


def test_nothing_is_given_back_while_there_is_room(process: Process, threads: Threads) -> None:
    process.held = MEMORY * 7 // 8
    threads.tidy()
    assert process.gave == 0


def test_near_the_budget_it_is_given_back(process: Process, threads: Threads) -> None:
    process.held, process.used = MEMORY, 300
    threads.tidy()
    assert (process.gave, process.held) == (1, 300)
    threads.tidy()
    assert process.gave == 1


def test_what_is_in_use_does_not_count_again(process: Process, threads: Threads) -> None:
    process.held, process.used = 2 * MEMORY, 2 * MEMORY
    threads.tidy()
    process.held = 2 * MEMORY + MEMORY // 2
    threads.tidy()
    assert process.gave == 1
    process.held += 1
    threads.tidy()
    assert process.gave == 2


def test_what_is_in_use_no_longer_counts_again(process: Process, threads: Threads) -> None:
    process.held, process.used = 2 * MEMORY, 2 * MEMORY
    threads.tidy()
    process.held = process.used = 300
    threads.tidy()
    process.held = MEMORY
    threads.tidy()
    assert (process.gave, process.held) == (2, 300)
