"""Files of a store in which the text of some keys still stands: what `forget` has to say of, as it erases rows and not values that others have.

A feature may have a key as its value, and so have training sets. Such files are compressed: of them the texts are compared, of others the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import polars as pl
import pyarrow as pa

from ...engine.errors import Corrupt
from ...engine.record import record
from ..ports import Here
from ..rows.log import Log
from ..tables.lance_library import LanceFileReader
from ..tables.verified import check_whole

# Bytes: shorter keys are found everywhere. In tables a value counts that is one of them, not one that only has it in it.
_TELLING = 4


def mentions(here: Here, logs: Sequence[Path], keys: pl.DataFrame) -> Iterator[str]:
    """Files in which the text of a key stands, and damaged ones, of which nobody can say; of the logs those that are given."""
    columns = [column for column in keys.iter_columns() if column.dtype == pl.String]
    wanted = _Wanted(sorted({text for column in columns for text in column.to_list()}))
    if not wanted.texts:
        return
    listed = [path for path, _, _ in here.folder.listed("") if not path.startswith("log/")]
    read: list[tuple[str, Callable[[], bytes]]] = [(path, partial(here.folder.get, path)) for path in listed]
    segments = [one for log in logs for one in (*Log(log).segments(), *Log(log).cut_off())]
    read += [(f"log/{one.parent.name}/{one.name}", one.read_bytes) for one in segments]
    for path, content in read:
        content_now = content()
        if wanted.in_bytes(content_now) or wanted.in_values(here, path, content_now):
            yield path


@record
class _Wanted:
    """The texts of the keys."""

    texts: list[str]

    def in_bytes(self, content: bytes) -> bool:
        """Whether one that tells stands in them."""
        return any(text.encode() in content for text in self._telling)

    def in_values(self, here: Here, path: str, content: bytes) -> bool:
        """Whether one is a value of the table in a file, or a part of one; True where the table is damaged."""
        try:
            return any(self._in(texts) for frame in _frames(here, path, content) for texts in _texts(frame.to_struct()))
        except (Corrupt, OSError, pa.ArrowException):
            return True

    def _in(self, values: pl.Series) -> bool:
        found = values.is_in(pl.Series(self.texts).implode())
        if self._telling:
            found |= values.str.contains_any(self._telling)
        return bool(found.any())

    @property
    def _telling(self) -> list[str]:
        return [text for text in self.texts if len(text.encode()) >= _TELLING]


def _frames(here: Here, path: str, content: bytes) -> Iterator[pl.DataFrame]:
    """The rows of a file of a table, a part at a time; none of other files."""
    if path.endswith(".parquet"):
        from pyarrow.parquet import ParquetFile

        yield from map(_frame, ParquetFile(BytesIO(content)).iter_batches())
    elif path.endswith(".lance"):
        check_whole(path, [content])
        yield from map(_frame, LanceFileReader(str(here.folder.local(path))).read_all().to_batches())


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(batch))


def _texts(values: pl.Series) -> Iterator[pl.Series]:
    """The texts among some values, however deep in lists and structs."""
    dtype = values.dtype
    if isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _texts(values.struct.field(field.name))
    elif isinstance(dtype, pl.List | pl.Array):
        yield from _texts(values.explode())
    elif isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        yield values.cast(pl.String)
