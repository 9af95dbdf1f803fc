"""Columns of a damaged file of rows, taken from the source again, where it still has the same rows.

The sums of a file say which of its columns are damaged. Its rows are known by the hash of what they said, or by their ids, and the file is written
again from whole columns and from the source's. It counts only if its digest is the one in the name: then it is the very same file.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ...engine.errors import NowThenError
from ...engine.language.source import SourceSpec
from ..folders.names import new_token
from ..ports import Here
from ..rows.compaction import cast
from ..rows.fresh import CONTENT, with_content
from ..rows.placed import batches, storable
from ..sources.conform import conforming
from ..tables.data_file import written_again
from ..tables.lance_library import LanceFileReader
from ..tables.sums import REST, SUFFIX, Sums, chunks, digest_in, xxh3_of

_BATCH_ROWS = 262_144
_THERE = "__there"


def rows_mended(here: Here, path: str, spec: SourceSpec) -> bool:
    """Whether a file of a source's table could be put again, byte for byte."""
    if not (path.startswith(f"tables/{spec.name}/") and path.endswith(".lance")):
        return False
    try:
        local = here.folder.local(path)
        bad = damaged_columns(local, here.folder.get(path + SUFFIX), path)
        rows = _whole(spec, local, bad) if bad else None
    except (
        NowThenError,
        OSError,
        ValueError,
    ):  # a source that is gone, sums that are no help
        return False
    return rows is not None and _put(here, path, local, *rows)


def damaged_columns(file: Path, sums: bytes, path: str) -> set[str]:
    """The columns that are not as they were written; none where these are not the sums of this file, or where columns cannot be told."""
    found = Sums.read(sums)
    if not found.are_of(path) or found.size != file.stat().st_size:
        return set()
    with file.open("rb") as opened:
        bad = {name for name, (at, xxh3) in found.columns.items() if xxh3_of(chunks(opened.fileno(), at)) != xxh3}
    return set() if REST in bad else bad


def _whole(spec: SourceSpec, file: Path, bad: set[str]) -> tuple[pl.DataFrame, pa.Schema] | None:
    """The rows of the file with what the source says in the damaged columns; None where it does not say it of all of them."""
    schema = LanceFileReader(str(file)).metadata().schema
    if not bad <= {*spec.schema, CONTENT}:
        return None
    kept = [name for name in schema.names if name not in bad]
    found: Any = pl.from_arrow(LanceFileReader(str(file), columns=kept).read_all(batch_size=_BATCH_ROWS).to_table())
    by = _known_by(spec, bad)
    if by is None:
        return None
    given = storable(with_content(spec, conforming(spec, spec.open()).read(list(spec.schema))))
    lost = given.select(*by, *sorted(bad), pl.lit(value=True).alias(_THERE)).unique(by)
    typed = lost.cast({name: found.schema[name] for name in by})
    rows = found.join(typed, on=by, how="left", nulls_equal=True, maintain_order="left")
    return None if rows[_THERE].null_count() else (cast(rows, schema), schema)


def _known_by(spec: SourceSpec, bad: Collection[str]) -> list[str] | None:
    """The columns by which a row is known to be the same."""
    if CONTENT not in bad:
        return [CONTENT]
    by = [name for name in (spec.row_id, spec.known_time) if name is not None]
    return by if spec.row_id is not None and not set(by) & set(bad) else None


def _put(here: Here, path: str, local: Path, rows: pl.DataFrame, schema: pa.Schema) -> bool:
    with here.folder.draft(token := new_token()) as draft:
        part = written_again(draft, "again", token, batches(rows, schema), like=local)
        same = digest_in(part.path) == digest_in(path)
        if same:
            here.folder.put(path, (draft / Path(part.path).name).read_bytes())
        return same
