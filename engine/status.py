"""Status of a value: why it is there, or why it is not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .at import Answer
from .column import Array, Column
from .plan import Output

STATUSES = ("present", "null", "not_found", "outside_ttl", "default")


def status(output: Output, plain: Column, answers: Mapping[str, Answer]) -> Array:
    """The status of each value of an output, (n,) of str; `plain` is the value before the default.

    not_found: no row of the key was in any window the feature reads. outside_ttl: rows were, but all older than the ttl.
    default: rows were there, their value is null and the default stands in. null: the same without a default.
    """
    missing = "null" if output.default is None else "default"
    out = np.where(plain.is_valid(), "present", missing).astype(object)
    folds = [answers[slot] for slot in output.slots]
    if folds:
        nothing = ~np.logical_or.reduce([fold.found for fold in folds])
        expired = np.logical_or.reduce([fold.found & False if fold.expired is None else fold.expired for fold in folds])
        out[nothing] = "not_found"
        out[nothing & expired] = "outside_ttl"
    return out
