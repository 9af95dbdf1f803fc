"""The care of a store, as its user meets it: history, tags, compaction, cleanup, scrub, backup, forgetting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..engine.errors import NotFound, did_you_mean
from ..engine.language.duration import Duration
from ..engine.language.entity import Entity
from ..engine.language.source import Rows, SourceSpec
from .listing import Listing
from .ports import Entry, Folder, Here

if TYPE_CHECKING:
    from .care.backup import Copied
    from .care.cleanup import Cleaned
    from .care.forget import Forgotten
    from .care.scrub import Scrubbed
    from .definitions.registry import Registry
    from .rows.ingest import Ingested
    from .tables.compaction import Compacted

Place = str | PathLike[str]


class Care:
    """What keeps a store whole and small."""

    here: Here
    registry: Registry
    drain: Callable[[SourceSpec], Ingested]

    # -- versions of the store ------------------------------------------------------------------------------------------
    def history(self) -> Listing[Entry]:
        """All versions of the store that there were, the first one first: what each did, and when."""
        return Listing(self.here.ledger.since(0))

    def committed(self, job: str, *, since: int = 0) -> Entry | None:
        """The version that a job made whose end was not seen (`CommitUnknown`), durably; None if it made none."""
        return self.here.ledger.committed(job, since=since)

    def tag(self, name: str, version: int | None = None) -> int:
        """Name a version of the store, now's if none is given, so that it is kept; the version."""
        from .ledger.tags import tagged

        return tagged(self.here, name, version)

    def untag(self, name: str) -> None:
        """Take a tag away; what only it kept is cleaned up later."""
        from .ledger.tags import untagged

        untagged(self.here, name)

    def tags(self) -> dict[str, int]:
        """The tags, and the versions they name."""
        from .ledger.tags import tags

        return tags(self.here)

    # -- upkeep ---------------------------------------------------------------------------------------------------------
    def compact(self, name: str | None = None) -> Listing[Compacted]:
        """Merge the files of a source, of what was backfilled of a view, or of all; rows and values stay as they are.

        Columns of former definitions of a view are left out, if neither a registered version, nor a training set, nor a version of the store that
        cleanup keeps needs them.
        """
        from .features import compaction as of_views
        from .rows import compaction as of_rows
        from .tables.compaction import compacted

        plans = {"source": (of_rows.planned, "ingest"), "view": (of_views.planned, "compact")}
        done = [
            compacted(self.here, f"{kind}/{one}", f"{plans[kind][1]}-{one}", partial(plans[kind][0], self.here, one))
            for kind, one in self._compactable(name)
        ]
        return Listing(done)

    def _compactable(self, name: str | None) -> list[tuple[str, str]]:
        """Kind and name of sources that have rows and views that have values, or of those of one name."""
        parts = (known.partition("/") for known in self.here.ledger.head().names)
        known = [(kind, one) for kind, _, one in parts if kind in ("source", "view")]
        found = known if name is None else [(kind, one) for kind, one in known if one == name]
        if name is not None and not found:
            raise NotFound(
                f"{name!r} has no rows in the tables of {self!r}. {did_you_mean(name, [one for _, one in known])}"
            )
        return found

    def cleanup(self, *, keep: Duration = "30d", versions: int = 100, dry_run: bool = False) -> Cleaned:
        """Remove what only versions need that are older than `keep` and not among the newest; tagged ones stay, and training sets."""
        from ..engine.language.duration import not_negative
        from .care.cleanup import cleaned

        return cleaned(self.here, not_negative(keep, "keep"), versions, dry_run=dry_run)

    def scrub(
        self, *, repair: bool = False, backup: Place | None = None, sources: Sequence[Rows | SourceSpec] = ()
    ) -> Scrubbed:
        """Read every byte and compare it with its digest; damaged files are named, and repaired where that can be done.

        A file comes back from a backup, and one of rows also from its source, where that is given and still has the same rows.
        """
        from .care.scrub import scrubbed

        given = [one.spec if isinstance(one, Rows) else one for one in sources]
        folder = None if backup is None else _folder(backup)
        return scrubbed(self.here, repair=repair, backup=folder, sources=given)

    def backup(self, to: Place, *, storage: Mapping[str, str] | None = None) -> Copied:
        """Copy what another folder or object store does not have yet; it is a store then, too."""
        from .care.backup import backed_up

        return backed_up(self.here, _folder(to, storage))

    def forget(self, entity: Entity, keys: Any) -> Forgotten:
        """Erase all rows of some keys from every kept version, the logs, training sets and snapshots, and say what was done.

        `keys` is a frame, a mapping such as {"customer_id": [1, 2]}, or a list where the entity has one key column.
        """
        from .care.forget import forgotten

        return forgotten(self.here, entity, keys, lambda: self._settle(entity))

    def _settle(self, entity: Entity) -> None:
        """Bring pushed rows of an entity into the tables, and publish again what is published."""
        from .snapshots.manifest import published as names
        from .snapshots.manifest import read_manifest
        from .snapshots.snapshot import published

        for (kind, _), one in self.registry.current().items():
            if kind == "source" and any(
                about["name"] == entity.name for about in one.body["sources"][one.name]["entities"]
            ):
                self.drain(one.made())
        for name in names(self.here.folder):
            manifest = read_manifest(self.here.folder, name)
            published(self.here, manifest.made(), manifest.shards)


def restore(
    backup: Place,
    to: Place,
    *,
    storage: Mapping[str, str] | None = None,
    backup_storage: Mapping[str, str] | None = None,
) -> Copied:
    """Copy a backup back to where no store is, and make sure that it is whole: every byte is read once more.

    `Corrupt` names the first files that are damaged or missing. What was copied is not a store then.
    """
    from .care.backup import restored
    from .folders.place import checked_place
    from .here import here

    return restored(_folder(backup, backup_storage), here(checked_place(to), storage))


def _folder(place: Place, storage: Mapping[str, str] | None = None) -> Folder:
    from .folders.folder import open_folder
    from .folders.place import checked_place

    return open_folder(checked_place(place), storage)
