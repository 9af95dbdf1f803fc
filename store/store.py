"""The store: a folder that holds tables, log, registry and snapshots. Every method hands on to the file that has the idea."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..engine.errors import Invalid, NotFound
from ..engine.hashing import HASH_VERSION
from ..engine.progress import Progress
from ..engine.service import FeatureService
from ..engine.source import Rows, SourceSpec
from ..engine.training_set import TrainingSet
from ..engine.training_set import training_set as over_spine
from ..engine.view import FeatureView
from . import sequence
from .durable import publish
from .files import MissingFile
from .layout import check_columns
from .log import Log, Writer
from .manifest import Manifest, read_manifest
from .pushed import checked

if TYPE_CHECKING:
    from .changes import Changes
    from .event_table import EventTable
    from .ingest import Ingested
    from .ledger import Commit
    from .registry import Entry, Registry
    from .snapshot import Published

FORMAT = 1
_PATIENCE_S = 5.0  # how long a push waits for another process that pushes to the same source


class Store:
    """Tables, log, registry and snapshots of one folder. Make one with `nt.connect`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._writers: dict[str, Writer] = {}

    @classmethod
    def in_folder(cls, path: str | PathLike[str]) -> Self:
        """The store in a folder, which is made when something is first written to it."""
        return cls(_root(path))

    @property
    def path(self) -> Path:
        """The store's folder."""
        return self.root

    # -- definitions ----------------------------------------------------------------------------------------------------
    def plan(self, definitions: Any) -> Changes:
        """What applying services, views and sources would change, without changing it."""
        from .changes import changes

        return changes(self.registry, definitions)

    def apply(self, definitions: Any) -> Changes:
        """Register services, views and sources, and all they need; what is there already stays as it is."""
        self._make()
        return self.plan(definitions).apply()

    @property
    def registry(self) -> Registry:
        """The definitions."""
        from .registry import Registry

        return Registry(self.root / "registry")

    def service(self, name: str) -> FeatureService:
        """The service of that name, or of `name@<hash prefix>`."""
        made: FeatureService = self.registry.find("service", name).made()
        return made

    def view(self, name: str) -> type[FeatureView]:
        """The view of that name, or of `name@<hash prefix>`."""
        made: type[FeatureView] = self.registry.find("view", name).made()
        return made

    def source(self, name: str) -> SourceSpec:
        """The source of that name, without its data."""
        made: Rows = self.registry.find("source", name).made()
        return made.spec

    # -- rows -----------------------------------------------------------------------------------------------------------
    def ingest(self, source: Rows | SourceSpec) -> Ingested:
        """Take what is new in a source, and what was pushed to it, into the store's tables; safe to repeat."""
        return self._ingested(self._spec(source), read=True)

    def drain(self, source: Rows | SourceSpec | str) -> Ingested:
        """Take what was pushed to a source into the store's tables; safe to repeat."""
        return self._ingested(self._spec(source), read=False)

    def push(self, source: Rows | SourceSpec | str, rows: Any, *, key: str = "") -> int:
        """Append rows to a source durably and return their position; nothing is written unless every row is right.

        A push that is repeated with its key counts once. While a server runs on this store it alone writes: push through it.
        """
        spec = self._spec(source)
        self.check_pushable(spec)
        self._make()
        now = sequence.now_us()
        return self._append(spec, checked(spec, rows, now), key, now)

    def check_pushable(self, source: Rows | SourceSpec | str) -> None:
        """Refuse a source that takes no pushes: `Invalid` where it was ingested and has no row_id, as rows would count twice.

        Nothing is written, and rows are not looked at. Costs reading the newest commit.
        """
        spec = self._spec(source)
        state = self._head().sources.get(spec.name)
        if spec.row_id is None and state is not None and state.ingested:
            raise Invalid(
                f"source {spec.name!r} was ingested; to push to it as well it needs row_id=, or rows would count twice."
            )

    def events(self, source: Rows | SourceSpec | str, *, as_of: int | datetime | None = None) -> EventTable:
        """The rows of a source as the store holds them now, pushed ones included, or as its tables stood."""
        from .pinned import opener

        return opener(self.root, as_of)(self._spec(source))

    def log(self, source: str) -> Log:
        """The log of what was pushed to a source."""
        return Log(self.root / "log" / source)

    def history(self) -> list[Commit]:
        """All commits, the first one first."""
        from .ledger import Ledger

        return Ledger(self.root / "commits").history()

    # -- training and serving -------------------------------------------------------------------------------------------
    def training_set(
        self,
        labels: Any,
        features: Any,
        *,
        at: str,
        known_at: str | datetime | None = None,
        as_of: int | datetime | None = None,
        request: Mapping[str, str] | None = None,
        full_names: bool = False,
        refresh: bool = False,
    ) -> TrainingSet:
        """The label rows with the features as of each row's time, from the store's tables as they are now, or stood `as_of`.

        `features` are views, features, a service, or names of them. `refresh=True` ingests their sources first.
        """
        from .pinned import opener, refreshable, resolved
        from .reading import reader_of
        from .training import sources_of

        chosen = resolved(self.registry, features, full_names=full_names)
        for spec in map(refreshable, sources_of(chosen)) if refresh else ():
            self.ingest(spec)
        opened = opener(self.root, as_of)
        return over_spine(
            reader_of(labels, "labels"), chosen, at=at, open_source=opened, known_at=known_at, request=request
        )

    def snapshot(self, service: FeatureService | str, *, shards: int = 1) -> Published:
        """Publish the online state of a registered service; pushes are drained first, later ones fold on."""
        from .ingest import Ingest
        from .pinned import opener
        from .snapshot import build
        from .training import sources_of

        chosen: FeatureService = self._registered(service).made()
        with Progress(f"snapshot {chosen.name}") as progress:
            sources = sources_of(chosen.features)
            for spec in sources:
                progress.step(f"draining {spec.name}")
                Ingest(self.root, spec).run(progress, read=False, make=spec.reader is None)
            commit = self._head()
            opened = opener(self.root, commit.version or None)
            tables = {spec.name: opened(spec) for spec in sources}
            return build(self.root / "snapshots", chosen, commit, tables, shards, progress)

    def manifest(self, service: str) -> Manifest:
        """What was last published of a service."""
        return read_manifest(self.root / "snapshots", service)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without writers: their open files are others, or none, in the process that this comes to.
        return type(self), (self.root,)

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    # -- inside ---------------------------------------------------------------------------------------------------------
    def _make(self) -> None:
        if not (self.root / "store.json").exists():
            publish(self.root / "store.json", json.dumps({"format": FORMAT, "hash": HASH_VERSION}).encode())

    def _head(self) -> Commit:
        from .ledger import Ledger

        return Ledger(self.root / "commits").head()

    def _spec(self, source: Rows | SourceSpec | str) -> SourceSpec:
        spec = self.source(source) if isinstance(source, str) else source.spec if isinstance(source, Rows) else source
        if not isinstance(spec, SourceSpec):
            raise Invalid(f"{source!r} is no source. Give the nt.Source, or its name once it is applied.")
        check_columns(spec)
        return spec

    def _ingested(self, spec: SourceSpec, *, read: bool) -> Ingested:
        from .ingest import Ingest

        with Progress(f"ingest {spec.name}") as progress:
            if read:
                spec.open()
                self._make()
            return Ingest(self.root, spec).run(progress, read=read)

    def _append(self, spec: SourceSpec, rows: Any, key: str, now: int) -> int:
        writer = self._writers.get(spec.name)
        if writer is None:
            writer = self._writers[spec.name] = self.log(spec.name).writer()
        else:
            writer.resume(_PATIENCE_S)
        try:
            return writer.append(rows, key=key, arrival=now).last
        finally:
            writer.pause()

    def _registered(self, service: FeatureService | str) -> Entry:
        """The registered definition of a service; of the same version, if the service itself is given."""
        found = self.registry.find("service", service if isinstance(service, str) else service.name)
        if not isinstance(service, str) and found.version != service.version:
            raise NotFound(
                f"service {service.name!r} is registered as version {found.version[:12]}; this one is {service.version[:12]}. "
                "Call store.apply(...) first."
            )
        return found


def _root(path: str | PathLike[str]) -> Path:
    place = fspath(path)
    if "://" in place:
        raise Invalid(
            f"connect({place.partition('://')[0]}://...): a store is a folder of this machine so far. Give a path."
        )
    root = Path(place).absolute()
    if root.exists() and not root.is_dir():
        raise Invalid(f"{place!r} is a file; a store is a folder.")
    if not root.parent.is_dir():
        raise MissingFile(f"store {place!r} cannot be made: there is no folder {str(root.parent)!r}. Make it first.")
    _check_format(root)
    return root


def _check_format(root: Path) -> None:
    marker = root / "store.json"
    if not marker.is_file():
        if root.is_dir() and any(not one.name.startswith(".") for one in root.iterdir()) and not marker.is_file():
            raise Invalid(
                f"{str(root)!r} is no store: it has other files and no store.json. Give an empty or new folder."
            )
        return
    found = json.loads(marker.read_bytes())
    if found != {"format": FORMAT, "hash": HASH_VERSION}:
        raise Invalid(
            f"store {str(root)!r} has format {found}; this NowThen reads format {FORMAT} with hash {HASH_VERSION}."
        )
