"""All loops in compiled form. `compiled` loads them where the work is worth it.

All times are int64 microseconds; index ranges are half-open.
"""

from __future__ import annotations

from . import kernels_codes as codes
from . import kernels_extremes as of_extremes
from . import kernels_hashing as hashing
from . import kernels_latest as latest
from . import kernels_moments as moments
from . import kernels_order as order
from . import kernels_owners as of_owners
from . import kernels_wavelet as wavelet
from . import kernels_windows as windows
from .native import Loop

bucketed = Loop(hashing.bucketed)
begins = Loop(order.begins)
carry = Loop(latest.carry)
deviations = Loop(moments.deviations)
differences = Loop(windows.differences)
distinct = Loop(order.distinct)
divided = Loop(windows.divided)
extremes = Loop(of_extremes.extremes)
extremes_prepared = Loop(of_extremes.extremes_prepared)
falls = Loop(order.falls)
fused = Loop(windows.fused)
hashed_codes = Loop(codes.hashed_codes)
hashed_words = Loop(hashing.hashed_words)
keep_latest = Loop(latest.keep_latest)
learned_codes = Loop(codes.learned_codes)
merge_latest = Loop(latest.merge_latest)
moved_codes = Loop(codes.moved_codes)
near_codes = Loop(codes.near_codes)
owners = Loop(of_owners.owners)
places = Loop(order.places)
places_by_time = Loop(order.places_by_time)
prefix_moments = Loop(moments.prefix_moments)
prefix_sums = Loop(windows.prefix_sums)
put_values = Loop(latest.put_values)
renumber_codes = Loop(codes.renumber_codes)
rises = Loop(order.rises)
spread = Loop(order.spread)
sum_by_prefix = Loop(windows.sum_by_prefix)
stand_first = Loop(latest.stand_first)
take = Loop(order.take)
upper_indices = Loop(windows.upper_indices)
wavelet_at_most = Loop(wavelet.wavelet_at_most)
wavelet_fill = Loop(wavelet.wavelet_fill)
wavelet_neighbours = Loop(wavelet.wavelet_neighbours)
wavelet_smallest = Loop(wavelet.wavelet_smallest)

LOADED = True  # last: another thread may find this module half imported
