"""Status of a value: why it is there, or why it is not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .ask import Answer
from .column import Array, Column, Mask
from .plan import Output

STATUSES = ("present", "null", "not_found", "outside_ttl", "default")
_PRESENT, _NULL, _NOT_FOUND, _OUTSIDE_TTL, _DEFAULT = range(5)
NAMES = np.array(STATUSES, dtype=object)


class Statuses:
    """The statuses of outputs over the same answers; those that read the same windows share what was found there."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self._found: dict[tuple[int, ...], Array] = {}

    def codes(self, output: Output, plain: Column) -> Array:
        """The status of each value of an output as an index into STATUSES, (n,) of uint8; `plain` is the value before the default.

        not_found: no row of the key was in any window the feature reads. outside_ttl: none was, but there are rows older than the ttl.
        default: rows were there, their value is null and the default stands in. null: the same without a default.
        """
        folds = [self._answers[slot] for slot in output.slots]
        codes = self._of_found([_found(fold) for fold in folds]) if folds else np.full(len(plain), _PRESENT, np.uint8)
        if plain.valid is not None:
            missing = _NULL if output.default is None else _DEFAULT
            codes = np.where((codes == _PRESENT) & ~plain.valid, np.uint8(missing), codes)
        for fold in folds:
            if fold.expired is not None:
                codes = np.where((codes == _NOT_FOUND) & fold.expired, np.uint8(_OUTSIDE_TTL), codes)
        return codes

    def _of_found(self, masks: list[Mask]) -> Array:
        """present where any of the masks is true, not_found elsewhere."""
        name = tuple(map(id, masks))
        codes = self._found.get(name)
        if codes is None:
            found = masks[0] if len(masks) == 1 else np.logical_or.reduce(masks)
            codes = self._found[name] = (~found).view(np.uint8) * np.uint8(_NOT_FOUND)
        return codes


def _found(fold: Answer) -> Mask:
    assert fold.found is not None, "status is asked of answers that say what was found"
    return fold.found
