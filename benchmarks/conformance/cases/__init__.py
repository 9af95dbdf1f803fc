"""All cases, one family a file."""

from __future__ import annotations

from ..case import Case
from . import ages, as_of, clocks, keys, knowledge, nulls, online, shape, ties, windows

FAMILIES: dict[str, tuple[Case, ...]] = {
    "as of": as_of.CASES,
    "ages": ages.CASES,
    "ties": ties.CASES,
    "keys": keys.CASES,
    "shape": shape.CASES,
    "nulls": nulls.CASES,
    "windows": windows.CASES,
    "knowledge": knowledge.CASES,
    "clocks": clocks.CASES,
    "online": online.CASES,
}
CASES: tuple[Case, ...] = tuple(case for family in FAMILIES.values() for case in family)

__all__ = ["CASES", "FAMILIES"]
