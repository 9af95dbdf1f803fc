"""Whether a column is worth looking for runs of equal values in, which takes Lance as long as all else of encoding it (2026-11).

Values that equal the one before are counted here, for a third of that time. Of a column where they are fewer than one in fifty Lance is told, in the
schema of the file, not to look: the file becomes larger by 0.16 bytes a row at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Final

import numpy as np
import pyarrow as pa

_SAID: Final = b"lance-encoding:rle-threshold"
_LOOKED_BYTES: Final = 64 << 20  # a file with more comes bit by bit, and how it goes on is not known
_FEW: Final = 1 / 50
_WORDS: Final = {8: np.int8, 16: np.int16, 32: np.int32, 64: np.int64}  # by bits


def told(rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> tuple[Iterator[pa.RecordBatch], pa.Schema]:
    """The rows again, and the schema with what Lance is told of each column."""
    coming, head, size = iter(rows), [], 0
    for batch in coming:
        head.append(batch)
        size += batch.nbytes if batch.num_rows else 0
        if size > _LOOKED_BYTES:
            return chain(head, coming), schema
    columns = ([batch.column(place) for batch in head] for place in range(len(schema)))
    fields = [_told(field) if _varies(column) else field for field, column in zip(schema, columns)]
    return iter(head), pa.schema(fields, schema.metadata)


def untold(schema: pa.Schema) -> pa.Schema:
    """The schema of a file without what Lance was told: that holds of the rows that were there then."""
    return pa.schema([_without(field) for field in schema], schema.metadata)


def _told(field: pa.Field) -> pa.Field:
    return field.with_metadata({**(field.metadata or {}), _SAID: b"0"})


def _without(field: pa.Field) -> pa.Field:
    left = {key: value for key, value in (field.metadata or {}).items() if key != _SAID}
    return field.with_metadata(left) if left else field.remove_metadata()


def _varies(column: Sequence[pa.Array]) -> bool:
    """Whether few values equal the one before; of nulls and of values of no fixed width nothing is said."""
    rows = sum(map(len, column))
    few = all(map(_is_plain, column)) and all(equal <= rows * _FEW for equal in accumulate(map(_repeated, column)))
    return few and rows > 0


def _is_plain(values: pa.Array) -> bool:
    return pa.types.is_primitive(values.type) and values.type.bit_width in _WORDS and not values.null_count


def _repeated(values: pa.Array) -> int:
    """How many have the bits of the one before."""
    if not len(values):
        return 0
    kind = np.dtype(_WORDS[values.type.bit_width])
    words = np.frombuffer(values.buffers()[1], kind, len(values), values.offset * kind.itemsize)
    return int(np.count_nonzero(words[1:] == words[:-1]))
