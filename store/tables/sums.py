"""What the bytes of a data file add up to, column by column, so that reading some columns checks just these.

It stands beside its file as JSON. Losing it loses nothing: a file is also vouched for, as a whole, by the digest in its name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any, Final

from blake3 import blake3
from xxhash import xxh3_64, xxh3_64_hexdigest

from ...engine.record import record
from ..folders.canonical import written

Ranges = tuple[tuple[int, int], ...]
NAME_DIGITS: Final = 32  # of the BLAKE3 of a file, in its name
SUFFIX: Final = ".sums"
REST: Final = ""  # no column is named so: all bytes that belong to none
_SELF: Final = re.compile(rb'"self":"[0-9a-f]{16}",(?="size":)')
_CHUNK: Final = 1 << 18  # stays in a core's cache between reading and adding up
_PADDING: Final = 4096  # Lance begins buffers at round places; gaps are less than this


@record
class Sums:
    """Digest, size and rows of a file; where its columns lie and their XXH3, in hexadecimal digits; that of the rest is under REST."""

    digest: str  # the BLAKE3 of all of it, in hexadecimal digits
    size: int
    rows: int
    columns: Mapping[str, tuple[Ranges, str]]

    @classmethod
    def of(cls, path: Path, rows: int, columns: Mapping[str, Ranges]) -> Sums:
        """The sums of a file whose columns lie at these ranges; each byte is read once."""
        size = path.stat().st_size
        spans = sorted((first, last, name) for name, ranges in columns.items() for first, last in ranges)
        whole = blake3()
        each = {name: xxh3_64() for name in [*columns, REST]}
        with path.open("rb", buffering=0) as file:
            for first, last, name in _all(spans, size):
                for part in chunks(file.fileno(), ((first, last),)):
                    whole.update(part)
                    each[name].update(part)
        rest = tuple((first, last) for first, last, name in _all(spans, size) if name == REST)
        at = {**columns, REST: rest}
        return cls(whole.hexdigest(), size, rows, {name: (at[name], one.hexdigest()) for name, one in each.items()})

    @classmethod
    def read(cls, content: bytes) -> Sums:
        """What was written; `ValueError` where it is not as it was."""
        try:
            return cls._of_json(json.loads(content), content)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"these are not sums: {error!r}") from None

    @classmethod
    def _of_json(cls, found: Any, content: bytes) -> Sums:
        if found["self"] != xxh3_64_hexdigest(_SELF.sub(b"", content, count=1)):
            raise ValueError("the sums do not add up themselves")
        named = {
            name: (tuple((int(a), int(b)) for a, b in one["at"]), one["xxh3"]) for name, one in found["columns"].items()
        }
        rest = _between([span for ranges, _ in named.values() for span in ranges], found["size"])
        columns = {**named, REST: (rest, found["rest"])}
        return cls(found["blake3"], found["size"], found["rows"], columns)

    def are_of(self, path: str) -> bool:
        """Whether the digest in the name of a file is that of these sums."""
        return self.digest[:NAME_DIGITS] == digest_in(path)

    def written(self) -> bytes:
        """The JSON."""
        columns = {name: {"at": at, "xxh3": one} for name, (at, one) in self.columns.items() if name != REST}
        found = {
            "blake3": self.digest,
            "size": self.size,
            "rows": self.rows,
            "columns": columns,
            "rest": self.columns[REST][1],
        }
        return written({**found, "self": xxh3_64_hexdigest(written(found))})


def digest_in(path: str) -> str:
    """The digest that the name of a file holds."""
    return path.removesuffix(".lance").rpartition(".")[2]


def is_named(path: str, content: Iterable[memoryview | bytes]) -> bool:
    """Whether the name of a file holds the digest of these bytes."""
    whole = blake3()
    for part in content:
        whole.update(part)
    return whole.hexdigest()[:NAME_DIGITS] == digest_in(path)


def laid_out(spans: Iterable[tuple[int, int, str]]) -> dict[str, Ranges]:
    """The ranges of each column, from all buffers of a file; what is but padding behind a buffer belongs to its column.

    >>> laid_out([(0, 10, "a"), (64, 70, "a"), (128, 130, "b"), (192, 200, "a")])
    {'a': ((0, 128), (192, 200)), 'b': ((128, 192),)}
    """
    out: dict[str, list[tuple[int, int]]] = {}
    ordered = sorted(spans)
    following = [first for first, _, _ in ordered[1:]]
    for (first, last, name), after in zip_longest(ordered, following):
        end = after if after is not None and after - last < _PADDING else last
        ranges = out.setdefault(name, [])
        if ranges and ranges[-1][1] == first:
            first = ranges.pop()[0]
        ranges.append((first, end))
    return {name: tuple(ranges) for name, ranges in out.items()}


def xxh3_of(content: Iterable[memoryview | bytes]) -> str:
    """The XXH3 of some bytes, 64 bits in hexadecimal digits."""
    found = xxh3_64()
    for part in content:
        found.update(part)
    return found.hexdigest()


def chunks(handle: int, ranges: Ranges) -> Iterator[memoryview]:
    """The bytes of ranges of an open file, some at a time, in a buffer that is used again and again; fewer where the file ends."""
    view = memoryview(bytearray(min(_CHUNK, max((last - first for first, last in ranges), default=0))))
    for first, last in ranges:
        while first < last and (count := os.preadv(handle, [view[: last - first]], first)):
            yield view[:count]
            first += count


def _all(spans: list[tuple[int, int, str]], size: int) -> Iterator[tuple[int, int, str]]:
    """The spans, and what lies between them, from the first byte to the last."""
    end = 0
    for first, last, name in [*spans, (size, size, REST)]:
        if first > end:
            yield end, first, REST
        if last > first:
            yield first, last, name
        end = last


def _between(spans: list[tuple[int, int]], size: int) -> Ranges:
    ends = [(0, 0), *sorted(spans), (size, size)]
    return tuple((before[1], after[0]) for before, after in pairwise(ends) if before[1] < after[0])
