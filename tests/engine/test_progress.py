"""What is seen of long work: a bar that leaves nothing behind, lines in logs, and nothing of short work."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import Event

import pytest

from nowthen.engine.running.step import Outcome, Report, Step
from nowthen.engine.showing import progress
from nowthen.engine.showing.progress import Progress

STEP = Step("read", "Scan 1", lambda each: Outcome(None), hands_on=True)
PATIENCE_S = 20.0


class Log(io.StringIO):
    """Standard error of a job: text that says when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = Event()

    def write(self, words: str) -> int:
        """Note that there was something."""
        found = super().write(words)
        self.written.set()
        return found


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is shown at once."""
    monkeypatch.delenv("NOWTHEN_PROGRESS", raising=False)
    monkeypatch.setattr(progress, "_FIRST_S", 0.0)
    monkeypatch.setattr(progress, "_LINES_S", 0.01)


def logged(monkeypatch: pytest.MonkeyPatch) -> Log:
    """A log as standard error, from now on: pytest has its own until a test begins."""
    made = Log()
    monkeypatch.setattr(sys, "stderr", made)
    return made


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """A terminal as standard error; gives all that was written to it, once some text was."""
    master, slave = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    seen = ""

    def until(text: str) -> str:
        nonlocal seen
        while text not in seen:
            seen += os.read(master, 4096).decode()
        return seen

    with os.fdopen(slave, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        yield until
    os.close(master)


def work(one: Progress) -> None:
    """Two of five steps."""
    one.made([STEP] * 5)
    for _ in range(2):
        one.done(STEP, Report(rows=600))


def test_nothing_is_seen_of_short_work(monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged(monkeypatch)
    with Progress("job") as one:
        work(one)
    assert log.getvalue() == ""


@pytest.mark.usefixtures("soon")
def test_a_log_has_whole_lines_and_says_what_became_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged(monkeypatch)
    with Progress("job") as one:
        work(one)
        assert log.written.wait(PATIENCE_S)
    first, *_, last = log.getvalue().splitlines()
    assert re.fullmatch(r"job: [02]/[05] steps?, [\d,]+ rows?, \d+ s|job: \d+ s", first)
    assert re.fullmatch(r"job: done after \d+ s, 2/5 steps, 1,200 rows", last)


@pytest.mark.usefixtures("soon")
def test_a_log_says_that_work_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged(monkeypatch)

    def stopped() -> None:
        with Progress("job") as one:
            one.step("reading")
            assert log.written.wait(PATIENCE_S)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert re.fullmatch(r"job: stopped after \d+ s, reading", log.getvalue().splitlines()[-1])


@pytest.mark.usefixtures("soon")
def test_the_environment_can_silence_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged(monkeypatch)
    monkeypatch.setenv("NOWTHEN_PROGRESS", "0")
    with Progress("job") as one:
        work(one)
        assert not log.written.wait(0.1)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_a_bar_is_taken_away_however_it_ends(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException] | None
) -> None:
    with terminal(monkeypatch) as until:
        with nullcontext() if error is None else pytest.raises(error), Progress("job") as one:
            work(one)
            until("2/5 steps, 1,200 rows")
            if error is not None:
                raise error
        sys.stderr.write("THE END")
        sys.stderr.flush()
        after = until("THE END").rpartition("rows")[2]
    assert "\x1b[?25h" in after  # the cursor is there again
    assert re.search(r"\x1b\[2K(\x1b\[1?A|\r)*THE END$", after)  # on an empty line


@pytest.mark.usefixtures("soon")
def test_what_is_printed_to_a_file_meanwhile_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    with terminal(monkeypatch) as until, Progress("job") as one:
        work(one)
        until("2/5")
        print("an answer")  # noqa: T201
    assert file.getvalue() == "an answer\n"


def test_the_time_left_is_told_once_enough_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    one = Progress("job")
    monkeypatch.setattr(time, "monotonic", lambda: 130.0)
    work(one)
    assert one.times() == "30 s"
    one.done(STEP, Report())
    assert one.times() == "30 s, about 20 s left"
    monkeypatch.setattr(time, "monotonic", lambda: 140.0)
    assert one.times() == "40 s, about 10 s left"
    monkeypatch.setattr(time, "monotonic", lambda: 175.0)
    assert one.times() == "1 min 15 s", "those that run are unlike those that are done"
