"""The one rule for names and paths from outside."""

from __future__ import annotations

import pytest

from nowthen.engine.errors import Conflict, Corrupt, Invalid
from nowthen.store.folders.names import checked_label, checked_new, checked_note, checked_path, new_token

HOSTILE = [
    "", " ", ".", "..", "../x", "/x", "a/../b", "a//b", "a/", "a\\b", "a\0b", "a\nb", "a b", "~", "-x", ".x", "a/.x", "é", "a'b", 'a"b',
    "a;b", "a$b", "a*b", "a?b", "<a>", "a|b", "a%2fb", "a:b", "CON\u202e", "a" * 300,
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_of_other_than_plain_words_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="not a path inside a store"):
        checked_path(path)


@pytest.mark.parametrize(
    "path", ["store.json", "notes/a-b.json", "tables/tx/_all/data/b0003.s-12.ab.cd.lance", "features/v/k.a+b,c=d@e"]
)
def test_a_path_of_plain_words_passes(path: str) -> None:
    assert checked_path(path) == path


@pytest.mark.parametrize("name", ["", "x", "../../etc", f"{'g' * 12}-{'0' * 32}", f"{'0' * 12}-{'0' * 31}", None, 7])
def test_a_reference_that_names_no_note_is_damage(name: object) -> None:
    with pytest.raises(Corrupt):
        checked_note(name)


@pytest.mark.parametrize("label", ["", "  ", " x", "x ", "a\nb", "a\0b", "a\u202eb", "e\u0301", "x" * 201, None, 3])
def test_a_label_of_more_than_one_printable_line_is_refused(label: object) -> None:
    with pytest.raises(Invalid, match="a tag cannot be named"):
        checked_label(label, "a tag")


@pytest.mark.parametrize("label", ["fraud/2026-11", "../../etc/passwd", "before the drop; table", "é", "<b>"])
def test_a_label_may_be_any_line_since_it_is_never_a_path(label: str) -> None:
    assert checked_label(label, "a tag") == label


@pytest.mark.parametrize("name", [one for one in HOSTILE if one != "a/b"])
def test_a_name_that_is_no_plain_word_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="a view cannot be named"):
        checked_new(name, "a view", [])


def test_a_name_that_differs_in_case_alone_is_refused() -> None:
    with pytest.raises(Conflict, match=r"'Rides'.* 'rides'"):
        checked_new("Rides", "a view", ["shops", "rides"])


def test_tokens_differ() -> None:
    assert len({new_token() for _ in range(100)}) == 100
