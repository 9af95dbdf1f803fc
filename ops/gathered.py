"""States that hold values themselves, in order: what order statistics and distinct counts are merged from.

A state is one object array whose entries are sorted arrays of values.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..engine.folds.column import Array
from ..engine.language.fold import State


def single(values: Array) -> State:
    """The state of each single value; -0.0 is 0.0, so that which of two equal zeros is kept does not depend on how rows are cut."""
    plain = values + values.dtype.type(0) if values.dtype.kind == "f" else values
    return (entries([plain[row : row + 1] for row in range(len(plain))]),)


def none(n: int, values: Array) -> State:
    """n states without values, of the type of these."""
    return (entries([values[:0]] * n),)


def joined(a: State, b: State, join: Callable[[Array, Array], Array]) -> State:
    """The states joined one by one."""
    return (entries([join(one, other) for one, other in zip(a[0], b[0], strict=True)]),)


def in_order(one: Array, other: Array) -> Array:
    """All values of both; NaN last."""
    return np.sort(np.concatenate([one, other]), kind="stable")


def distinct(one: Array, other: Array) -> Array:
    """The values of both, each once; NaN is one value."""
    return np.unique(np.concatenate([one, other]))


def entries(arrays: list[Array]) -> Array:
    """An object array of these arrays; numpy would join arrays of one length into a table."""
    out = np.empty(len(arrays), dtype=np.object_)
    for place, array in enumerate(arrays):
        out[place] = array
    return out
