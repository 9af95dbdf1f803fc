"""Which class knows what a kind of note needs, how it is checked, and how rows are taken out of it. Loaded when asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import polars as pl

from ...engine.errors import Corrupt
from ...engine.language.entity import Entity
from ..ports import Damage, Held, Here

_CLASSES = {
    "source": ("rows.held_rows", "HeldRows"),
    "pieces": ("care.kinds", "HeldAlone"),
    "forgotten": ("care.kinds", "HeldAlone"),
    "view": ("features.held_features", "HeldView"),
    "chunk": ("features.held_features", "HeldChunk"),
    "training": ("training_sets.held_training", "HeldTraining"),
    "definition": ("definitions.held_definition", "HeldDefinition"),
    "snapshot": ("snapshots.held_snapshot", "HeldSnapshot"),
    "model": ("care.kinds", "HeldAlone"),
    "tag": ("care.kinds", "HeldAlone"),
    "removed": ("care.kinds", "HeldAlone"),
    "erased": ("care.kinds", "HeldAlone"),
}


class HeldAlone:
    """A note that stands for itself: it needs no other file, its digest is its check, and it holds no rows."""

    def reaches(self, here: Here, note: Mapping[str, Any]) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def check(self, here: Here, name: str, note: Mapping[str, Any]) -> Iterator[Damage]:
        """Nothing: whoever read the note has checked it."""
        return iter(())

    def mend(self, here: Here, damage: Damage) -> bool:
        """False: only a backup has it."""
        return False

    def without(
        self, here: Here, note: Mapping[str, Any], entity: Entity, keys: pl.DataFrame, draft: Any, token: str
    ) -> tuple[Mapping[str, Any], int] | None:
        """None."""
        return None


def held(kind: object) -> Held:
    """What is to be known of a kind of note. An unknown kind is `Corrupt`: guessing what it needs could remove it."""
    if not isinstance(kind, str) or kind not in _CLASSES:
        raise Corrupt(
            f"a note says it is a {kind!r}, which this NowThen does not know. Use the NowThen that wrote it, or restore the store."
        )
    module, name = _CLASSES[kind]
    made: Held = getattr(import_module(f"..{module}", __package__), name)()
    return made
