"""Status of a value: why it is there, or why it is not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..folds.ask import Answer
from ..folds.column import Array, Column, Mask
from ..plan.plan import Output

STATUSES = ("present", "null", "not_found", "outside_ttl", "default")
_PRESENT, _NULL, _NOT_FOUND, _OUTSIDE_TTL, _DEFAULT = range(5)
NAMES = np.array(STATUSES, dtype=object)
_OF_FOUND = np.array([_NOT_FOUND, _PRESENT], dtype=np.uint8)


class Statuses:
    """The statuses of outputs over the same answers; those that read the same windows share what was found there."""

    def __init__(self, answers: Mapping[str, Answer], n: int) -> None:
        self._answers, self._n = answers, n
        self._found: dict[int | tuple[int, ...], Array] = {}

    def codes(self, output: Output, plain: Column) -> Array:
        """The status of each value of an output as an index into STATUSES, (n,) of uint8; `plain` is the value before the default.

        not_found: no row of the key was in any window the feature reads. outside_ttl: none was, but there are rows older than the ttl.
        default: rows were there, their value is null and the default stands in. null: the same without a default.
        """
        codes = self._where_found(output.slots)
        if plain.valid is not None:
            missing = _NULL if output.default is None else _DEFAULT
            codes = np.where((codes == _PRESENT) & ~plain.valid, np.uint8(missing), codes)
        for slot in output.slots:
            expired = self._answers[slot].expired
            if expired is not None:
                codes = np.where((codes == _NOT_FOUND) & expired, np.uint8(_OUTSIDE_TTL), codes)
        return codes

    def _where_found(self, slots: tuple[str, ...]) -> Array:
        found = [self._answers[slot].found for slot in slots]
        name = id(found[0]) if len(found) == 1 else tuple(map(id, found))
        codes = self._found.get(name)
        if codes is None:
            codes = self._found[name] = self._of_found([mask for mask in found if mask is not None])
        return codes

    def _of_found(self, masks: list[Mask]) -> Array:
        """present where any of the masks is true or there is none, not_found elsewhere."""
        if not masks:
            return np.zeros(self._n, dtype=np.uint8)
        found = masks[0] if len(masks) == 1 else np.logical_or.reduce(masks)
        return _OF_FOUND[found.view(np.uint8)]
