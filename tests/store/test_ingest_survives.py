"""Ingest on a disk whose power is cut after each acknowledgement, and on one that fills up."""

from __future__ import annotations

from pathlib import Path

import pytest

import nowthen as nt
from nowthen.engine.errors import StorageFull

from . import shop
from .mounts import disk, formatted, needs_root, power_cut, tmpfs

pytestmark = [pytest.mark.fault, pytest.mark.slow, needs_root]

CUTS = 30
STEP = 20


def sold(root: Path) -> list[int]:
    """The sales that a process finds which has not looked before."""
    rows = nt.connect(root).events(shop.source(shop.sales(1))).read(["sale"])
    return sorted(rows["sale"].to_list())


def test_ingested_and_pushed_rows_are_there_after_thirty_of_thirty_cuts(tmp_path: Path) -> None:
    image, there = formatted(tmp_path / "disk", megabytes=48), []
    with disk(image, tmp_path / "mounted") as at:
        for one in range(1, CUTS + 1):
            store = nt.connect(at / "store")
            if one % 3:
                store.ingest(shop.source(shop.sales(one * STEP)))
            else:
                store.push(shop.source(shop.sales(1)), shop.sales(STEP, (one - 1) * STEP))
            del store  # a server of its own would hold the log
            with disk(power_cut(image, tmp_path / "copy"), tmp_path / "after") as after:
                there.append(sold(after / "store") == list(range(one * STEP)))
    assert there == [True] * CUTS


def ingested_until_full(root: Path, done: int) -> int:
    """How many sales were acknowledged before the disk was full."""
    try:
        while done < 100_000:
            nt.connect(root).ingest(shop.source(shop.sales(done + STEP)))
            done += STEP
    except StorageFull:
        return done
    raise AssertionError("the disk has more room than was thought")


@pytest.mark.parametrize("size", ["2200k", "2500k", "3m", "4m", "5m"])
def test_an_ingest_on_a_full_disk_keeps_what_was_acknowledged_and_goes_on_after_a_cleanup(
    tmp_path: Path, size: str
) -> None:
    with tmpfs(tmp_path / "small", size) as at:
        root, filler = at / "store", at / "filler"
        filler.write_bytes(b"x" * 400_000)
        told = ingested_until_full(root, 0)
        assert told
        assert sold(root) == list(range(told))
        with pytest.raises(StorageFull):
            nt.connect(root).ingest(shop.source(shop.sales(told + 2_000)))
        assert sold(root) == list(range(told))
        nt.connect(root).cleanup(keep="0s", versions=1)  # has room to write, whatever is full
        assert sold(root) == list(range(told))
        filler.unlink()
        more = ingested_until_full(root, told)
        assert more > told
        assert sold(root) == list(range(more))
