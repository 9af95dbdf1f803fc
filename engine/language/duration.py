"""Durations as Polars writes them, in microseconds."""

from __future__ import annotations

import re
from datetime import timedelta

from ..errors import Invalid

_UNIT_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_LONGEST_US = 10_000 * 366 * _UNIT_US["d"]
_PART = re.compile(r"(\d+)(us|ms|mo|s|m|h|d|w|q|y)")

Duration = str | timedelta


def microseconds(duration: Duration) -> int:
    """The length of a duration in microseconds.

    A day is 24 hours. Calendar units (mo, q, y) have no fixed length and are refused.

    >>> microseconds("1d12h")
    129600000000
    """
    if isinstance(duration, timedelta):
        return _bounded(duration // timedelta(microseconds=1), duration)
    if not isinstance(duration, str) or not duration or _PART.sub("", duration):
        raise Invalid(f"{duration!r} is not a duration. Write it as Polars does: '30m', '1h', '7d', '2w', '1d12h'.")
    parts = _PART.findall(duration)
    for _, unit in parts:
        if unit not in _UNIT_US:
            raise Invalid(f"duration {duration!r}: a {unit!r} has no fixed length. Give days, as in '30d'.")
    return _bounded(sum(int(count) * _UNIT_US[unit] for count, unit in parts), duration)


def _bounded(length: int, duration: Duration) -> int:
    """The length, if times can be shifted by it without leaving int64."""
    if abs(length) > _LONGEST_US:
        raise Invalid(f"duration {duration!r} is longer than 10,000 years. For all of the past say 'forever'.")
    return length


def positive(duration: Duration, what: str) -> int:
    """The length in microseconds of a duration that must be above zero."""
    length = microseconds(duration)
    if length <= 0:
        raise Invalid(f"{what} is {duration!r}; it must be longer than zero.")
    return length


def not_negative(duration: Duration, what: str) -> int:
    """The length in microseconds of a duration that may be zero."""
    length = microseconds(duration)
    if length < 0:
        raise Invalid(f"{what} is {duration!r}; it cannot be negative.")
    return length


def written(length_us: int) -> str:
    """The shortest writing of a length in microseconds.

    >>> written(129600000000)
    '1d12h'
    """
    parts, rest = [], length_us
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, rest = divmod(rest, _UNIT_US[unit])
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"
