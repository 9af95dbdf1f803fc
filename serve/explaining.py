"""How a service's features are computed, for people and as data."""

from __future__ import annotations

from typing import Any

from ..engine.duration import written
from ..engine.online import Online
from ..engine.service import FeatureService


def explained(service: FeatureService) -> dict[str, Any]:
    """The groups of folds, what they read and how far back, and the features over them."""
    online = Online(service.features)
    return {
        "service": service.name,
        "version": service.version,
        "features": {name: repr(reference.feature) for name, reference in service.features.items()},
        "groups": [
            {
                "source": side.scan.source.name,
                "keys": [name for name, _ in side.keys],
                "columns": list(side.scan.columns),
                "reach": None if side.reach is None else written(side.reach),
                "folds": [folding.describe() for folding in side.foldings],
            }
            for side in online.sides
        ],
    }


def told(facts: dict[str, Any]) -> str:
    """The same in lines."""
    lines = [f"{facts['service']} {facts['version'][:12]}"]
    lines += [f"  {name} = {expr}" for name, expr in facts["features"].items()]
    for group in facts["groups"]:
        by = ", ".join(group["keys"]) or "nothing (global)"
        lines += [
            f"  {group['source']} by {by}, reaching back {group['reach'] or 'for ever'}, columns {', '.join(group['columns'])}"
        ]
        lines += [f"    {fold}" for fold in group["folds"]]
    return "\n".join(lines)
