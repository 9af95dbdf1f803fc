"""What the tools' own documentation says where they do not follow the law of time, so that a difference is not taken for a mistake."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What is documented, and where; `meant` where the documentation describes what was seen, false where it says otherwise."""

    text: str
    link: str
    meant: bool = True


_PANDAS_MERGE = Words(
    'pandas on merging: "If both key columns contain rows where the key is a null value, those rows will be matched against each other."',
    "https://pandas.pydata.org/docs/reference/api/pandas.merge.html",
)
_PANDAS_NAN = Words(
    "pandas writes a missing float as NaN, and its window functions skip it.",
    "https://pandas.pydata.org/docs/user_guide/missing_data.html",
)
_FEAST_TTL = Words(
    'Feast: "Feast will scan backward in time from the entity dataframe timestamp up to a maximum of the TTL time"; rows that '
    "find nothing are in the table shown.",
    "https://docs.feast.dev/getting-started/concepts/point-in-time-joins",
    meant=False,
)
_FEAST_ONLINE = Words(
    'Feast: "only the latest feature values are stored" for each entity key. With SQLite that is what was written last; its Redis store, '
    "which was not run here, compares times and leaves out an older row.",
    "https://docs.feast.dev/getting-started/components/online-store",
)
_FEAST_ONLINE_TTL = Words(
    "Feast's ttl bounds how far historical retrieval looks back; that it does not expire what is served is under discussion.",
    "https://github.com/feast-dev/feast/issues/4133",
)
_FEAST_RAY_WINDOW = Words(
    "Feast: large tables are joined in time windows (window_size_for_joins, an hour by default).",
    "https://docs.feast.dev/reference/offline-stores/ray",
)
# By tool, or the family that its name begins with, and the name of the case.
DOCUMENTED: dict[tuple[str, str], Words] = {
    ("pandas", "a null key joins no null key"): _PANDAS_MERGE,
    ("pandas", "a null in one of several keys makes the key unknown"): _PANDAS_MERGE,
    ("pandas", "a NaN spreads to its windows and leaves with its row"): _PANDAS_NAN,
    ("feast-dask", "the latest NaN stays NaN"): _PANDAS_NAN,
    ("feast-ray", "the latest NaN stays NaN"): _PANDAS_NAN,
    ("feast-dask", "a value older than ttl is null and its row is kept"): _FEAST_TTL,
    ("feast-dask", "a key with nothing but future events has no value"): _FEAST_TTL,
    ("feast-ray", "a value older than ttl is null and its row is kept"): _FEAST_TTL,
    ("feast", "online an older event pushed later replaces nothing"): _FEAST_ONLINE,
    ("feast", "online a value older than ttl is null"): _FEAST_ONLINE_TTL,
    ("feast-ray-distributed", "an event before a full hour is found after it"): _FEAST_RAY_WINDOW,
    ("feast-ray-distributed", "an event of another day is found"): _FEAST_RAY_WINDOW,
    ("feast-ray-distributed", "an event of the far past is found"): _FEAST_RAY_WINDOW,
}


def words(tool: str, case: str) -> Words | None:
    """What is documented of a case for a tool, or for the family that its name begins with."""
    return DOCUMENTED.get((tool, case)) or DOCUMENTED.get((tool.partition("-")[0], case))
