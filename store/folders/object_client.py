"""Talking to an object store through obstore: its settings, patience with its failures, and errors told without secrets.

Every failure that may pass is tried again until the patience ends. obstore itself retries nothing, so that we know what was tried.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...engine.errors import Forbidden, Invalid, NotFound, NowThenError, StorageFull, Unavailable
from ...engine.record import record

if TYPE_CHECKING:
    from obstore.store import ObjectStore

Made = TypeVar("Made")

_FLAGS = ("allow_http", "allow_invalid_certificates", "http1_only", "http2_only", "randomize_addresses")
_CLIENT = (
    *_FLAGS, "timeout", "connect_timeout", "read_timeout", "pool_idle_timeout", "pool_max_idle_per_host", "proxy_url",
    "proxy_ca_certificate", "proxy_excludes", "root_certificate", "user_agent",
)  # fmt: skip
_PREFIX = re.compile(rf"^(aws|google|azure)_(?=({'|'.join(_CLIENT)})$)")
_VENDORS = ("aws_", "google_", "azure_")
_SECRET = re.compile("secret|password|token|account_key|service_account|sas")
_FULL = re.compile(r"\b507 Insufficient Storage\b|StorageFull|QuotaExceeded|InsufficientStorage")
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound")
_PATIENCE: Final = "patience_s"
_LONGEST_PAUSE_S = 2.0


@record
class Settings:
    """Where an object store is and how it is asked. What is given is never shown: it may be a secret."""

    url: str
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    left: tuple[str, ...] = ()  # secrets that another process was given by storage=; they did not travel

    def secrets(self) -> tuple[str, ...]:
        """What the secrets given are called in the environment."""
        said = sorted(key for key in self.options() if _SECRET.search(key))
        return self.left or tuple(
            (key if key.startswith(_VENDORS) else f"{self._vendor()}_{key}").upper() for key in said
        )

    def require_all(self) -> None:
        """`Forbidden` where a secret stayed behind and the environment here does not say it."""
        missing = [name for name in self.left if name not in os.environ]
        if missing:
            raise Forbidden(
                f"{self.url} was opened with storage=, whose values are not sent to other processes, such as Ray's workers. "
                f"Set {', '.join(missing)} in their environment, or pass engine='local'."
            )

    @property
    def patience_s(self) -> float:
        """How long a failure is tried again."""
        try:
            return float(self.given.get(_PATIENCE, 60.0))
        except ValueError:
            raise Invalid(f"storage={{'{_PATIENCE}': ..}} is a number of seconds.") from None

    def config(self) -> dict[str, str]:
        """What is said to the store itself; the environment says the rest."""
        return {key: value for key, value in self.options().items() if key not in _CLIENT}

    def client(self) -> dict[str, Any]:
        """How it is reached."""
        given = self.options()
        around = {key: os.environ.get(f"{self._vendor()}_{key.upper()}") for key in _CLIENT}
        said = {key: value for key in _CLIENT if (value := given.get(key, around[key])) is not None}
        flags = {key: value.lower() in ("1", "true", "yes") for key, value in said.items() if key in _FLAGS}
        return {"connect_timeout": "5s", "timeout": "30s", **said, **flags}

    def _vendor(self) -> str:
        return {"s3": "AWS", "gs": "GOOGLE"}.get(self.url.split("://")[0], "AZURE")

    def options(self) -> dict[str, str]:
        """What was given, as Lance takes it too."""
        return {_PREFIX.sub("", key): value for key, value in self.given.items() if key != _PATIENCE}


class Client:
    """An object store that is asked patiently."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def store(self) -> ObjectStore:
        """The store for requests that end soon."""
        return self._opened(self.settings.client())

    @cached_property
    def bulk(self) -> ObjectStore:
        """The store for files of any size: only silence is an error."""
        return self._opened({"read_timeout": "30s", **self.settings.client(), "timeout": "1h"})

    def asked(self, act: Callable[[], Made], what: str) -> Made:
        """What a request gives that may be made several times. `NotFound`, `Forbidden`, `StorageFull`, `Unavailable`."""
        patience = Patience(self.settings.patience_s)
        while True:
            try:
                return act()
            except Exception as error:
                told = self.told(error, what)
                if not isinstance(told, Unavailable) or not patience.waits():
                    raise told from None

    def told(self, error: Exception, what: str) -> NowThenError:
        """An error of obstore as one of ours, without what it quotes. What may pass is `Unavailable`; what is no error of obstore is raised."""
        from obstore import exceptions

        if not isinstance(error, (exceptions.BaseError, FileNotFoundError)):
            raise error
        text = self._clean(str(error))
        asked = f"{what} at {self.settings.url}: {text}"
        if _NO_BUCKET.search(str(error)):
            return NotFound(f"{what}: there is no bucket at {self.settings.url}. Make it first.")
        if isinstance(error, FileNotFoundError):
            return NotFound(asked)
        if isinstance(error, (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)):
            return Forbidden(f"{asked} Give credentials by the environment or storage=.")
        if _FULL.search(text):
            return StorageFull(f"no room left: {asked}")
        return Unavailable(asked)

    def _opened(self, client: dict[str, Any]) -> ObjectStore:
        from obstore import store
        from obstore.exceptions import BaseError

        self.settings.require_all()
        try:
            from_url: Any = store.from_url  # its overloads know the vendor's options; ours come from outside
            opened: ObjectStore = from_url(
                self.settings.url, config=self.settings.config(), client_options=client, retry_config={"max_retries": 0}
            )
        except (BaseError, ValueError, TypeError) as error:
            raise Invalid(f"{self.settings.url} cannot be opened: {self._clean(str(error))}") from None
        return opened

    def _clean(self, text: str) -> str:
        """The first line, without queries (they may be signed), credentials in addresses, and any value that was given."""
        line = text.split("\n", 1)[0]
        line = re.sub(r"\?[^\s\"'>]*", "?..", re.sub(r"//[^/@\s]+@", "//..@", line))
        for value in sorted(self.settings.given.values(), key=len, reverse=True):
            if len(value) > 7 and not value.startswith(("http://", "https://")):
                line = line.replace(value, "..")
        return f"{line[:300].rstrip(' .:')}."


class Patience:
    """Waiting longer and longer, with chance in it, until a time is over."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._pause = 0.02

    def waits(self) -> bool:
        """False where the time is over; else it has waited."""
        if time.monotonic() >= self._until:
            return False
        time.sleep(random.uniform(self._pause / 2, self._pause))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)
        return True


def never_sent(error: Exception) -> bool:
    """Whether a request failed before a byte of it left."""
    return "kind: Connect," in str(error)


def require() -> None:
    """One clear error where obstore is not installed."""
    try:
        import obstore  # noqa: F401
    except ImportError:
        raise Invalid("a store on an object store needs obstore. Install it: pip install 'nowthen[objects]'.") from None
