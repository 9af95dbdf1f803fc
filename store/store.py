"""The store: definitions, rows, features, training sets and snapshots of one folder. Every method hands on to the file that has the idea."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from ..engine.errors import CommitUnknown, Conflict, Invalid, NotFound, WrongType
from ..engine.language.nodes import load
from ..engine.language.service import FeatureService
from ..engine.language.source import Rows, SourceSpec
from ..engine.language.view import ViewSpec, ViewType
from ..engine.running.training_set import TrainingSet
from ..engine.running.training_set import training_set as over_spine
from ..engine.showing.progress import Progress
from .definitions.registry import Registry
from .folders.place import checked_place
from .here import here, opened
from .listing import Listing
from .ports import Folder, Here
from .rows import sequence
from .rows.erased_keys import check_erased
from .rows.layout import check_alike, check_columns, check_pushes
from .rows.log import Log, Writer
from .rows.pushed import checked
from .rows.source_note import state_of
from .snapshots.manifest import Manifest, read_manifest
from .store_care import Care
from .store_definitions import Definitions
from .store_features import Features

if TYPE_CHECKING:
    from polars import DataType

    from .definitions.definition_note import Definition
    from .rows.event_table import EventTable
    from .rows.ingest import Ingested
    from .snapshots.snapshot import Published
    from .training_sets.saved_training_set import SavedTrainingSet

_PATIENCE_S = 5.0  # how long a push waits for another process that pushes to the same source
_TRIES = 5


@dataclass(frozen=True)
class _Pushing:
    """The writers that a process opened. A forked one opens its own: what it inherits shares the locks of files with its parent."""

    process: int
    lock: Lock = field(default_factory=Lock)
    writers: dict[str, Writer] = field(default_factory=dict)


class Store(Definitions, Features, Care):
    """Definitions, rows, features, training sets and snapshots in one folder. Make one with `nt.connect`."""

    def __init__(self, place: Here) -> None:
        self.here, self.registry = place, Registry(place)
        self._pushing = _Pushing(os.getpid())
        self._fitting: dict[str, Mapping[str, DataType]] = {}  # columns known to fit those of a log

    @classmethod
    def at(
        cls,
        place: str | PathLike[str],
        *,
        storage: Mapping[str, str] | None = None,
        log: str | PathLike[str] | None = None,
    ) -> Self:
        """The store in a folder or at the address of an object store; it is made when something is first written to it.

        `storage` holds options and secrets of an object store, else the environment is asked; it goes into no repr, log or pickle. `log` is
        the local folder where pushed rows of a store that is not local are kept.
        """
        logs = None if log is None else Path(log).absolute()
        return cls(here(checked_place(place), storage, logs))

    @property
    def root(self) -> Path:
        """The store's folder, where it is local."""
        if "://" in self.here.folder.url:
            raise Invalid(f"{self!r} is not in a local folder.")
        return Path(self.here.folder.url)

    # -- rows -----------------------------------------------------------------------------------------------------------
    def ingest(self, source: Rows | SourceSpec, *, memory: int | str | None = None) -> Ingested:
        """Take what is new in a source, and what was pushed to it, into the store's tables; safe to repeat.

        `memory` is about what may be in use at once, such as "4GiB"; else most of the machine.
        """
        return self._ingested(self._spec(source), read=True, memory=memory)

    def drain(self, source: Rows | SourceSpec | str) -> Ingested:
        """Take what was pushed to a source into the store's tables; safe to repeat."""
        return self._ingested(self._spec(source), read=False, memory=None)

    def replace(self, source: Rows | SourceSpec | str, rows: Any, start: datetime, end: datetime) -> Ingested:
        """Put rows in the place of all that a source has with event times in [start, end)."""
        from .rows.replace import replaced

        return replaced(self.here, self._spec(source), rows, start, end)

    def push(self, source: Rows | SourceSpec | str, rows: Any, *, key: str = "") -> int:
        """Append rows to a source durably and return their position; nothing is written unless every row is right.

        A push that is repeated with its key counts once. While a server runs on this store it alone writes: push through it.
        """
        spec = self._spec(source)
        self.check_pushable(spec)
        now = sequence.now_us()
        return self._append(spec, checked(spec, rows, now), key, now)

    def check_pushable(self, source: Rows | SourceSpec | str) -> None:
        """Refuse a source that takes no pushes: `Invalid` where it was ingested and has no row_id, as rows would count twice; `Conflict`
        where its tables, or before there are any the rows pushed last, are laid out otherwise.

        Nothing is written, and rows are not looked at. Costs reading the newest entry, and once the newest segment of a log without tables.
        """
        if self.here.logs is None:
            raise Invalid(
                f"{self!r} takes no pushes: it has no place for their log. Use nt.connect(.., log='a local folder')."
            )
        spec = self._spec(source)
        state = state_of(self.here.ledger.head(), self.here.notes, spec.name)
        if spec.row_id is None and state is not None and state.ingested:
            raise Invalid(
                f"source {spec.name!r} was ingested; to push to it as well it needs row_id=, or rows would count twice."
            )
        if state is not None:
            check_pushes(spec, state)
        elif self._fitting.get(spec.name) != spec.schema:
            check_alike(spec, self.log(spec.name).schema() or spec.schema)
            self._fitting[spec.name] = spec.schema

    def events(self, source: Rows | SourceSpec | str, *, as_of: int | datetime | str | None = None) -> EventTable:
        """The rows of a source as the store holds them now, pushed ones included, or as its tables stood."""
        from .rows.pinned import opener

        return opener(self.here, as_of)(self._spec(source))

    def log(self, source: str) -> Log:
        """The log of what was pushed to a source."""
        # Without a place for logs there is none: an address is no local folder, and `check_pushable` refuses to make it one.
        return Log((self.here.logs or Path(self.here.folder.url)) / source)

    # -- training and serving -------------------------------------------------------------------------------------------
    def training_set(
        self,
        labels: Any,
        features: Any,
        *,
        at: str,
        known_at: str | datetime | None = None,
        as_of: int | datetime | str | None = None,
        request: Mapping[str, str] | None = None,
        full_names: bool = False,
        refresh: bool = False,
    ) -> TrainingSet:
        """The label rows with the features as of each row's time, from the store's tables as they are now, or stood `as_of`.

        `features` are views, features, a service, or names of them, which mean what they meant `as_of`. `refresh=True` ingests their
        sources first. `save(name)` keeps it.
        """
        from .rows.pinned import opener, refreshable, resolved
        from .sources.reading import reader_of
        from .sources.training import check_given, sources_of
        from .training_sets.saved_training_set import Keeper

        check_given(at, request)
        if as_of is not None and refresh:
            raise Invalid("refresh=True takes in what is new; as_of= asks for what was there. Pass one of them.")
        if as_of is not None:
            as_of = self.here.ledger.as_of(as_of).number
        names = self.registry if as_of is None else self.registry.at(self.here.ledger.entry(as_of))
        chosen = resolved(names, features, full_names=full_names)
        for spec in map(refreshable, sources_of(chosen)) if refresh else ():
            self.ingest(spec)
        pinned = opener(self.here, as_of)
        entry = self.here.ledger.seen() if as_of is None else self.here.ledger.entry(as_of)  # the head that was pinned
        return over_spine(
            reader_of(labels, "labels"), chosen, at=at, open_source=pinned, known_at=known_at,
            request=request, keeper=Keeper.at(self.here, entry, _named(features)),
        )  # fmt: skip

    def open_training_set(self, name: str, *, as_of: int | datetime | str | None = None) -> SavedTrainingSet:
        """A training set that was saved; byte for byte the same whatever happened since."""
        from .training_sets.saved_training_set import opened

        return opened(self.here, name, as_of)

    def training_sets(self) -> Listing[SavedTrainingSet]:
        """All training sets that were saved, by name."""
        from .training_sets.saved_training_set import listed

        return Listing(listed(self.here))

    def trained(self, model: str, *, on: str, about: str = "") -> None:
        """Record that a model was made from a saved training set, so that its lineage is known."""
        from .definitions.models import recorded

        recorded(self.here, model, on, about)

    def snapshot(self, service: FeatureService | str, *, shards: int = 1) -> Published:
        """Publish the online state of a registered service; pushes are drained first, later ones are applied on top."""
        from .snapshots.snapshot import published

        chosen = self._registered(service)
        load(chosen.made().features.values())
        for _ in range(_TRIES):
            try:
                return published(self.here, chosen.made(), shards)
            except Conflict as error:
                beaten = error
        raise beaten

    def manifest(self, service: str) -> Manifest:
        """What was last published of a service."""
        return read_manifest(self.here.folder, service)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without writers: their open files are others, or none, in the process that this comes to; and the folder goes without secrets.
        return _again, (type(self), self.here.folder, self.here.logs)

    def __repr__(self) -> str:
        return f"Store({self.here.folder.url!r})"

    # -- inside ---------------------------------------------------------------------------------------------------------
    def _spec(self, source: Rows | SourceSpec | str) -> SourceSpec:
        spec = self.source(source) if isinstance(source, str) else source.spec if isinstance(source, Rows) else source
        if not isinstance(spec, SourceSpec):
            raise Invalid(f"{source!r} is not a source. Pass the nt.Source, or its name once it is applied.")
        check_columns(spec)
        return spec

    def _ingested(self, spec: SourceSpec, *, read: bool, memory: int | str | None) -> Ingested:
        from .rows.ingest import Ingest

        if read:
            spec.open()
        with Progress(f"ingest {spec.name}") as progress:
            return Ingest(self.here, spec, memory=memory).run(progress, read=read)

    def _append(self, spec: SourceSpec, rows: Any, key: str, now: int) -> int:
        pushing = self._pushing
        if pushing.process != os.getpid():
            pushing = self._pushing = _Pushing(os.getpid())
        with pushing.lock:  # the lock of a file does not keep threads of one process apart
            writer = pushing.writers.get(spec.name)
            if writer is None:
                writer = pushing.writers[spec.name] = self.log(spec.name).writer(_PATIENCE_S)
            else:
                writer.resume(_PATIENCE_S)
            try:
                check_erased(self.here, spec.name, rows)
                return writer.append(rows, key=key, arrival=now).last
            except CommitUnknown:
                del pushing.writers[spec.name]  # it is closed: what it knows of the log may not be so
                raise
            finally:
                writer.pause()

    def _registered(self, service: FeatureService | str) -> Definition:
        """The registered definition of a service; of the same version, if the service itself is given."""
        if not isinstance(service, FeatureService | str):
            kind = "a view" if isinstance(service, ViewType | ViewSpec) else type(service).__name__
            raise WrongType(
                f"snapshot takes a service or its name, not {kind}. Put views into one: nt.FeatureService('name', [View])."
            )
        found = self.registry.find("service", service if isinstance(service, str) else service.name)
        if not isinstance(service, str) and found.version != service.version:
            raise NotFound(
                f"service {service.name!r} is registered as version {found.version[:12]}; this one is {service.version[:12]}. "
                "Call store.apply(...) first."
            )
        return found


def _again(kind: type[Store], folder: Folder, logs: Path | None) -> Store:
    return kind(opened(folder, logs))


def _named(features: Any) -> str:
    """The name of the service that features are of, if they are of one."""
    name = features.name if isinstance(features, FeatureService) else features
    return name.partition("@")[0] if isinstance(name, str) and ":" not in name else ""
