"""What is kept of definitions: each note leads to the one before it, so that every version of a name stays readable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ...engine.language.entity import Entity
from ..ledger.notes import note_path
from ..ports import Damage, Here


class HeldDefinition:
    """The `Held` of definitions."""

    def reaches(self, here: Here, note: Mapping[str, Any]) -> Iterator[str]:
        """The definition before it."""
        if note["previous"] is not None:
            yield note_path(note["previous"])

    def check(self, here: Here, name: str, note: Mapping[str, Any]) -> Iterator[Damage]:
        """Nothing: its digest was checked by whoever read it. That an operator of an old version is not installed is no damage."""
        return iter(())

    def mend(self, here: Here, damage: Damage) -> bool:
        """False: only a backup has it."""
        return False

    def without(
        self, here: Here, note: Mapping[str, Any], entity: Entity, keys: pl.DataFrame, draft: Path, token: str
    ) -> tuple[Mapping[str, Any], int] | None:
        """None: definitions hold no rows."""
        return None
