"""A store in a folder that may not be written: it is read as ever, and who writes is told so."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import Forbidden
from nowthen.store.folders.durable import storing
from nowthen.store.store import Store

from . import shop

NEW = os.O_CREAT


@pytest.fixture
def read_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with rows and values, in whose folder no file can be made any more."""
    tx = shop.source(shop.sales())
    store.apply(shop.service(tx))
    store.ingest(tx)
    store.backfill("customer_spend", "2026-01-01", "2026-01-03")
    plain, unbound = os.open, Path.open

    def refused(path: Any) -> PermissionError:
        return PermissionError(errno.EACCES, "Permission denied", str(path))

    def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & NEW and str(path).startswith(str(store.root)):
            raise refused(path)
        return plain(path, flags, *more, **named)

    def path_opened(path: Path, mode: str = "r", *more: Any, **named: Any) -> Any:
        if "w" in mode and str(path).startswith(str(store.root)):
            raise refused(path)
        return unbound(path, mode, *more, **named)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(Path, "open", path_opened)
    return nt.connect(store.root)


def test_it_is_read_as_ever(read_only: Store) -> None:
    assert read_only.scan("customer_spend").collect().height > 0
    assert read_only.training_set(shop.labels(), "shop", at="t").collect().height == 20
    assert read_only.cleanup(keep="0s", versions=1, dry_run=True).dry_run
    assert read_only.scrub().whole


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.ingest(shop.source(shop.sales(70))),
        lambda store: store.push("sales", [shop.row(99, 99)]),
        lambda store: store.backfill("customer_spend", "2026-01-01", "2026-01-05"),
        lambda store: store.replace("sales", shop.sales(1), shop.START, shop.START.replace(hour=1)),
        lambda store: store.tag("now"),
        lambda store: store.compact(),
        lambda store: store.training_set(shop.labels(), "shop", at="t").save("mine"),
        lambda store: store.forget(shop.CUSTOMER, [1]),
        lambda store: store.cleanup(keep="0s", versions=1),
    ],
    ids=["ingest", "push", "backfill", "replace", "tag", "compact", "save", "forget", "cleanup"],
)
def test_who_writes_is_told_which_file_may_not_be(read_only: Store, write: Any) -> None:
    before = len(read_only.history())
    with pytest.raises(Forbidden, match="may not be written here: Permission denied"):
        write(read_only)
    assert len(read_only.history()) == before


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_whatever_the_system_calls_it(number: int) -> None:
    with pytest.raises(Forbidden, match="'there'"), storing("there"):
        raise OSError(number, os.strerror(number))
