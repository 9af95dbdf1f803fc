"""Whether a column is worth looking for runs of equal values in, which takes Lance as long as all else of encoding it (2026-11).

Lance's run-length encoding begins to pay where runs are fewer than half of the rows. They are counted here, for a fifth of that time; of a column that
has more Lance is told not to look, and its file becomes no larger than twice what it could have been.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Final

import numpy as np
import pyarrow as pa

_UNSOUGHT: Final = {"lance-encoding:rle-threshold": "0"}
_LOOKED_BYTES: Final = 64 << 20  # a file with more comes bit by bit, and how it goes on is not known
_WORDS: Final = {8: np.int8, 16: np.int16, 32: np.int32, 64: np.int64}  # by bits


def encoded(rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> tuple[Iterator[pa.RecordBatch], pa.Schema]:
    """The rows again, and the schema with what Lance is told of each column."""
    coming, head, size = iter(rows), [], 0
    for batch in coming:
        head.append(batch)
        size += batch.nbytes
        if size > _LOOKED_BYTES:
            return chain(head, coming), schema
    fields = [
        one.with_metadata({**(one.metadata or {}), **_UNSOUGHT}) if _varies([batch[one.name] for batch in head]) else one
        for one in schema
    ]  # fmt: skip
    return iter(head), pa.schema(fields, schema.metadata)


def _varies(column: Sequence[pa.Array]) -> bool:
    """Whether runs of equal values are more than half of the rows; of nulls and of values of no fixed width nothing is said."""
    half = sum(map(len, column)) / 2
    return all(map(_is_plain, column)) and any(runs > half for runs in accumulate(map(_runs, column)))


def _is_plain(values: pa.Array) -> bool:
    return pa.types.is_primitive(values.type) and values.type.bit_width in _WORDS and not values.null_count


def _runs(values: pa.Array) -> int:
    """How often a value differs in its bits from the one before."""
    words = np.frombuffer(values.buffers()[1], _WORDS[values.type.bit_width])[
        values.offset : values.offset + len(values)
    ]
    return int(np.count_nonzero(words[1:] != words[:-1]))
