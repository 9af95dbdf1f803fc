"""How two definitions of one name differ: part by part, with the expressions before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.errors import NowThenError
from ...engine.language.duration import written
from ...engine.language.service import FeatureService
from ...engine.language.view import ViewSpec, ViewType
from .definition_note import Definition

_ABSENT = ""


@dataclass(frozen=True, repr=False)
class Difference:
    """A feature, column or clock that was added (+), removed (-) or changed (~), in words; before or after is empty where there is none."""

    sign: str
    part: str
    before: str
    after: str

    def __repr__(self) -> str:
        if self.sign == "~":
            return f"~ {self.part}: {self.before}\n  {'':{len(self.part)}}  -> {self.after}"
        return f"{self.sign} {self.part}: {self.after or self.before}"


def differences(before: Definition, after: Definition) -> tuple[Difference, ...]:
    """What differs: added parts first, then removed ones, then those that changed."""
    old, new = parts_of(before), parts_of(after)
    added = [Difference("+", name, _ABSENT, new[name][0]) for name in new if name not in old]
    removed = [Difference("-", name, old[name][0], _ABSENT) for name in old if name not in new]
    changed = [
        Difference("~", name, *_told(old[name], new[name])) for name in new if name in old and old[name] != new[name]
    ]
    return (*added, *removed, *changed)


def parts_of(definition: Definition) -> dict[str, tuple[str, str]]:
    """The parts of a definition: each in words, and by its hash. A definition that cannot be read here is one part."""
    try:
        made = definition.made()
    except NowThenError as error:
        return {"definition": (f"cannot be read here: {error}", definition.version)}
    if isinstance(made, FeatureService):
        return {name: (repr(reference), reference.key) for name, reference in made.features.items()}
    return _of_view(made.spec) if isinstance(made, ViewType) else _of_source(made.spec)


def _of_view(view: ViewSpec) -> dict[str, tuple[str, str]]:
    features = {name: (repr(feature), view.version(name)) for name, feature in view.features.items()}
    clocks = {name: written(length) for name in ("every", "ttl") if (length := getattr(view, name)) is not None}
    told = {"keys": ", ".join(f"{name}: {dtype}" for name, dtype in view.keys.items()), **clocks}
    return {**features, **{f"[{name}]": (value, value) for name, value in told.items()}}


def _of_source(source: Any) -> dict[str, tuple[str, str]]:
    columns = {name: str(dtype) for name, dtype in source.schema.items()}
    plain = ("event_time", "known_time", "row_id", "deleted", "time_zone", "available", "max_ahead")
    told: dict[str, object] = {name: getattr(source, name) for name in plain}
    told |= {"entities": ", ".join(entity.name for entity in source.entities)}
    told |= {f"known_after {name}": written(wait) for name, wait in source.known_after.items()}
    marked = {f"[{name}]": str(value) for name, value in told.items() if value is not None}
    return {name: (text, text) for name, text in (columns | marked).items()}


def _told(old: tuple[str, str], new: tuple[str, str]) -> tuple[str, str]:
    """Both in words; where these are equal, what they read has changed, and the hashes say that it did."""
    if old[0] != new[0]:
        return old[0], new[0]
    return f"{old[0]} @{old[1][:12]}", f"{new[0]} @{new[1][:12]}"
