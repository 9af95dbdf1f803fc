"""Requests to an object store that fail at each point: what is acknowledged has happened, what is denied has not, and the rest says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from nowthen.engine.errors import CommitUnknown, StorageFull, Unavailable
from nowthen.store.folders.folder import open_folder
from nowthen.store.folders.names import new_token
from nowthen.store.ledger.entries import Entries
from nowthen.store.ledger.entry import EMPTY, begun
from nowthen.store.ports import Folder, Moved

from .faulty_proxy import Faults, faulty_proxy
from .s3_server import BUCKET, options

NOTE = f"{'0' * 12}-{'0' * 32}"
Opened = Callable[..., tuple[Folder, Folder]]


@pytest.fixture
def opened(server: str) -> Iterator[Opened]:
    """The same folder twice: behind a proxy with a script of faults, and without."""
    with ExitStack() as stack:

        def both(*script: str, **more: str) -> tuple[Folder, Folder]:
            proxy = stack.enter_context(faulty_proxy(server, Faults(0.0, late_s=0.8, script=list(script))))
            url, kept = f"s3://{BUCKET}/{new_token()}", {"timeout": "400ms", "patience_s": "20", **more}
            return open_folder(url, options(proxy, **kept)), open_folder(url, options(server))

        yield both


@pytest.mark.parametrize(
    "fault", ["reset before", "reset after", "503 before", "503 after", "409 before", "delay", "late"]
)
def test_a_new_file_is_ours_though_the_first_answer_was_lost(opened: Opened, fault: str) -> None:
    folder, plain = opened(fault)
    assert folder.put_new("ledger/1", b"ours")
    assert plain.get("ledger/1") == b"ours"


@pytest.mark.parametrize("fault", ["reset before", "503 before", "409 before", "late"])
def test_a_new_file_is_not_ours_where_another_was_first_in_spite_of_a_lost_answer(opened: Opened, fault: str) -> None:
    folder, plain = opened(fault)
    assert plain.put_new("ledger/1", b"theirs")
    assert not folder.put_new("ledger/1", b"ours")
    assert plain.get("ledger/1") == b"theirs"


def test_a_write_given_up_without_an_answer_is_unknown_and_found_when_it_lands(server: str) -> None:
    url, faults = f"s3://{BUCKET}/{new_token()}", Faults(0.0, late_s=0.8)
    plain = open_folder(url, options(server))
    first = Entries(plain).commit(EMPTY, begun("tag", "first"), lambda head: Moved({"tag/a": NOTE}))
    with faulty_proxy(server, faults) as proxy:
        hasty = options(proxy, timeout="400ms", read_timeout="400ms", patience_s="0.1")
        ledger, work = Entries(open_folder(url, hasty)), begun("tag", "late")
        assert ledger.head() == first
        # The look for entry 2 is answered; its write, and looking for it, are not.
        faults.script += ["", *["late"] * 20]
        with pytest.raises(CommitUnknown, match=work.job):
            ledger.commit(first, work, lambda head: Moved({"tag/b": NOTE}))
        until = time.monotonic() + 20
        while (landed := Entries(plain).committed(work.job)) is None and time.monotonic() < until:
            time.sleep(0.02)
    assert landed is not None
    assert set(landed.names) == {"tag/a", "tag/b"}


@pytest.mark.parametrize("fault", ["reset before", "503 before"])
def test_a_write_that_could_not_be_made_is_not_there(opened: Opened, fault: str) -> None:
    folder, plain = opened(*[fault] * 99, patience_s="0.2")
    with pytest.raises((CommitUnknown, Unavailable)):
        folder.put_new("ledger/1", b"ours")
    assert list(plain.listed("ledger")) == []


def test_a_body_that_was_cut_is_read_again(opened: Opened) -> None:
    folder, plain = opened("cut body", "cut body")
    plain.put("data/x", bytes(range(256)) * 100)
    assert folder.get("data/x") == bytes(range(256)) * 100


def test_a_range_that_was_cut_is_read_again(opened: Opened) -> None:
    folder, plain = opened("cut body", "reset before")
    plain.put("data/x", bytes(range(256)) * 100)
    assert folder.get("data/x", [(10, 20), (300, 302)]) == bytes([*range(10, 20), 44, 45])


def test_a_listing_that_was_cut_is_made_again(opened: Opened) -> None:
    folder, plain = opened("cut body", "503 before")
    for one in range(5):
        plain.put(f"data/{one}", b"x")
    assert [path for path, *_ in folder.listed("data")] == [f"data/{one}" for one in range(5)]


def test_a_full_object_store_is_told_as_such(opened: Opened) -> None:
    folder, plain = opened("507 before")
    with pytest.raises(StorageFull):
        folder.put_new("ledger/1", b"ours")
    assert list(plain.listed("ledger")) == []


def test_a_number_in_a_path_or_a_duration_is_no_status(opened: Opened) -> None:
    folder, plain = opened("503 before", "reset before")
    assert folder.put_new("ledger/507", b"ours")
    assert plain.get("ledger/507") == b"ours"


def test_patience_ends(opened: Opened) -> None:
    folder, _ = opened(*["503 before"] * 99, patience_s="0.3")
    begun_at = time.monotonic()
    with pytest.raises(Unavailable, match="503"):
        folder.get("ledger/1")
    assert time.monotonic() - begun_at < 5
