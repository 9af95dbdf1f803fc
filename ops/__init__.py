"""The operators: maps over a row and folds over the past, one small file each.

A file registers what it defines when it is loaded, and is loaded when one of its operators is first looked up: `homes.py` says where each
is. Adding an operator is adding a file and running `make stubs`.
"""
