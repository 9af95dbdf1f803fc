"""Files of tables harmed at random: whatever was turned, cut, zeroed, exchanged or taken away, no answer is wrong without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from nowthen.engine.errors import Corrupt
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.ports import Version
from nowthen.store.tables.tables import Tables

from .tabled import read, rows, stored

_PAGE = 4096


def harm(files: list[Path], generator: np.random.Generator) -> str:
    """Harm one of the files, or two, and say how."""
    path, other = generator.choice(np.array(files, dtype=object), 2, replace=False)
    content = bytearray(path.read_bytes())
    at = int(generator.integers(len(content)))
    way = str(
        generator.choice(["bit", "cut", "zeros", "exchange", "grow", "gone"], p=[0.4, 0.15, 0.2, 0.15, 0.05, 0.05])
    )
    if way == "exchange":
        path.write_bytes(other.read_bytes())
        other.write_bytes(content)
        return f"{path.name} and {other.name} exchanged"
    if way == "gone":
        path.unlink()
        return f"{path.name} gone"
    if way == "bit":
        content[at] ^= 1 << int(generator.integers(8))
    elif way == "cut":
        del content[at:]
    elif way == "grow":
        content[at:at] = generator.bytes(9)
    else:
        at -= at % _PAGE
        content[at : at + _PAGE] = bytes(len(content[at : at + _PAGE]))
    path.write_bytes(content)
    return f"{path.name} {way} at {at}"


@pytest.mark.fault
@pytest.mark.parametrize("group", range(10))
def test_no_answer_from_harmed_files_is_silently_wrong(tmp_path: Path, group: int) -> None:
    folder = LocalFolder(tmp_path)
    versions = [
        stored(folder, Tables(folder), [rows(3_000, 3_000 * n) for n in range(first, first + 3)]) for first in (0, 3)
    ]
    right = [read(Tables(folder), version) for version in versions]
    files = sorted(path for path in (tmp_path / "tables").rglob("*") if path.is_file())
    kept = {path: path.read_bytes() for path in files}
    refused, quiet = 0, []
    for seed in range(group * 20, group * 20 + 20):
        how = harm(files, np.random.default_rng(seed))
        found = [answer(folder, version) for version in versions]
        refused += any(one is None for one in found)
        quiet += [how for one, expected in zip(found, right) if one is not None and not one.equals(expected)]
        for path, content in kept.items():
            path.write_bytes(content)
    assert quiet == []
    assert refused >= 8


def answer(folder: LocalFolder, version: Version) -> pa.Table | None:
    """What a new process would read, or None where it is refused."""
    try:
        return read(Tables(folder), version)
    except Corrupt:
        return None
