"""The Lance library, loaded with the settings it reads once, at import."""

from __future__ import annotations

import os

os.environ.setdefault("LANCE_IO_THREADS", "2")
os.environ.setdefault("LANCE_LOG", "error")

import lance

__all__ = ["lance"]
