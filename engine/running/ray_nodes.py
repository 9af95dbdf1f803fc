"""The nodes of a Ray cluster, and since when one is known to be gone."""

from __future__ import annotations

import time

import ray

_LOOK_S = 1.0


class Nodes:
    """Looked at again when a second has passed, as asking for them takes about a millisecond."""

    def __init__(self) -> None:
        self._alive: set[str] = set()
        self._missed: dict[str, float] = {}
        self._looked = float("-inf")

    def look(self) -> None:
        """See which are alive now."""
        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        self._alive = {node["NodeID"] for node in nodes if node["Alive"]}
        self._looked = time.monotonic()

    def gone(self, node: str) -> bool:
        """Whether a node is not alive, by a look that is at most a second old."""
        if time.monotonic() - self._looked > _LOOK_S:
            self.look()
        return node not in self._alive

    def gone_for(self, node: str) -> float:
        """Seconds since a node was first found gone; 0 for one that is alive."""
        if not self.gone(node):
            return 0.0
        now = time.monotonic()
        return now - self._missed.setdefault(node, now)
