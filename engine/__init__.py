"""Expressions, the one driver of folds, plan, rules, local and Ray execution.

The engine knows no operator, no file format and no server; it defines the protocols that the other rooms implement.
"""
