"""Numbers as people read them: three digits that matter, and a unit."""

from __future__ import annotations

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


def size(count: int) -> str:
    """Bytes.

    >>> [size(n) for n in (0, 999, 12_345, 1_999_000, 123_456_789_000)]
    ['0 B', '999 B', '12.3 kB', '2.00 MB', '123 GB']
    """
    value, place = float(count), 0
    while value >= 999.5 and place < len(_SIZES) - 1:
        value, place = value / 1000, place + 1
    return f"{count} B" if not place else f"{_three(value)} {_SIZES[place]}"


def seconds(value: float) -> str:
    """A stretch of time.

    >>> [seconds(s) for s in (0.0, 0.00123, 1.5, 75, 7384)]
    ['0.000 s', '0.001 s', '1.50 s', '1 min 15 s', '2 h 3 min']
    """
    if value < 1:
        return f"{value:.3f} s"
    if value < 60:
        return f"{_three(value)} s"
    minutes, left = divmod(round(value), 60)
    return f"{minutes} min {left} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def plural(count: int, thing: str) -> str:
    """So many of a thing.

    >>> plural(1, "row"), plural(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def percent(share: float) -> str:
    """A share from 0 to 1.

    >>> percent(0.456), percent(0.0004), percent(0)
    ('46 %', '< 1 %', '0 %')
    """
    return "< 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def _three(value: float) -> str:
    return f"{value:.{max(0, 3 - len(str(int(value))))}f}"
