"""Bytes at rest: a folder on a disk or an object store, and what may be a name in it."""
