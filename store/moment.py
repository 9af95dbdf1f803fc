"""Microseconds UTC as a datetime: the way back from `engine/language/instant.py`, exact, as a float of seconds would not be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(at_us: int) -> datetime:
    """The moment so many microseconds after 1970. `OverflowError` beyond the years 1 to 9999.

    >>> moment_of(1_000_001).isoformat()
    '1970-01-01T00:00:01.000001+00:00'
    """
    return _EPOCH + timedelta(microseconds=at_us)
