"""A backfill into the store's own feature tables: what is there already is not computed again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..engine.errors import Invalid
from ..store.features.backfill import Backfilled
from .backfill import Asked, How, joined, target_of
from .backfill_run import stoppable
from .out_file import check_lasting
from .settings import settings, store_path
from .store_here import store_of

_SHOWN = 20  # holes


def filled(
    asked: Asked,
    how: How,
    store: str | None,
    definitions: str | None,
    *,
    dry_run: bool,
    read_sources: bool,
    note: Callable[[str], None],
) -> Backfilled:
    """Fill the holes, or say which they are. After Ctrl-C or SIGTERM the same call resumes where it was."""
    how.check()
    _check(asked, how, read_sources=read_sources)
    given = settings(store, definitions)
    _check_place(store_path(given))
    place = store_of(given)
    target, engine = target_of(asked.target, given), how.engine if dry_run else joined(how)
    with stoppable():
        found = place.backfill(
            target, asked.start, asked.end, asked.every, spine=asked.spine, at=asked.at, keys=asked.keys,
            dry_run=dry_run, engine=engine, memory=how.memory, workers=how.workers, deadline=how.deadline,
        )  # fmt: skip
    if found.holes and not dry_run:
        note(
            f"The values are in the store: store.scan(...) or nowthen scan show them, from version {found.version} on."
        )
    return found


def _check_place(place: str) -> None:
    """Refuse an address that does not mean the same wherever a job runs."""
    if "://" not in place:
        check_lasting("--store", Path(place))


def told(found: Backfilled) -> str:
    """What was filled or would be; of a dry run every hole."""
    if not found.dry_run:
        return str(found)
    more = len(found.holes) - _SHOWN
    lines = [f"  {hole}" for hole in found.holes[:_SHOWN]]
    return "\n".join([str(found), *lines, *([f"  and {more:,} more"] if more > 0 else [])])


def _check(asked: Asked, how: How, *, read_sources: bool) -> None:
    """Refuse options that belong to a file."""
    given = {
        "--sources": read_sources, "--resume": how.resume, "--fresh": how.fresh, "--status": how.status,
        "--full-names": asked.full_names, "--known-at": asked.known_at,
    }  # fmt: skip
    wrong = [option for option, value in given.items() if value]
    if wrong:
        raise Invalid(
            f"{wrong[0]} is for files: pass --out FILE too. Without --out the values go into the store's own feature tables, each as it was "
            "known at its own time, and what is there is not computed again."
        )
