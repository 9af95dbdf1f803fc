"""Files of a table without some of their rows: what is left of them stays sorted. Files that have none of these rows stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from ...engine.folds.column import Mask
from ...engine.record import record
from ..ports import Here, Stretch
from ..rows.compaction import frames, path_of
from ..rows.placed import WRITERS, batches, stem, where
from ..rows.source_note import SourceState, place_of


@record
class Thinned:
    """By its path each file that had some of the rows, what is left of it (None: nothing), and the columns looked at of those rows."""

    left: Mapping[str, Stretch | None]
    gone: pl.DataFrame

    def of(self, stretches: Sequence[Stretch]) -> list[Stretch]:
        """The files of a table, with what is left in the place of those that had some of the rows."""
        now = [self.left.get(path_of(one), one) for one in stretches]
        return [one for one in now if one is not None]


def thinned(
    here: Here, state: SourceState, table: str, stretches: Sequence[Stretch], columns: Sequence[str],
    chosen: Callable[[pl.DataFrame], Mask], draft: Path, token: str,
) -> Thinned:  # fmt: skip
    """Some files of a table without the rows that are chosen by some of their columns; new files are in the draft."""
    known, folder = state.tables[table], place_of(state.name, table)
    schema = here.tables.opened(folder, known.version)[0]

    def write(stretch: Stretch) -> tuple[Stretch | None, pl.DataFrame] | None:
        looked = pl.concat(frames(here.tables.batches(folder, known.version, columns, [stretch])))
        out = chosen(looked)
        if not out.any():
            return None
        gone = looked.filter(pl.Series(out))
        if gone.height == looked.height:
            return None, gone
        rows = pl.concat(frames(here.tables.batches(folder, known.version, schema.names, [stretch])))
        left = batches(rows.filter(~pl.Series(out)), schema)
        part = here.tables.write(folder, stem(*where(path_of(stretch))), left, schema, draft, token)
        return Stretch((part,), part.rows), gone

    with ThreadPoolExecutor(WRITERS) as pool:
        found = list(pool.map(write, stretches))
    done = {path_of(old): new for old, new in zip(stretches, found, strict=True) if new is not None}
    gone = [rows for _, rows in done.values()]
    return Thinned({path: left for path, (left, _) in done.items()}, pl.concat(gone) if gone else pl.DataFrame())
