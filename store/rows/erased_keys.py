"""Keys that were erased from a source: rows of theirs that happened up to then are dropped when they come again, as the source may still have them.

A note holds salted digests of the keys, not the keys. Of a row's key a quick hash is compared first, and its digest only where that is found.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ...engine.errors import Conflict
from ...engine.folds.column import Index, Mask
from ...engine.folds.hashing import key_hashes
from ...engine.record import record
from ..ports import Here
from .layout import times
from .source_note import SourceState, state_of

KIND = "forgotten"


@record
class Erased:
    """What a note says of a source's erased keys."""

    state: SourceState | None
    note: Mapping[str, Any] | None

    @classmethod
    def of(cls, here: Here, state: SourceState | None) -> Erased:
        """The erased keys of a source."""
        known = None if state is None or state.forgotten is None else here.notes.get(state.forgotten)
        return cls(state, known)

    def mask(self, rows: pl.DataFrame) -> Mask:
        """Which rows are of an erased key and happened up to when it was erased."""
        out = np.zeros(rows.height, dtype=np.bool_)
        if self.note is None or self.state is None or rows.is_empty():
            return out
        when = times(self.state.name, self.state.layout, rows)
        for entity, erased in self.note["entities"].items():
            keys = rows.select(self.state.layout["keys"][entity])
            upto = _upto(keys, erased, bytes.fromhex(self.note["salt"]))
            out |= when <= upto
        return out


def check_erased(here: Here, source: str, *pushes: pl.DataFrame) -> None:
    """Refuse a push of rows that a drain would drop. Asked while the log is held: `forget` holds it as well, so the answer stays true."""
    state = state_of(here.ledger.head(), here.notes, source)
    erased = Erased.of(here, state)
    for dropped in map(erased.mask, pushes):
        if dropped.any():
            row = int(dropped.argmax())
            raise Conflict(
                f"a push to {source!r}: row {row} is of a key that was erased, and happened before that. Push only rows of it that happened "
                "after `forget`. Nothing was written."
            )


def erased_note(before: Mapping[str, Any] | None, entity: str, keys: pl.DataFrame, upto: int) -> dict[str, Any]:
    """The note of keys that are erased now, beside those that were; `keys` has the entity's columns in its order."""
    salt = bytes.fromhex(before["salt"]) if before else secrets.token_bytes(16)
    entities = {name: dict(erased) for name, erased in (before["entities"] if before else {}).items()}
    wanted = keys.unique()
    entities.setdefault(entity, {}).update(
        {
            f"{quick:016x}": [digest, upto]
            for quick, digest in zip(_quick(wanted, salt).tolist(), _digests(wanted, salt), strict=True)
        }
    )
    return {"kind": KIND, "salt": salt.hex(), "entities": entities}


def _upto(keys: pl.DataFrame, erased: Mapping[str, Sequence[Any]], salt: bytes) -> Index:
    """For each row until when its key is erased; before all times where it is not."""
    out = np.full(keys.height, np.iinfo(np.int64).min)
    quick = _quick(keys, salt)
    near = np.flatnonzero(np.isin(quick, np.array([int(one, 16) for one in erased], dtype=np.uint64)))
    for row, digest in zip(near.tolist(), _digests(keys[near], salt), strict=True):
        known, upto = erased[f"{int(quick[row]):016x}"]
        if known == digest:
            out[row] = upto
    return out


def _quick(keys: pl.DataFrame, salt: bytes) -> Any:
    salted = keys.with_columns(pl.lit(int.from_bytes(salt[:7], "little"), dtype=pl.Int64).alias("__salt"))
    return key_hashes(salted.select("__salt", *keys.columns))


def _digests(keys: pl.DataFrame, salt: bytes) -> list[str]:
    """A digest of each key; numbers of any width are equal."""
    return [hashlib.blake2b(repr(row).encode(), key=salt, digest_size=16).hexdigest() for row in keys.rows()]
