"""One definition of a source, view or service as the ledger names it: an immutable note that carries the typed JSON and what people say of it.

`definition/<kind>/<name>` in an entry is the current one; `previous` in a note is the one it took the place of. So `name@version` never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...engine.errors import Corrupt
from ...engine.language.definition import from_json, to_json, version_of
from ...engine.language.expr import digest
from ...engine.language.instant import datetime_of
from ...engine.language.service import FeatureService
from ...engine.language.source import SourceSpec
from ...engine.language.view import ViewSpec

KINDS = ("source", "view", "service")
Json = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Definition:
    """What kind of thing it is, its name, its content hash, the JSON, and words."""

    kind: str
    name: str
    version: str
    body: Mapping[str, Any]
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    about: str = ""
    created_at: datetime | None = None
    note: str | None = None  # the name of its note, once it has one
    previous: str | None = None
    deprecated: Mapping[str, str | None] | None = None  # {"because": .., "instead": ..}
    renamed_from: str | None = None

    @classmethod
    def of(cls, defined: FeatureService | ViewSpec | SourceSpec) -> Definition:
        """The definition of a service, view or source, not yet stored."""
        kind = (
            "service" if isinstance(defined, FeatureService) else "view" if isinstance(defined, ViewSpec) else "source"
        )
        owner, tags = getattr(defined, "owner", ""), dict(getattr(defined, "tags", {}))
        return cls(kind, defined.name, version_of(defined), to_json(defined), owner, tags, defined.about)

    @classmethod
    def noted(cls, name: str, note: Mapping[str, Any]) -> Definition:
        """The definition in a note."""
        if note.get("kind") != "definition":
            raise Corrupt(f"note {name} is a {note.get('kind')!r}, not a definition. Run `nowthen verify`.")
        told = ("owner", "tags", "about", "previous", "deprecated", "renamed_from")
        return cls(
            note["of"], note["name"], note["version"], note["definition"], created_at=datetime_of(note["at"]), note=name,
            **{part: note[part] for part in told},
        )  # fmt: skip

    def as_note(self, at: int) -> Json:
        """The note of it, written at a time (microseconds UTC)."""
        told = ("name", "version", "owner", "about", "previous", "deprecated", "renamed_from")
        parts = {part: getattr(self, part) for part in told}
        return {
            "kind": "definition",
            "of": self.kind,
            **parts,
            "tags": dict(self.tags),
            "definition": self.body,
            "at": at,
        }

    @property
    def id(self) -> str:
        """Equal for equal definitions, words included, wherever the data is."""
        sources = {name: {**source, "reader": None} for name, source in self.body["sources"].items()}
        return f"{self.kind}/{self.name}@{self.version}.{digest({**self.body, 'sources': sources})[:12]}"

    @property
    def title(self) -> tuple[str, str]:
        """Kind and name."""
        return self.kind, self.name

    @property
    def key(self) -> str:
        """The name in the ledger under which the current one stands."""
        return key_of(self.kind, self.name)

    def made(self) -> Any:
        """The service, view or source itself."""
        return from_json(self.body)

    def __repr__(self) -> str:
        when = "" if self.created_at is None else f" {self.created_at:%Y-%m-%d %H:%M:%S}"
        said = f" deprecated: {self.deprecated['because']}" if self.deprecated else ""
        owner = f" by {self.owner}" if self.owner else ""
        return f"{self.kind} {self.name}@{self.version[:12]}{when}{owner}{said}"


def key_of(kind: str, name: str) -> str:
    """The name of a definition in the ledger.

    >>> key_of("view", "customer_spend")
    'definition/view/customer_spend'
    """
    return f"definition/{kind}/{name}"
