"""What type checkers are told about expressions is what the registry holds."""

from __future__ import annotations

from nowthen.engine.language.stubs import WRITTEN, stub


def test_the_written_stub_is_that_of_the_registered_operators() -> None:
    assert WRITTEN.read_text() == stub(), "an operator changed: run `make stubs`"
