"""Which keys hold versions of a row: a correction has to find the rows it corrects, wherever they stand."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Hashable, Iterable, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .column import Array

Key = Hashable  # one key column: its value; several: a tuple of them; none (global): ()


@dataclass
class Holders:
    """Which keys hold a version of a row_id: sorted arrays for the snapshot, a dict for what came after."""

    ids: Array | None
    owners: Array
    later: MutableMapping[Any, tuple[Key, ...]] = field(default_factory=dict)

    @staticmethod
    def of(row_id: Array | None, keys: list[Key]) -> Holders:
        """The holders of a snapshot's rows."""
        owners = np.empty(len(keys), dtype=object)
        owners[:] = keys
        if row_id is None or row_id.dtype == np.object_:
            later: dict[Any, tuple[Key, ...]] = {}
            made = Holders(None, owners[:0], later)
            made.add(row_id, keys)
            return made
        order = np.argsort(row_id, kind="stable")
        return Holders(row_id[order], owners[order])

    def branch(self) -> Holders:
        """A copy that takes rows of its own."""
        return replace(self, later=ChainMap({}, self.later))

    def of_rows(self, row_id: Array | None) -> Iterable[Key]:
        """The keys that hold a version of any of these rows."""
        if row_id is None:
            return
        for one in row_id.tolist():
            yield from self.later.get(one, ())
        if self.ids is not None:
            if row_id.dtype == np.object_:
                row_id = np.array([one for one in row_id.tolist() if one is not None], dtype=self.ids.dtype)
            first, last = np.searchsorted(self.ids, row_id, "left"), np.searchsorted(self.ids, row_id, "right")
            for low, high in zip(first.tolist(), last.tolist(), strict=True):
                yield from (key for key in self.owners[low:high] if key is not None)

    def add(self, row_id: Array | None, keys: list[Key]) -> None:
        """Remember who holds new rows."""
        if row_id is None:
            return
        for one, key in zip(row_id.tolist(), keys, strict=True):
            if one is not None and key is not None and key not in self.later.get(one, ()):
                self.later[one] = (*self.later.get(one, ()), key)
