"""Rows from outside: files, frames, and what other libraries hold."""
