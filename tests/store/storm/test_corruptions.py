"""Files damaged at random: every question is answered as before or refused, and verify names the file.

NOWTHEN_CORRUPTIONS says how many (`make storm`: 200).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import NowThenError
from nowthen.store.store import Store

from . import orders
from .asked import furnished, questions

CORRUPTIONS = int(os.environ.get("NOWTHEN_CORRUPTIONS", "20"))
SEED = int(os.environ.get("NOWTHEN_SEED", "1"))
DAMAGED = ("tables", "features", "training", "snapshots", "notes", "ledger", "store.json")

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(300 + 5 * CORRUPTIONS)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return furnished(tmp_path_factory.mktemp("corruptions") / "store")


@pytest.fixture(scope="module")
def answers(store: Store) -> dict[str, Any]:
    return {name: ask(nt.connect(store.root)) for name, ask in asked().items()}


def asked() -> dict[str, Callable[[Store], Any]]:
    return dict(questions(orders.source(orders.upto(1))))


def test_what_is_asked_is_there(answers: dict[str, Any]) -> None:
    assert [name for name, answer in answers.items() if not answer] == []


@pytest.mark.parametrize("number", range(CORRUPTIONS))
def test_damage_is_never_answered_from_and_is_named(store: Store, answers: dict[str, Any], number: int) -> None:
    place, before, how = _harmed(store.root, random.Random(SEED * 1_000_003 + number))
    try:
        wrong = dict(_wrong(store.root, answers))
        assert wrong == {}, f"{how} of {place.relative_to(store.root)}"
        assert place.relative_to(store.root).as_posix() in _named(store.root), how
    finally:
        place.write_bytes(before)


def _harmed(root: Path, chance: random.Random) -> tuple[Path, bytes, str]:
    """A file that is not what it was, what it was, and what was done to it."""
    while True:
        place, how = _chosen(root, chance), chance.choice(WAYS)
        before = place.read_bytes()
        if (place.name, how) == ("head", gone):
            continue  # a hint that is not there is no damage: it is made again
        how(place, before, chance)
        if not place.exists() or place.read_bytes() != before:
            return place, before, how.__name__


def _wrong(root: Path, answers: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, ask in asked().items():
        try:
            answer = ask(nt.connect(root))
        except NowThenError:
            continue
        if answer != answers[name]:
            yield name, answer


def _named(root: Path) -> set[str]:
    """What verify says is damaged."""
    try:
        return {damage.path for damage in nt.connect(root).scrub().damaged}
    except NowThenError as error:  # a store whose mark is damaged does not even open
        return {"store.json"} if "store.json" in str(error) else set()


def _chosen(root: Path, chance: random.Random) -> Path:
    """A file, of any kind alike."""
    kind = root / chance.choice(DAMAGED)
    files = [kind] if kind.is_file() else sorted(path for path in kind.rglob("*") if path.is_file())
    return chance.choice(files)


def one_bit(place: Path, content: bytes, chance: random.Random) -> None:
    """One bit is another."""
    damaged = bytearray(content)
    damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    place.write_bytes(damaged)


def a_stretch(place: Path, content: bytes, chance: random.Random) -> None:
    """Some bytes are noise."""
    start = chance.randrange(len(content))
    noise = chance.randbytes(min(chance.randrange(1, 600), len(content) - start))
    place.write_bytes(content[:start] + noise + content[start + len(noise) :])


def zeros(place: Path, content: bytes, chance: random.Random) -> None:
    """A block was never written."""
    start = chance.randrange(len(content)) // 512 * 512
    end = min(start + 512, len(content))
    place.write_bytes(content[:start] + bytes(end - start) + content[end:])


def cut(place: Path, content: bytes, chance: random.Random) -> None:
    """The end is missing."""
    place.write_bytes(content[: chance.randrange(len(content))])


def more(place: Path, content: bytes, chance: random.Random) -> None:
    """Something was written behind the end."""
    place.write_bytes(content + chance.randbytes(chance.randrange(1, 100)))


def another(place: Path, content: bytes, chance: random.Random) -> None:
    """Another file of its kind stands in its place."""
    place.write_bytes(chance.choice(sorted(one for one in place.parent.iterdir() if one.is_file())).read_bytes())


def gone(place: Path, content: bytes, chance: random.Random) -> None:
    """It is not there."""
    place.unlink()


WAYS = (one_bit, one_bit, one_bit, a_stretch, zeros, cut, more, another, gone)
