"""Backfilled values of views: what is there, what is missing, and how it is filled."""
