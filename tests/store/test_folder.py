"""What every folder keeps: one suite, for the local disk and for an object store."""

from __future__ import annotations

import pickle
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nowthen.engine.errors import Corrupt, Invalid, NotFound, Unavailable
from nowthen.store.folders.folder import open_folder
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.folders.names import new_token
from nowthen.store.ports import Folder

from .s3_server import BUCKET, options


@pytest.fixture(params=["local", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    if request.param == "local":
        return open_folder(tmp_path / "store")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    address = request.getfixturevalue("server")
    return open_folder(f"s3://{BUCKET}/{new_token()}/store", options(address, patience_s="5"))


def test_only_the_first_gets_a_new_file(folder: Folder) -> None:
    assert (folder.put_new("notes/a.json", b"one"), folder.put_new("notes/a.json", b"two")) == (True, False)
    assert folder.get("notes/a.json") == b"one"


def test_put_replaces_a_file(folder: Folder) -> None:
    folder.put("ledger/head", b"one")
    folder.put("ledger/head", b"three")
    assert folder.get("ledger/head") == b"three"


def test_ranges_come_one_after_another(folder: Folder) -> None:
    folder.put("data/x", b"0123456789")
    assert folder.get("data/x", [(1, 3), (8, 10), (0, 1)]) == b"12890"


def test_a_range_behind_the_end_is_damage(folder: Folder) -> None:
    folder.put("data/x", b"0123456789")
    with pytest.raises(Corrupt, match="data/x"):
        folder.get("data/x", [(8, 12)])


def test_a_file_that_is_not_there_is_not_found(folder: Folder) -> None:
    with pytest.raises(NotFound, match=r"notes/none\.json"):
        folder.get("notes/none.json")


def test_files_are_listed_below_a_folder_in_rising_order(folder: Folder) -> None:
    for path in ("a/b/2", "a/b.x", "a/b/1", "a/c", "ab/1", "z"):
        folder.put(path, b"1")
    assert [path for path, *_ in folder.listed("a")] == ["a/b.x", "a/b/1", "a/b/2", "a/c"]
    assert [path for path, *_ in folder.listed("", after="a/b/1")] == ["a/b/2", "a/c", "ab/1", "z"]
    assert list(folder.listed("none")) == []


def test_a_listing_says_size_and_time(folder: Folder) -> None:
    folder.put("a/x", b"12345")
    ((_, size, changed),) = folder.listed("a")
    assert size == 5
    assert changed > 1_700_000_000_000_000


def test_drafts_are_brought_to_their_places_and_may_be_brought_again(folder: Folder) -> None:
    with folder.draft("0123456789ab") as draft:
        made = {f"tables/t/data/{one}.lance": draft / str(one) for one in range(20)}
        for one, path in enumerate(made.values()):
            path.write_bytes(bytes([one]) * 100)
        folder.take_in(made)
        folder.take_in(made)
    assert not draft.exists()
    assert [folder.get(path) for path in made] == [bytes([one]) * 100 for one in range(20)]
    assert [path for path, *_ in folder.listed("")] == sorted(made)


def test_a_draft_is_swept_when_its_writer_is_gone_and_not_before(folder: Folder) -> None:
    with folder.draft("0123456789ab") as draft:
        (draft / "x").write_bytes(b"1" * 1000)
        assert folder.sweep() == 0
        dead = draft.with_name("ba9876543210")
        dead.mkdir()
        (dead / "x").write_bytes(b"1" * 500)
        (draft.parent / "ba9876543210.lock").touch()
        assert folder.sweep() == 500
        assert (draft.exists(), dead.exists()) == (True, False)


def test_removed_files_are_gone_and_may_be_removed_again(folder: Folder) -> None:
    folder.put("a/x", b"1")
    folder.put("a/y", b"1")
    folder.delete(["a/x", "a/none"])
    folder.delete(["a/x"])
    assert [path for path, *_ in folder.listed("a")] == ["a/y"]


def test_a_local_file_has_the_bytes(folder: Folder) -> None:
    folder.put("a/x.arrow", b"123")
    assert folder.local("a/x.arrow").read_bytes() == b"123"
    folder.put("a/x.arrow", b"456")
    assert folder.local("a/x.arrow").read_bytes() == b"456"


def test_a_local_file_that_is_not_there_is_not_found(folder: Folder) -> None:
    with pytest.raises(NotFound):
        folder.local("a/none")


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".hidden", "a\\b", "a\0b", "a b", "a\nb", "ä", "~/x"]
)
def test_a_path_that_leads_elsewhere_is_refused(folder: Folder, path: str) -> None:
    acts: list[Any] = [
        folder.get,
        folder.local,
        folder.lance,
        lambda one: folder.put(one, b""),
        lambda one: folder.delete([one]),
    ]
    for act in [*acts, lambda one: folder.put_new(one, b"")]:
        with pytest.raises(Invalid):
            act(path)


