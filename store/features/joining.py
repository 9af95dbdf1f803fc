"""Which chunks become one: neighbours in time that have the same columns, all of them good.

A late row makes whole chunks stale, from its time on. So a chunk takes older ones in only as long as it has no more rows than all younger ones
together, or few: what is computed again for late rows is at most twice what it would have been. The lengths double, so few are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .chunks import Chunk, Column, Grid, States

_FEW = 65_536  # rows that are computed again in a second or so


def groups(chunks: Iterable[Chunk], states: States, most: int) -> list[list[Chunk]]:
    """The chunks in groups that can become one, each by time; none of those that have more than one gets more rows than `most`."""
    grids: dict[Grid, list[Chunk]] = {}
    for chunk in sorted(chunks, key=lambda chunk: (chunk.start, chunk.first), reverse=True):
        grids.setdefault(chunk.grid, []).append(chunk)
    return [group for youngest_first in grids.values() for group in _of_grid(youngest_first, states, most)]


def _of_grid(youngest_first: Sequence[Chunk], states: States, most: int) -> list[list[Chunk]]:
    found: list[list[Chunk]] = []
    younger = rows = 0  # in all groups that are done, and in the last one
    for chunk in youngest_first:
        fits = found and rows + chunk.rows <= min(most, max(younger, _FEW))
        if fits and _alike(chunk, found[-1][0]) and good(chunk, states) and good(found[-1][0], states):
            found[-1].insert(0, chunk)
            rows += chunk.rows
        else:
            found.append([chunk])
            younger, rows = younger + rows, chunk.rows
    return found


def good(chunk: Chunk, states: States) -> bool:
    """Whether nothing of a chunk is stale."""
    keys = chunk.keys.fresh(states, chunk.last, events=chunk.grid.events is not None)
    return keys and all(column.fresh(states, chunk.last) for column in chunk.columns.values())


def joined(group: Sequence[Chunk], files: Mapping[str, str], states: States, entry: int) -> Chunk:
    """The chunk that a group becomes, whose files are said by hash, that of the keys as "". What is good is as if computed as of the entry."""
    youngest = group[-1]
    columns = {
        version: _column([chunk.columns[version] for chunk in group], files.get(version, ""), states, entry)
        for version in youngest.columns
    }
    keys = _column([chunk.keys for chunk in group], files.get("", ""), states, entry)
    rows, last = sum(chunk.rows for chunk in group), max(chunk.last for chunk in group)
    return Chunk(youngest.view, youngest.grid, group[0].start, youngest.end, last, rows, keys, columns)


def _column(held: Sequence[Column], file: str, states: States, entry: int) -> Column:
    known = {
        name: states[name].turn if name in states else min(one.turns[name] for one in held) for name in held[-1].turns
    }
    return Column(held[-1].feature, file, entry, known)


def _alike(older: Chunk, younger: Chunk) -> bool:
    """Whether a chunk can go on as another: of the same columns, computed from the same sources."""
    return (
        older.grid.spine is None
        and older.end == younger.start
        and older.view == younger.view
        and _sources(older) == _sources(younger)
        and (older.grid.follows or _a_step(older) == _a_step(younger))
    )


def _sources(chunk: Chunk) -> dict[str, set[str]]:
    """By hash, "" of the keys, the sources that it was computed from."""
    return {"": set(chunk.keys.turns), **{version: set(column.turns) for version, column in chunk.columns.items()}}


def _a_step(chunk: Chunk) -> int:
    """The rows of each time: fewer where keys that were given were forgotten, and who misses them fills a chunk anew as a whole."""
    return chunk.rows * chunk.grid.every // (chunk.end - chunk.start)
