"""Tables on an object store: the same files, read by Lance over the net, and checked where that is asked for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

from nowthen.engine.errors import Corrupt
from nowthen.store.folders.folder import open_folder
from nowthen.store.folders.names import new_token
from nowthen.store.ports import Folder, Version
from nowthen.store.tables.lost import LostFile
from nowthen.store.tables.tables import Tables
from nowthen.store.tables.verified import ALWAYS

from .s3_server import BUCKET, options
from .tabled import PLACE, read, rows, stored


@pytest.fixture
def folder(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return open_folder(f"s3://{BUCKET}/{new_token()}/store", options(server, patience_s="5"))


@pytest.fixture
def version(folder: Folder) -> Version:
    return stored(folder, Tables(folder), [rows(), rows(50, 600)])


def harm(folder: Folder) -> str:
    path = next(path for path, *_ in folder.listed(f"{PLACE}/data") if path.endswith(".lance"))
    content = bytearray(folder.get(path))
    content[5] ^= 1
    folder.put(path, bytes(content))
    return path


def test_rows_come_back_as_they_were(folder: Folder, version: Version) -> None:
    assert read(Tables(folder), version).equals(pa.concat_tables([rows(), rows(50, 600)]))


def test_all_that_a_version_needs_is_there(folder: Folder, version: Version) -> None:
    assert sorted(Tables(folder).paths(PLACE, version)) == sorted(path for path, *_ in folder.listed("tables"))


def test_a_missing_file_is_named(folder: Folder, version: Version) -> None:
    path = next(path for path in Tables(folder).paths(PLACE, version) if path.endswith(".lance"))
    folder.delete([path])
    with pytest.raises(LostFile) as caught:
        read(Tables(folder), version)
    assert caught.value.path == path


def test_columns_are_checked_if_asked_for(folder: Folder, version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALWAYS, "all")
    assert read(Tables(folder), version).num_rows == 650
    path = harm(folder)
    with pytest.raises(Corrupt, match=path):
        read(Tables(folder), version)


def test_a_manifest_is_always_checked(folder: Folder, version: Version) -> None:
    path = next(path for path in Tables(folder).paths(PLACE, version) if path.endswith(".manifest"))
    content = folder.get(path)
    folder.put(path, content[:20] + b"x" + content[21:])
    with pytest.raises(Corrupt, match=path):
        Tables(folder).opened(PLACE, version)
