"""How loops are compiled: cached on disk, without the interpreter's lock, dividing as numpy does."""

from __future__ import annotations

import numba

jit = numba.njit(cache=True, nogil=True, error_model="numpy")
