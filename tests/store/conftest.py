from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import nowthen as nt
from nowthen.store.store import Store

from . import shop
from .s3_server import s3_server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that nothing was written to yet."""
    made: Store = nt.connect(tmp_path / "store")
    return made


@pytest.fixture
def tx(store: Store) -> nt.Source:
    """The sales of the shop, applied with a service over them and ingested."""
    source = shop.source(shop.sales())
    store.apply(shop.service(source))
    store.ingest(source)
    return source


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server that the tests of a file share."""
    with s3_server() as address:
        yield address
