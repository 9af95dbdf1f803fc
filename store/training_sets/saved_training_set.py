"""Training sets kept for good: the values in a file of their own, and a note of all they were made from.

Nothing is computed to open one. The file's digest is in its name and is checked before a value is given out; what the store's tables have become
since does not matter. Only `forget` makes a new file, without the rows of those keys, and the note says so.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ...engine.errors import Conflict, Corrupt, NotFound, UnknownColumn, did_you_mean
from ...engine.language.definition import from_json, to_json
from ...engine.language.duration import Duration
from ...engine.language.nodes import Reference
from ...engine.language.service import FeatureService
from ...engine.running.run_options import check_rows
from ...engine.running.training_set import TrainingSet
from ..features.chunks import moment
from ..folders.names import checked_label
from ..ledger.entry import begun
from ..ports import Entry, Here, Moved, Work
from ..rows import sequence
from ..sources.training import sources_of
from .ways_out import WaysOut

if TYPE_CHECKING:
    from .part import Part
    from .training_diff import Difference

KIND = "training"
_PREFIX = "training/"
_DIGITS = 32  # of the sha256 of a file, in its name
_BLOCK = 1 << 20
_HELD = 1_000_000  # rows that are read at once, unless more are asked for
_SAME = ("sha256", "definition", "at", "known_at", "request")  # of two notes that say the same


@dataclass(frozen=True)
class Keeper:
    """Keeps training sets that were made from the store as of an entry; `base` is the newest one from when they were."""

    here: Here
    entry: Entry
    base: Entry
    service: str = ""  # whose features they are, if a service's

    @classmethod
    def at(cls, here: Here, entry: Entry, service: str = "") -> Keeper:
        """The keeper of what is made now."""
        return cls(here, entry, here.ledger.head(), service)

    def save(self, train: TrainingSet, name: str, **how: Any) -> SavedTrainingSet:
        """Collect it into a file of the store, and name it."""
        checked_label(name, "a training set")
        note = self._note(train, name)  # before what takes long: not all can be written down
        work = begun("save", f"save training set {name}", read=_read(train), wrote=[_PREFIX + name])
        with self.here.folder.draft(work.token) as draft:
            file = draft / "values.parquet"
            rows = train.sink_parquet(file, **how)
            schema = [[column, str(dtype)] for column, dtype in pl.read_parquet_schema(file).items()]
            path, facts = taken_in(self.here, file, work.token)
        saved = {"saved": sequence.now_us(), "file": path, "rows": rows, "schema": schema}
        return self._named(name, work, {**note, **facts, **saved})

    def _named(self, name: str, work: Work, note: dict[str, Any]) -> SavedTrainingSet:
        """What is saved under the name: this, or what is there already, if that says the same."""
        held = _held(self.here, name)
        if held is not None:
            self.here.ledger.vouch(self.here.ledger.seen())
            return _same(held, note)
        noted = self.here.notes.put(work.token, note)

        def change(head: Entry) -> Moved:
            if _PREFIX + name in head.names:
                raise Conflict(f"another writer saved training set {name!r} just now. Choose another name.")
            return Moved({_PREFIX + name: noted})

        try:
            self.here.ledger.commit(self.base, work, change)
        except Conflict:
            held = _held(self.here, name)
            if held is None:
                raise
            self.here.ledger.vouch(self.here.ledger.seen())
            return _same(held, note)
        return SavedTrainingSet(self.here, noted)

    def _note(self, train: TrainingSet, name: str) -> dict[str, Any]:
        features, spine = train.features, train.spine
        full = any(column != reference.name for column, reference in features.items())
        service = FeatureService(self.service or "features", list(features.values()), full_names=full)
        return {
            "kind": KIND,
            "name": name,
            "entry": self.entry.number,
            "upto": {spec.name: _position(train.open_source(spec)) for spec in sources_of(features)},
            "definition": to_json(service),
            "features": {column: _version(reference) for column, reference in features.items()},
            "spine": list(spine.schema),
            "at": spine.time,
            "known_at": spine.known,
            "request": dict(spine.request),
            "erased": [],
        }


@dataclass(frozen=True, repr=False)
class SavedTrainingSet(WaysOut):
    """A training set as it was saved. `collect()` gives the same rows, byte for byte, whatever became of the store since."""

    here: Here
    noted: str

    @property
    def note(self) -> Mapping[str, Any]:
        """All that is known of it; after a `forget` of what there is now."""
        return self.here.notes.get(self.noted)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.note["name"])

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.note["rows"])

    @property
    def digest(self) -> str:
        """The sha256 of its file."""
        return str(self.note["sha256"])

    @property
    def entry(self) -> int:
        """The version of the store it was made from."""
        return int(self.note["entry"])

    @property
    def erased(self) -> int:
        """How many of its rows were forgotten since it was saved."""
        return sum(one["rows"] for one in self.note["erased"])

    @property
    def service(self) -> FeatureService:
        """Its features as they were defined then."""
        made: FeatureService = from_json(self.note["definition"])
        return made

    @property
    def features(self) -> dict[str, Reference]:
        """Columns and their features, as they were defined then."""
        return dict(self.service.features)

    @property
    def spine(self) -> list[str]:
        """The columns of the rows that were asked about."""
        return list(self.note["spine"])

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of its columns."""
        return dict(pl.read_parquet_schema(self.path()))

    def path(self) -> Path:
        """Its Parquet file on this machine, whole as it was written: other programs may read it, none may change it."""
        note = self.note
        try:
            return checked(self.here, note)
        except NotFound:
            self.here.ledger.head()  # rows may have been forgotten since the note was looked at
            now = self.note
            if now["file"] == note["file"]:
                raise Corrupt(
                    f"{note['file']}, the values of training set {note['name']!r}, is missing. Restore it from a backup."
                ) from None
            return checked(self.here, now)

    def collect(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Its rows, or some columns of them."""
        known = [name for name, _ in self.note["schema"]] if columns is not None else []
        for column in columns or ():
            if column not in known:
                raise UnknownColumn(f"{self!r} has no column {column!r}. {did_you_mean(column, known)}")
        return pl.read_parquet(self.path(), columns=None if columns is None else list(columns))

    def batches(self, rows: int = _HELD) -> Iterator[pl.DataFrame]:
        """Its rows in frames of at most `rows` rows, in order, at least one; its file is not looked at before one is asked for."""
        check_rows(rows)
        return self._batches(rows)

    def _batches(self, rows: int) -> Iterator[pl.DataFrame]:
        path = self.path()
        count, step = max(pl.scan_parquet(path).select(pl.len()).collect().item(), 1), rows * max(_HELD // rows, 1)
        for first in range(0, count, step):
            held = pl.scan_parquet(path).slice(first, step).collect()
            yield from held.iter_slices(rows) if held.height else [held]

    def split(self, at: Sequence[str | datetime], *, gap: Duration = "0s") -> tuple[Part, ...]:
        """Its rows cut by time into half-open parts; rows less than `gap` before a cut are dropped. As `TrainingSet.split`.

        A part has the same ways out: `collect`, `to_torch` and the others.
        """
        from .part import parts

        return parts(self, at, gap)

    def again(self, *, as_of: Any = None) -> TrainingSet:
        """The same question, by the same definitions, to the store as it is now, or stood `as_of`; lazily, and it can be saved too."""
        from .asked_again import again

        return again(self, as_of)

    def diff(self, other: SavedTrainingSet) -> Difference:
        """What became of this one in another: rows, values by column, and definitions."""
        from .training_diff import difference

        return difference(self, other)

    def __repr__(self) -> str:
        note = self.note
        lost = f", {self.erased:,} rows of it forgotten since" if self.erased else ""
        return (
            f"<SavedTrainingSet {note['name']}: {note['rows']:,} rows, {len(note['features'])} features, from version "
            f"{note['entry']} of the store, saved {moment(note['saved'])}, sha256 {note['sha256'][:12]}{lost}>"
        )

    def _repr_html_(self) -> str:
        note = self.note
        lines = "".join(
            f"<tr><td>{html.escape(column)}</td><td>{html.escape(dtype)}</td><td>{html.escape(_origin(note, column))}</td></tr>"
            for column, dtype in note["schema"]
        )
        head = "<tr><th>column</th><th>type</th><th>from</th></tr>"
        return f"<table><caption>{html.escape(repr(self)[1:-1])}</caption>{head}{lines}</table>"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        note = self.note
        plain = ("name", "rows", "entry", "upto", "sha256", "bytes", "at", "known_at", "spine", "erased")
        return {**{part: note[part] for part in plain}, "saved": moment(note["saved"]), "features": note["features"]}


def opened(here: Here, name: str, as_of: Any = None) -> SavedTrainingSet:
    """The training set of that name; `NotFound` names the nearest."""
    entry = here.ledger.head() if as_of is None else here.ledger.as_of(as_of)
    key = f"{_PREFIX}{name}"
    if key not in entry.names:
        known = [one.removeprefix(_PREFIX) for one in entry.names if one.startswith(_PREFIX)]
        raise NotFound(f"no training set is named {name!r}. {did_you_mean(name, known)}")
    return SavedTrainingSet(here, entry.names[key])


def listed(here: Here) -> list[SavedTrainingSet]:
    """All saved training sets, by name."""
    names = sorted(here.ledger.head().names.items())
    return [SavedTrainingSet(here, noted) for name, noted in names if name.startswith(_PREFIX)]


def taken_in(here: Here, file: Path, token: str) -> tuple[str, dict[str, Any]]:
    """Bring a file of values to its place, durably: its path, and what its note says of it."""
    found = sha256(file)
    path = f"training/{token}-{found[:_DIGITS]}.parquet"
    size = file.stat().st_size
    here.folder.take_in({path: file})
    return path, {"sha256": found, "bytes": size}


def checked(here: Here, note: Mapping[str, Any]) -> Path:
    """The local file of a note, if it is as it was written. `Corrupt` names it; `NotFound` where it is not there."""
    path = here.folder.local(note["file"])
    if sha256(path) != note["sha256"]:
        raise Corrupt(
            f"{path} is damaged: it is not what was saved as training set {note['name']!r}. Restore it from a backup."
        )
    return path


def sha256(path: Path) -> str:
    """The digest of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _held(here: Here, name: str) -> SavedTrainingSet | None:
    noted = here.ledger.head().names.get(_PREFIX + name)
    return None if noted is None else SavedTrainingSet(here, noted)


def _same(held: SavedTrainingSet, note: Mapping[str, Any]) -> SavedTrainingSet:
    there = held.note
    if all(there[part] == note[part] for part in _SAME):
        return held
    raise Conflict(
        f"there is a training set {there['name']!r} already, of {there['rows']:,} rows, and what is saved does not change. "
        "Choose another name."
    )


def _version(reference: Reference) -> list[str]:
    return [reference.view.name, reference.name, reference.view.version(reference.name)]


def _origin(note: Mapping[str, Any], column: str) -> str:
    view, feature, version = note["features"].get(column, ("", "", ""))
    return f"{view}:{feature}@{version[:12]}" if view else "asked about"


def _position(reader: Any) -> int:
    """Up to where in the log of a source rows count."""
    return max(int(getattr(reader, "position", 0)), int(getattr(reader, "upto", 0)))


def _read(train: TrainingSet) -> Iterator[str]:
    return (f"source/{spec.name}" for spec in sources_of(train.features))


__all__ = ["Keeper", "SavedTrainingSet", "checked", "listed", "opened", "sha256", "taken_in"]
