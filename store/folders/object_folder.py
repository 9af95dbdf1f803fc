"""A folder on an object store: s3://, gs:// or az://. A conditional PUT decides who is first.

Secrets come from the environment of each process or from `storage=`, and stay in the process: they are in no address, text or pickle.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from ...engine.errors import CommitUnknown, Corrupt, Forbidden, Invalid, NotFound, Unavailable
from .local_folder import LocalFolder
from .names import checked_path
from .object_client import Client, Patience, Settings, never_sent, require
from .object_copies import Copies

_AT_ONCE = 8
_DELETED_AT_ONCE = 1_000
_CLEAN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9_.=+-]*)*")


class ObjectFolder:
    """A `Folder` below a bucket."""

    def __init__(self, settings: Settings) -> None:
        self._client = Client(settings)
        self._scratch = LocalFolder(Path(tempfile.gettempdir()) / f"nowthen-{os.getuid()}")
        self._own = hashlib.sha256(settings.url.encode()).hexdigest()[:12]

    @classmethod
    def at(cls, url: str, storage: Mapping[str, str] | None = None) -> Self:
        """The folder at an address."""
        require()
        scheme, _, rest = url.rstrip("/").partition("://")
        if "@" in rest or "?" in rest or "#" in rest:
            raise Invalid(
                "credentials and queries do not belong in a store's address. Pass them by the environment or storage=."
            )
        if not _CLEAN.fullmatch(rest):
            raise Invalid("that is not the address of a store. Use scheme://bucket/folder, of plain words.")
        return cls(Settings(f"{'s3' if scheme == 's3a' else scheme}://{rest}", _checked(storage or {})))._tried()

    @property
    def url(self) -> str:
        """The address."""
        return self._client.settings.url

    def __repr__(self) -> str:
        return f"ObjectFolder({self.url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return ObjectFolder, (Settings(self.url, left=self._client.settings.secrets()),)

    # -- writing --------------------------------------------------------------------------------------------------------
    def put_new(self, path: str, content: bytes) -> bool:
        """Whether the file is ours. Where no answer comes only the same bytes are tried again: the first try may still land."""
        from obstore.exceptions import AlreadyExistsError

        patience, in_doubt = Patience(self._client.settings.patience_s), False
        while True:
            try:
                self._client.store.put(checked_path(path), content, mode="create", use_multipart=False)
                return True
            except Exception as error:
                if isinstance(error, AlreadyExistsError):
                    there = self._there(path)
                    if there is not None:
                        return in_doubt and there == content
                    told = Unavailable(f"writing {path} at {self.url}: another write of it is under way.")
                else:
                    told = self._failed(error, path, in_doubt)
                    in_doubt = in_doubt or not never_sent(error)
            if not patience.waits():
                return self._settled(path, content, told, in_doubt)

    def put(self, path: str, content: bytes) -> None:
        """Put or replace a file."""
        self._client.asked(lambda: self._client.store.put(checked_path(path), content), f"writing {path}")

    def expect(self, draft: Path) -> None:
        """Nothing: it goes away with all others at once, and the disk need not have it."""

    def take_in(self, made: Mapping[str, Path]) -> None:
        """Bring drafts to their places. A path holds the digest of its bytes, so to put it twice is harmless."""

        def brought(one: tuple[str, Path]) -> None:
            path, draft = one
            self._client.asked(lambda: self._client.bulk.put(checked_path(path), draft), f"writing {path}")

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(brought, made.items()))

    def delete(self, paths: Iterable[str]) -> None:
        """Remove files; those that are gone already do not matter."""
        listed = [checked_path(path) for path in paths]
        for first in range(0, len(listed), _DELETED_AT_ONCE):
            self._deleted(listed[first : first + _DELETED_AT_ONCE])

    # -- reading --------------------------------------------------------------------------------------------------------
    def get(self, path: str, ranges: Sequence[tuple[int, int]] = ()) -> bytes:
        """The bytes of a file, or of the ranges [begin, end) one after another."""
        name = checked_path(path)
        if not ranges:
            return self._client.asked(lambda: bytes(self._client.bulk.get(name).bytes()), f"reading {path}")
        starts, ends = [begin for begin, _ in ranges], [end for _, end in ranges]
        parts = self._client.asked(
            lambda: [bytes(part) for part in self._client.bulk.get_ranges(name, starts=starts, ends=ends)],
            f"reading {path}",
        )
        if any(len(part) != end - begin for part, (begin, end) in zip(parts, ranges)):
            raise Corrupt(f"{path} at {self.url} is damaged: it ends before byte {max(ends)}.")
        return b"".join(parts)

    def listed(self, under: str, after: str = "") -> Iterator[tuple[str, int, int]]:
        """Path, bytes and time of change (microseconds) of the files below a folder, paths rising."""
        prefix = checked_path(under) if under else None
        found = self._client.asked(
            lambda: self._client.bulk.list(prefix, offset=after or None, chunk_size=1_000).collect(), f"listing {under}"
        )
        for one in sorted(found, key=lambda one: one["path"]):
            if one["path"] > after:
                yield one["path"], one["size"], int(one["last_modified"].timestamp() * 1_000_000)

    def local(self, path: str) -> Path:
        """A copy on the local disk, kept for the next time."""
        return self._copies().copy(checked_path(path))

    def lance(self, path: str) -> tuple[str, dict[str, str]]:
        """The address as Lance wants it, and its options."""
        return f"{self.url}/{checked_path(path)}", self._client.settings.options()

    # -- drafts and turns -----------------------------------------------------------------------------------------------
    def draft(self, token: str) -> AbstractContextManager[Path]:
        """A scratch folder on the local disk."""
        return self._private().draft(token)

    def turn(self, name: str) -> AbstractContextManager[None]:
        """One's turn among the writers of this machine."""
        return self._private().turn(f"{self._own}-{name}")

    def sweep(self) -> int:
        """Remove what dead writers left on this machine, and copies that nobody asked for in a week."""
        return self._private().sweep() + self._copies().swept()

    # -- inside ---------------------------------------------------------------------------------------------------------
    def _tried(self) -> Self:
        """The same folder, after its options were looked at; nothing is asked of the store."""
        _ = self._client.settings.patience_s, self._client.store
        return self

    def _private(self) -> LocalFolder:
        """The scratch folder, which must be ours: its name is known to everybody on this machine."""
        root = self._scratch.root
        root.mkdir(mode=0o700, exist_ok=True)
        if root.is_symlink() or root.stat().st_uid != os.getuid():
            raise Forbidden(f"{root} belongs to somebody else. Set TMPDIR to a folder of your own.")
        return self._scratch

    def _copies(self) -> Copies:
        return Copies(self._private().root / "copies", self._client)

    def _there(self, path: str) -> bytes | None:
        try:
            return self.get(path)
        except NotFound:
            return None

    def _failed(self, error: Exception, path: str, in_doubt: bool) -> Unavailable:
        """What was told of a try that may be repeated; anything else is raised, as unknown where an earlier try may have landed."""
        told = self._client.told(error, f"writing {path}")
        if isinstance(told, Unavailable):
            return told
        if in_doubt:
            raise CommitUnknown(f"writing {path} at {self.url}: no answer came to a first try, then: {told}") from None
        raise told from None

    def _settled(self, path: str, content: bytes, told: Unavailable, in_doubt: bool) -> bool:
        """What came of a write that was given up."""
        try:
            there = self._there(path)
        except Unavailable:
            there = None
        if there is not None:
            return in_doubt and there == content
        if in_doubt:
            raise CommitUnknown(f"{told} It may have happened all the same.") from None
        raise told from None

    def _deleted(self, paths: list[str]) -> None:
        try:
            self._client.asked(lambda: self._client.store.delete(paths), f"removing {len(paths)} files")
        except NotFound:
            if len(paths) > 1:
                for path in paths:
                    self._deleted([path])


def _checked(storage: Mapping[str, str]) -> dict[str, str]:
    wrong = [key for key, value in storage.items() if not (isinstance(key, str) and isinstance(value, str))]
    if wrong:
        raise Invalid(f"storage= maps text to text; {wrong} do not.")
    return {key.lower(): value for key, value in storage.items()}
