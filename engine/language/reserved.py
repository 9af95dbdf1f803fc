"""Column names that NowThen keeps for itself: it finds its own columns by name, so no column that is given may have one of them."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Invalid

RUN = frozenset(
    {"__arrival", "__sequence", "__until", "__row", "__code"}
)  # beside rows and questions, while features are computed
STORE = frozenset(
    {
        "__at", "__content", "__known", "__nth", "__salt", "__seen", "__shard", "__stored", "__theirs", "__there", "__time",
    }
)  # fmt: skip


def refuse_reserved(
    columns: Iterable[str], whose: str, *, among: frozenset[str] = RUN | STORE, reader: object = None
) -> None:
    """Refuse columns of NowThen's own names, but for those that a reader says it writes itself (`reserved`).

    >>> refuse_reserved(["amount", "__row"], "the spine")
    Traceback (most recent call last):
    nowthen.engine.errors.Invalid: the spine: NowThen keeps the name '__row' for a column of its own. Rename the column.
    """
    taken = sorted(among & set(columns) - set(getattr(reader, "reserved", ())))
    if taken:
        raise Invalid(f"{whose}: NowThen keeps the name {taken[0]!r} for a column of its own. Rename the column.")
