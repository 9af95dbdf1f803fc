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


def status_codes(output: Output, plain: Column, answers: Mapping[str, Answer]) -> Array:
    """The status of each value of an output as an index into STATUSES, (n,) of uint8; `plain` is the value before the default.

    not_found: no row of the key was in any window the feature reads. outside_ttl: none was, but there are rows older than the ttl.
    default: rows were there, their value is null and the default stands in. null: the same without a default.
    """
    folds = [answers[slot] for slot in output.slots]
    codes = (
        (~_found(folds)).view(np.uint8) * np.uint8(_NOT_FOUND)
        if folds
        else np.full(len(plain), _PRESENT, dtype=np.uint8)
    )
    if plain.valid is not None:
        missing = _NULL if output.default is None else _DEFAULT
        codes[(codes == _PRESENT) & ~plain.valid] = missing
    for fold in folds:
        if fold.expired is not None:
            codes[(codes == _NOT_FOUND) & fold.expired] = _OUTSIDE_TTL
    return codes


def _found(folds: list[Answer]) -> Mask:
    """Where any of the folds found a row."""
    masks = [fold.found for fold in folds if fold.found is not None]
    assert len(masks) == len(folds), "status is asked of answers that say what was found"
    return masks[0] if len(masks) == 1 else np.logical_or.reduce(masks)
