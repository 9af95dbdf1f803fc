"""The backfilled values of a store, as its user meets them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from ..engine.language.duration import Duration
from .ports import Here
from .sources.grid import Moment

if TYPE_CHECKING:
    from .definitions.registry import Registry
    from .features.backfill import Backfilled
    from .features.chunks import Hole


class Features:
    """What fills feature tables, and says what is missing in them."""

    here: Here
    registry: Registry

    def backfill(
        self,
        features: Any,
        start: Moment | None = None,
        end: Moment | None = None,
        every: Duration = "1d",
        *,
        spine: Any = None,
        at: str | None = None,
        keys: Any = None,
        dry_run: bool = False,
        engine: str = "auto",
        memory: str | int | None = None,
        workers: int | None = None,
        deadline: Duration | None = None,
    ) -> Backfilled:
        """Fill the feature tables of views at start, start + every, ... before `end`; what is there already is not computed again.

        `features` are views, features, a service, or names of them. The keys are those that the sources' rows have up to then, or `keys`.
        Instead of a grid: `spine`, any frame or path, with `at`, its column of times; or a source, whose events are then asked about.
        What was pushed is taken in first. A backfill that was stopped goes on where it was. `dry_run=True` says what there is to do, and
        about what it takes. The rest is as in `collect`.
        """
        from .features.backfill import How, Wanted, backfilled
        from .rows.pinned import resolved

        chosen = resolved(self.registry, features, full_names=True)
        wanted = Wanted(start, end, every, keys, self._spine(spine), at)
        return backfilled(self.here, chosen, wanted, How(engine, memory, workers, deadline), dry_run=dry_run)

    def holes(
        self,
        features: Any,
        start: Moment | None = None,
        end: Moment | None = None,
        every: Duration = "1d",
        *,
        spine: Any = None,
        at: str | None = None,
        keys: Any = None,
    ) -> list[Hole]:
        """What a backfill would fill, by the tables as they are: what was never filled, what changed, and what rows came late for."""
        from .features.backfill import Wanted, holes
        from .rows.pinned import resolved

        chosen = resolved(self.registry, features, full_names=True)
        return holes(self.here, chosen, Wanted(start, end, every, keys, self._spine(spine), at))

    def scan(
        self,
        name: Any,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: int | datetime | str | None = None,
        every: str | None = None,
        holes: str = "raise",
        known_at: datetime | None = None,
    ) -> pl.LazyFrame:
        """What was backfilled of a view (or of one `view:feature`) at times in [start, end), or the rows of a source, lazily.

        Where a view was backfilled on several grids `every` says which. A stretch with holes is refused, unless `holes="null"`: nulls
        where rows lack values, without the rows that were never filled. `as_of` is
        the store as it stood; `known_at`, of a source, what its rows say was known then.
        """
        from .features.scan import scanned

        return scanned(self.here, name, start, end, as_of, every=every, holes=holes, known_at=known_at)

    def _spine(self, spine: Any) -> Any:
        """The spine; of a source's name the source."""
        named = isinstance(spine, str) and "source/" + spine in self.here.ledger.head().names
        return self.registry.find("source", spine).made() if named else spine
