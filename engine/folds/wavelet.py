"""Order statistics of any range of rows: codes laid out bit by bit, each level with counts of its ones.

A wavelet matrix (Claude, Navarro and Ordonez 2015) for every group by itself, so a group of m rows has as many levels as m - 1 has
bits, and a question reads two places a level, near each other. A level is a header, how many zeros it has, and for every 64 rows two
words: how many ones come before, and the bits. Rows with a zero come first in the next level, in order, those with a one after them.

Memory: 1/4 byte a row and level, and 24 bytes a level: 3 bytes a row in groups of 100 rows, 6 in one of ten million, 16 at worst (3 rows).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..record import record
from . import compiled
from .column import Array, Index, Mask
from .owners import owners


@record(eq=False)
class Wavelet:
    """The codes of rows in groups; the codes of a group are numbers of its rows, [offsets[g], offsets[g + 1])."""

    words: Array  # uint64
    offsets: Index  # where groups begin
    first: Index  # where the words of each group begin
    levels: Index  # how many it has

    @staticmethod
    def of(codes: Index, offsets: Index) -> Wavelet:
        """The codes (n,) laid out."""
        rows = np.diff(offsets)
        levels = np.frexp(np.maximum(rows - 1, 0).astype(np.float64))[1].astype(np.int64)
        end = np.cumsum(levels * _stride(rows))
        words = np.zeros(int(end[-1]) if len(end) else 0, dtype=np.uint64)
        made = Wavelet(words, offsets, np.concatenate([[0], end]), levels)
        own = codes - np.repeat(offsets[:-1], rows)
        loops = compiled.kernels(len(codes))
        if loops:
            loops.wavelet_fill(own, offsets, made.first, levels, np.empty_like(own), words)
        else:
            made._fill(own)
        return made

    def smallest(self, start: Index, stop: Index, k: Index) -> Index:
        """The k-th least code of each range, 0 <= k < its length; arbitrary for an empty range."""
        loops, group = compiled.kernels(len(start)), owners(self.offsets, start)
        if loops:
            found = np.empty(len(start), dtype=np.int64)
            loops.wavelet_smallest(*self._parts, group, start, stop, k, found)
            return found
        walk, rank, code = _Walk(self, group, start, stop), k.copy(), np.zeros(len(start), dtype=np.int64)
        for fork in walk.down():
            fork.one = rank[fork.on] >= fork.zeros
            rank[fork.on] -= np.where(fork.one, fork.zeros, 0)
            code[fork.on] |= fork.one.astype(np.int64) << fork.bit
        return code + self.offsets[group]

    def neighbours(self, start: Index, stop: Index, low: Index, high: Index) -> tuple[Index, Index]:
        """The low-th and the high-th least code of each range, high being low or one more; at the price of little more than one."""
        loops = compiled.kernels(len(start))
        if loops is None:
            return self.smallest(start, stop, low), self.smallest(start, stop, high)
        lower, upper = np.empty(len(start), dtype=np.int64), np.empty(len(start), dtype=np.int64)
        loops.wavelet_neighbours(*self._parts, owners(self.offsets, start), start, stop, low, high, lower, upper)
        return lower, upper

    def at_most(self, start: Index, stop: Index, most: Index) -> Index:
        """How many codes of each range are at most as great as `most`, a code of its group."""
        loops, group = compiled.kernels(len(start)), owners(self.offsets, start)
        if loops:
            found = np.empty(len(start), dtype=np.int64)
            loops.wavelet_at_most(*self._parts, group, start, stop, most, found)
            return found
        most = most - self.offsets[group]
        walk, count = _Walk(self, group, start, stop), np.zeros(len(start), dtype=np.int64)
        for fork in walk.down():
            fork.one = (most[fork.on] >> fork.bit) & 1 == 1
            count[fork.on] += np.where(fork.one, fork.zeros, 0)
        counted: Index = count + walk.stop - walk.start
        return counted

    @property
    def _parts(self) -> tuple[Array, Index, Index, Index]:
        return self.words, self.offsets, self.first, self.levels

    def _fill(self, codes: Index) -> None:
        """The words as the compiled loop fills them, all groups at a time."""
        group = np.repeat(np.arange(len(self.levels)), np.diff(self.offsets))
        begin, size = self.offsets[group], np.diff(self.offsets)[group]
        place = np.arange(len(codes)) - begin  # within the group, and always in order
        for down in range(int(self.levels.max(initial=0))):
            on = self.levels[group] > down
            codes, group, begin, size, place = (part[on] for part in (codes, group, begin, size, place))
            bit = (codes >> (self.levels[group] - 1 - down)) & 1
            before = np.cumsum(bit) - bit
            first = np.flatnonzero(place == 0)
            before -= np.repeat(before[first], size[first])
            total = np.add.reduceat(bit, first)
            level = self.first[group] + down * _stride(size)
            self.words[level[first]] = size[first] - total
            self.words[(level + 1 + 2 * (size >> 6))[first]] = total
            full = place & 63 == 0
            self.words[(level + 1 + 2 * (place >> 6))[full]] = before[full]
            np.bitwise_or.at(
                self.words, level + 2 + 2 * (place >> 6), bit.astype(np.uint64) << (place & 63).astype(np.uint64)
            )
            zeros = size - np.repeat(total, size[first])
            moved = np.where(bit == 1, zeros + before, place - before)
            following = np.empty_like(codes)
            following[np.repeat(first, size[first]) + moved] = codes
            codes = following


class _Walk:
    """Ranges on their way down the levels, all at a time; `start` and `stop` are where they lie now, from the begin of their group."""

    def __init__(self, wavelet: Wavelet, group: Index, start: Index, stop: Index) -> None:
        begin = wavelet.offsets[group]
        self._words, self._levels, self._level = wavelet.words, wavelet.levels[group], wavelet.first[group]
        self._stride = _stride(wavelet.offsets[group + 1] - begin)
        self.start, self.stop = start - begin, stop - begin

    def down(self) -> Iterator[_Fork]:
        """The levels, highest bit first. Whoever walks says at each which ranges go with the ones."""
        for height in range(int(self._levels.max(initial=0))):
            on = np.flatnonzero(self._levels > height)
            level = self._level[on] + height * self._stride[on]
            ends = [(end, end[on], _ones(self._words, level, end[on])) for end in (self.start, self.stop)]
            zeros = [at - ones for _, at, ones in ends]
            fork = _Fork(on, self._levels[on] - 1 - height, zeros[1] - zeros[0])
            yield fork
            for (end, _, ones), with_zeros in zip(ends, zeros, strict=True):
                end[on] = np.where(fork.one, self._words[level].astype(np.int64) + ones, with_zeros)


@dataclass
class _Fork:
    """Where the ranges that have a level choose: which they are, their bit, how many zeros each has, and which go with the ones."""

    on: Index
    bit: Index
    zeros: Index
    one: Mask = field(init=False)


def _ones(words: Array, level: Index, place: Index) -> Index:
    """How many of the first bits of a level are ones."""
    at = level + 1 + 2 * (place >> 6)
    below = (np.uint64(1) << (place & 63).astype(np.uint64)) - np.uint64(1)
    ones: Index = words[at].astype(np.int64) + np.bitwise_count(words[at + 1] & below)
    return ones


def _stride(rows: Index) -> Index:
    """How many words a level of a group of so many rows has."""
    return 2 * (rows >> 6) + 3
