"""What a store says of a source: it comes back as it was written, and says from when on answers may differ."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from nowthen.store.ports import Version
from nowthen.store.rows.source_note import SourceState, TableNote

PLAIN = SourceState("sales", {"row_id": "sale"}, 8, 86_400_000_000)


def test_a_note_comes_back_as_it_was_written() -> None:
    table = TableNote(("customer_id",), Version("18034910113036666553", "ab", 3, 2, 100))
    state = PLAIN.turned(7).turned(9, happened=8)
    full = SourceState(**{**state.__dict__, "tables": {"customer": table}})
    assert SourceState.of(json.loads(json.dumps(full.note(), sort_keys=True))) == full


@given(st.lists(st.integers(-50, 50), max_size=100), st.integers(0, 100), st.integers(-60, 60))
def test_a_change_is_never_overlooked(firsts: list[int], turn: int, instant: int) -> None:
    state = PLAIN
    for first in firsts:
        state = state.turned(first)
    assert len(state.firsts) <= 64
    changed = any(first <= instant for first in firsts[turn:])
    assert state.changed_before(turn, instant) >= changed


@given(st.lists(st.integers(-50, 50), max_size=60), st.integers(0, 60), st.integers(-60, 60))
def test_nothing_is_called_changed_that_is_not_while_few_turns_are_kept(
    firsts: list[int], turn: int, instant: int
) -> None:
    state = PLAIN
    for first in firsts:
        state = state.turned(first)
    assert state.changed_before(turn, instant) == any(first <= instant for first in firsts[turn:])


def test_what_happened_early_and_was_known_late_changes_events_earlier_than_answers() -> None:
    state = PLAIN.turned(9, happened=2)
    assert [state.changed_before(0, instant) for instant in (2, 8, 9)] == [False, False, True]
    assert [state.changed_before(0, instant, events=True) for instant in (1, 2)] == [False, True]