def test_a_pickled_folder_is_the_same_place(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    folder.put("a/x", b"1")
    assert pickle.loads(pickle.dumps(folder)).get("a/x") == b"1"


def test_no_secret_of_a_store_is_in_its_text_or_pickle_or_errors(server: str, tmp_path: Path) -> None:
    secret = "a-secret-key-of-ours"
    said = options(server, aws_secret_access_key=secret, aws_session_token=f"token-{secret}", patience_s="0.1")
    folder = open_folder(f"s3://{BUCKET}/quiet", said)
    wrong = open_folder(f"s3://{BUCKET}/quiet", {**said, "aws_endpoint": "http://127.0.0.1:1"})
    with pytest.raises(Unavailable) as raised:
        wrong.put_new("a", b"1")
    shown = [
        repr(folder),
        str(folder),
        folder.url,
        str(pickle.dumps(folder)),
        str(raised.value),
        repr(raised.value.__context__),
    ]
    folder.put("a", b"1")
    assert not any(secret in text for text in [*shown, repr(vars(folder))])


@pytest.mark.parametrize("url", ["s3://key:secret@bucket/x", "s3://bucket/x?token=secret", "az://c/x#secret"])
def test_an_address_with_credentials_is_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(Invalid, match="credentials") as raised:
        open_folder(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://bucket/x", "s3://", "s3://bucket/../x", "s3://bucket/a b", "ftp://x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        open_folder(url)


def test_options_of_an_object_store_are_refused_for_a_local_folder(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="storage="):
        open_folder(tmp_path, {"aws_region": "x"})


@pytest.mark.parametrize(
    "option", [{"nonsense": "x"}, {"patience_s": "long"}, {"timeout": "a while"}, {"aws_conditional_put": "perhaps"}]
)
def test_an_option_that_means_nothing_is_refused_when_the_store_is_opened(option: dict[str, str]) -> None:
    with pytest.raises(Invalid, match=r"nonsense|patience_s|cannot be opened"):
        open_folder("s3://bucket/x", option)


@pytest.mark.parametrize("key", ["user_agent", "aws_allow_http", "http1_only", "read_timeout", "pool_idle_timeout"])
def test_options_of_the_connection_are_taken(key: str) -> None:
    value = "10s" if key.endswith("timeout") else "true"
    assert open_folder("s3://bucket/x", {key: value}).url == "s3://bucket/x"


def test_an_object_store_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(Invalid, match=r"nowthen\[objects\]"):
        open_folder("s3://bucket/x")


def test_a_bucket_that_is_not_there_is_told(server: str) -> None:
    with pytest.raises(NotFound, match="bucket"):
        open_folder("s3://no-such-bucket/x", options(server)).put_new("a", b"1")


@pytest.mark.parametrize(
    "url, option", [("gs://bucket/store", {}), ("az://container/store", {"azure_storage_account_name": "account"})]
)
def test_other_clouds_are_a_matter_of_configuration(url: str, option: dict[str, str]) -> None:
    assert open_folder(url, option).lance("tables/x") == (f"{url}/tables/x", option)


def test_an_account_that_is_missing_is_told_when_the_store_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(Invalid, match="Account must be specified"):
        open_folder("az://container/store")
