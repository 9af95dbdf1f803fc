"""All compiled loops. Importing them costs about a second, so `compiled` does it only where the work is worth it.

All times are int64 microseconds; index ranges are half-open.
"""

from __future__ import annotations

import numpy as np

from .kernels_codes import hashed_codes, learned_codes, near_codes, renumber_codes
from .kernels_extremes import EXTREMES_BLOCK, extremes, extremes_prepared
from .kernels_latest import carry, keep_latest, merge_latest, put_values
from .kernels_moments import deviations, prefix_moments
from .kernels_order import distinct, in_order, places, places_by_time, rises, spread, take
from .kernels_owners import owners
from .kernels_wavelet import wavelet_at_most, wavelet_fill, wavelet_neighbours, wavelet_smallest
from .kernels_windows import differences, divided, fused, prefix_sums, sum_by_prefix, upper_indices

# Last: another thread may find this module half imported. The first call of a loop has numba load half of itself, which is done here.
LOADED = not rises(np.zeros(2, dtype=np.int64))

__all__ = [
    "EXTREMES_BLOCK",
    "LOADED",
    "carry",
    "deviations",
    "differences",
    "distinct",
    "divided",
    "extremes",
    "extremes_prepared",
    "fused",
    "hashed_codes",
    "in_order",
    "keep_latest",
    "learned_codes",
    "merge_latest",
    "near_codes",
    "owners",
    "places",
    "places_by_time",
    "prefix_moments",
    "prefix_sums",
    "put_values",
    "renumber_codes",
    "rises",
    "spread",
    "sum_by_prefix",
    "take",
    "upper_indices",
    "wavelet_at_most",
    "wavelet_fill",
    "wavelet_neighbours",
    "wavelet_smallest",
]
