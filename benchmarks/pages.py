"""Pages that the machine has in hand, so that a run pays for its own work alone.

A virtual machine may give memory that nobody uses back to its host, within seconds; who takes it next waits for the host. Where that took 14
microseconds a page of 4 KiB (2026-11), it was up to half of a run of a second, and more of those that happened to come later.
"""

from __future__ import annotations

import mmap

_IN_HAND = 1 << 30  # bytes, for what a run takes anew: results, files it writes


def take_in_hand(size: int = _IN_HAND) -> None:
    """Touches so many bytes and frees them: what begins within a second or two finds them."""
    with mmap.mmap(-1, size) as pages:
        for place in range(0, size, mmap.PAGESIZE):
            pages[place] = 1
