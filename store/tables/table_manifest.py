"""A version of a table as Lance knows it: a manifest, the list of its files, made in a draft and opened from its bytes.

Lance makes it by a detached commit, which is no part of any history and asks for none; the files it lists need not be there.
Fields are numbered by their place in the schema, anew in each version.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

import pyarrow as pa

from ...engine.errors import Corrupt
from ..folders.durable import storing
from ..ports import DataPart, Stretch
from .data_file import DATA, DATA_VERSION, leaf_fields
from .lance_library import DataFile, FragmentMetadata, LanceDataset, LanceFragment, Session, lance

VERSIONS: Final = "_versions"
_TRAILER: Final = struct.Struct("<QHH4s")  # where the manifest begins, two numbers of its format, and LANC
_MAJOR, _MINOR = (int(part) for part in DATA_VERSION.split("."))


def path_of(number: str) -> str:
    """Where the manifest of a version stands, below its table."""
    return f"{VERSIONS}/d{number}.manifest"


def made(draft: Path, schema: pa.Schema, stretches: Sequence[Stretch]) -> tuple[str, bytes]:
    """The number of a new version of these stretches, and its manifest."""
    leaves = leaf_fields(schema)
    fragments = [FragmentMetadata(0, list(_files(stretch, leaves)), stretch.rows) for stretch in stretches]
    scratch = _scratch(draft)
    with storing(draft):
        done = LanceDataset.commit(
            str(scratch), lance.LanceOperation.Overwrite(schema, fragments), read_version=1, detached=True
        )
    number = str(done.version)
    return number, (scratch / path_of(number)).read_bytes()


def opened(uri: str, options: Mapping[str, str], number: str, content: bytes, session: Session) -> LanceDataset:
    """The version whose manifest this is. Lance does not look for it, so what it reads is what was checked."""
    if len(content) < _TRAILER.size:
        raise Corrupt(f"the manifest of version {number} of {uri} is cut off")
    begin, _, _, magic = _TRAILER.unpack(content[-_TRAILER.size :])
    if magic != b"LANC":
        raise Corrupt(f"the manifest of version {number} of {uri} is not one of Lance's")
    (size,) = struct.unpack_from("<I", content, begin)
    return LanceDataset(
        uri,
        version=int(number),
        serialized_manifest=content[begin + 4 : begin + 4 + size],
        storage_options=dict(options) or None,
        session=session,
    )


def stretches_of(schema: pa.Schema, fragments: Iterable[LanceFragment]) -> tuple[Stretch, ...]:
    """What the fragments of a version consist of."""
    names = {ids[0]: name for name, ids in leaf_fields(schema).items()}

    @cache  # most files are alike
    def columns(fields: tuple[int, ...], indices: tuple[int, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        held = [(names[one], at) for one, at in zip(fields, indices, strict=True) if one in names]
        return tuple(name for name, _ in held), tuple(at for _, at in held)

    def part(file: DataFile, rows: int) -> DataPart:
        held, firsts = columns(tuple(file.fields), tuple(file.column_indices))
        return DataPart(f"{DATA}/{file._path}", rows, held, int(file.file_size_bytes or 0), firsts)

    facts = [fragment.metadata for fragment in fragments]
    return tuple(
        Stretch(tuple(part(file, one.physical_rows) for file in one.files), one.physical_rows) for one in facts
    )


def _files(stretch: Stretch, leaves: Mapping[str, list[int]]) -> Iterator[DataFile]:
    """The files of a stretch that have columns of the schema."""
    for part in stretch.parts:
        fields: list[int] = []
        indices: list[int] = []
        for name, first in zip(part.columns, part.at, strict=True):
            ids = leaves.get(name, [])
            fields += ids
            indices += range(first, first + len(ids))
        if fields:
            yield DataFile(part.path.removeprefix(f"{DATA}/"), fields, indices, _MAJOR, _MINOR, part.bytes)


def _scratch(draft: Path) -> Path:
    """A table in the draft for Lance to commit to; what is in it does not matter."""
    scratch = draft / "lance"
    if not scratch.is_dir():
        aside = draft / f"lance.{uuid4().hex}"
        with storing(draft):
            lance.write_dataset(
                pa.table({"none": pa.array([], pa.int8())}), str(aside), data_storage_version=DATA_VERSION
            )
        try:
            aside.rename(scratch)
        except OSError:
            if not scratch.is_dir():
                raise
    return scratch
