"""Entities: what a feature is about, and the key columns that name one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import polars as pl

from ..errors import Invalid, WrongType
from . import dtype as types
from .plain import told
from .reserved import refuse_reserved

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_KEY_TYPES = (pl.String, pl.Boolean, pl.Date, pl.Datetime)


def checked_name(name: object, what: str) -> str:
    """The name, if it is a plain word that is safe as a folder, a column and an attribute.

    >>> checked_name("fraud_model", "a service")
    'fraud_model'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Invalid(f"{what} cannot be named {name!r}. Use letters, digits and underscores, beginning with a letter.")
    return name


class Entity:
    """Something features are about, named by one or more key columns.

    >>> Entity("customer", keys={"customer_id": pl.Int64})
    Entity('customer', keys={'customer_id': Int64})
    """

    def __init__(self, name: str, *, keys: Mapping[str, Any], about: str = "") -> None:
        self.name = checked_name(name, "an entity")
        self.keys = types.schema(keys, f"entity {name!r}: keys")
        self.about = about
        if not self.keys:
            raise Invalid(
                f"entity {name!r} has no keys. Give a column and its type, as in keys={{'customer_id': pl.Int64}}."
            )
        refuse_reserved(self.keys, f"entity {name!r}")
        for column, dtype in self.keys.items():
            if isinstance(dtype, types.WIDE):
                raise WrongType(
                    f"entity {name!r}: key {column!r} is {dtype}; a key has 64 bits at most. Make it Int64, UInt64 or String."
                )
            if not (dtype.is_integer() or isinstance(dtype, _KEY_TYPES)):
                raise WrongType(
                    f"entity {name!r}: key {column!r} is {dtype}; a key is an integer, a string, a Boolean or a time."
                )

    def __repr__(self) -> str:
        return f"Entity({self.name!r}, keys={self.keys})"


def entities(given: Entity | Sequence[Entity], whose: str) -> tuple[Entity, ...]:
    """One entity or several as a tuple. They may share a key column, if it has the same type in all."""
    several = isinstance(given, Iterable) and not isinstance(
        given, str
    )  # of text each letter would be named, not the text
    many: tuple[Any, ...] = tuple(cast(Iterable[Any], given)) if several else (given,)
    for entity in many:
        if not isinstance(entity, Entity):
            raise WrongType(f"{whose}: entity is {told(entity)}, not an nt.Entity.")
    names = [entity.name for entity in many]
    if len(set(names)) < len(names):
        raise Invalid(f"{whose} names an entity twice: {', '.join(names)}.")
    _refuse_clash(many, whose)
    return many


def _refuse_clash(many: Sequence[Entity], whose: str) -> None:
    owners: dict[str, Entity] = {}
    for entity in many:
        for key, dtype in entity.keys.items():
            owner = owners.setdefault(key, entity)
            if owner.keys[key] != dtype:
                raise WrongType(
                    f"{whose}: key {key!r} is {owner.keys[key]} in entity {owner.name!r}, but {dtype} in entity {entity.name!r}. "
                    "Give the two keys different names, or the same type."
                )


def keys_of(many: Sequence[Entity]) -> dict[str, pl.DataType]:
    """The key columns of all the entities, in order."""
    return {column: dtype for entity in many for column, dtype in entity.keys.items()}
