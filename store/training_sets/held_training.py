"""What cleanup, verify and forget must know of saved training sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ...engine.errors import Corrupt, NotFound
from ...engine.language.entity import Entity
from ..ports import Damage, Here
from ..rows import sequence
from .saved_training_set import checked, taken_in


class HeldTraining:
    """A saved training set: a file of values."""

    def reaches(self, here: Here, note: Mapping[str, Any]) -> Iterator[str]:
        """Its file."""
        yield note["file"]

    def check(self, here: Here, name: str, note: Mapping[str, Any]) -> Iterator[Damage]:
        """Whether the file is as it was written."""
        try:
            checked(here, note)
        except NotFound:
            yield Damage(note["file"], "it is missing", (name,))
        except Corrupt:
            yield Damage(note["file"], "its bytes are not those that were saved", (name,))

    def mend(self, here: Here, damage: Damage) -> bool:
        """False: what was saved is nowhere else but in a backup."""
        return False

    def without(
        self, here: Here, note: Mapping[str, Any], entity: Entity, keys: pl.DataFrame, draft: Path, token: str
    ) -> tuple[Mapping[str, Any], int] | None:
        """The training set without the rows asked about some keys; None where it has no such keys or rows."""
        if not set(entity.keys) <= set(note["spine"]):
            return None
        rows = pl.read_parquet(checked(here, note))
        left = without_keys(rows, entity, keys)
        if left.height == rows.height:
            return None
        file = draft / "values.parquet"
        _write(file, left)
        path, facts = taken_in(here, file, token)
        file.unlink()
        lost = {"entry": here.ledger.head().number + 1, "rows": rows.height - left.height, "at": sequence.now_us()}
        return {**note, **facts, "file": path, "rows": left.height, "erased": [*note["erased"], lost]}, lost["rows"]


def without_keys(rows: pl.DataFrame, entity: Entity, keys: pl.DataFrame) -> pl.DataFrame:
    """The rows, in their order, that are not of some keys of an entity."""
    types = {name: rows.schema[name] for name in entity.keys}
    erased = keys.select(list(types)).cast(types, strict=False).unique()  # type: ignore[arg-type]
    return rows.join(erased, on=list(types), how="anti", maintain_order="left")


def _write(file: Path, rows: pl.DataFrame) -> None:
    from ...engine.running.sinking import written

    written(file, iter([rows]))
