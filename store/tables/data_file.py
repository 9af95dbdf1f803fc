"""A Lance file, made in a draft: rows of a table, named by what it is, whose attempt it was, and the digest of its bytes.

Its sums stand beside it. Lance's own writer of tables is not asked: it would choose names, and write where others can see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa

from ...engine.errors import StorageFull
from ..folders.durable import storing
from ..ports import DataPart
from .lance_library import LanceFileReader, LanceFileWriter, LanceSchema
from .runs import told, untold
from .sums import NAME_DIGITS, SUFFIX, Ranges, Sums, laid_out

DATA_VERSION: Final = "2.1"  # of Lance's file format; pinned, so that an upgrade of the library changes no file
DATA: Final = "data"  # the folder of a table's files
# Lance's own 8 MiB for all columns together cost a file of one column a sixth of writing (2026-11).
_PAGE_BYTES: Final = 1 << 20  # of a column
_HELD_BYTES: Final = 8 << 20  # of all, at most


def written(folder: Path, stem: str, token: str, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> DataPart:
    """Write rows into a new file, and its sums beside it; `folder` is the data folder of a table, in a draft."""
    plain = untold(schema)
    return _written(folder, stem, token, *told(rows, plain), plain)


def written_again(folder: Path, stem: str, token: str, rows: Iterable[pa.RecordBatch], like: Path) -> DataPart:
    """The same for rows that a file had: encoded as they were there, so that equal rows have equal bytes."""
    schema = LanceFileReader(str(like)).metadata().schema
    return _written(folder, stem, token, rows, schema, untold(schema))


def _written(
    folder: Path, stem: str, token: str, rows: Iterable[pa.RecordBatch], how: pa.Schema, schema: pa.Schema
) -> DataPart:
    draft = folder / f"{stem}.{uuid4().hex}"
    with storing(folder), _or_nothing(draft):
        folder.mkdir(parents=True, exist_ok=True)
        count = _write(draft, rows, how)
        sums = Sums.of(draft, count, _read_back(draft))
        name = f"{stem}.{token}.{sums.digest[:NAME_DIGITS]}.lance"
        (folder / (name + SUFFIX)).write_bytes(sums.written())
        draft.rename(folder / name)
    return _part(f"{DATA}/{name}", count, schema, sums.size)


def described(path: Path, name: str) -> tuple[DataPart, pa.Schema]:
    """What a file says of itself, under its name in a table."""
    facts = LanceFileReader(str(path)).metadata()
    schema = untold(facts.schema)
    return _part(name, facts.num_rows, schema, path.stat().st_size), schema


def _part(name: str, rows: int, schema: pa.Schema, size: int) -> DataPart:
    leaves = leaf_fields(schema)
    return DataPart(name, rows, tuple(leaves), size, _firsts([len(ids) for ids in leaves.values()]))


def places(path: Path) -> dict[str, Ranges]:
    """Where in a Lance file its columns lie."""
    facts = LanceFileReader(str(path)).metadata()
    columns = iter(facts.columns)
    spans: list[tuple[int, int, str]] = []
    for name, ids in leaf_fields(facts.schema).items():
        for column in islice(columns, len(ids)):
            buffers = [*column.column_buffers, *(buffer for page in column.pages for buffer in page.buffers)]
            spans += [(one.position, one.position + one.size, name) for one in buffers if one.size]
    return dict.fromkeys(facts.schema.names, ()) | laid_out(spans)


def _read_back(draft: Path) -> dict[str, Ranges]:
    """Where columns lie in a file that was just written. Lance does not tell where its last write, of the footer, found no room."""
    try:
        return places(draft)
    except OSError as error:
        raise StorageFull(f"{draft} did not reach the disk whole, perhaps for want of room: {error}") from error


def rows_in(path: Path) -> int:
    """How many rows a Lance file has."""
    return int(LanceFileReader(str(path)).num_rows())


def leaf_fields(schema: pa.Schema) -> dict[str, list[int]]:
    """For each column the numbers of the fields that its values stand in; a file has a column of its own for each of these, in this order."""
    return {field.name(): _leaves(field) for field in LanceSchema.from_pyarrow(schema).fields()}


@contextmanager
def _or_nothing(draft: Path) -> Iterator[None]:
    """What fails inside leaves no part of a file behind, which would be taken in with the others."""
    try:
        yield
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _write(path: Path, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
    held = min(_PAGE_BYTES * max(len(schema), 1), _HELD_BYTES)
    with LanceFileWriter(str(path), schema, version=DATA_VERSION, data_cache_bytes=held) as file:
        for batch in rows:
            file.write_batch(batch)
        count = file.close()
    if path.stat().st_size != file.size_bytes:
        raise StorageFull(f"{path} did not reach the disk whole: {path.stat().st_size:,} bytes of {file.size_bytes:,}.")
    return int(count or 0)


def _leaves(field: Any) -> list[int]:
    inner = field.children()
    return [leaf for one in inner for leaf in _leaves(one)] if inner else [field.id()]


def _firsts(sizes: list[int]) -> tuple[int, ...]:
    return tuple(sum(sizes[:number]) for number in range(len(sizes)))
