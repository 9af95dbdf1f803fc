"""The methods that operators give to expressions, for editors and type checkers.

At run time they are looked up in the registry by name. The stub beside this file lists them with their parameters; `make stubs`
writes it anew from the registry, and a test holds it to that.
"""

from __future__ import annotations


class Methods:
    """Every operator as a method."""
