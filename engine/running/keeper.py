"""Who keeps training sets: a store does, without the engine knowing any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..errors import Invalid

if TYPE_CHECKING:
    from .training_set import TrainingSet


class Keeper(Protocol):
    """Saves training sets, for good."""

    def save(self, train: TrainingSet, name: str, **how: Any) -> Any:
        """What was saved, so that it can be looked at; `how` it is collected."""


def kept_by(keeper: Keeper | None) -> Keeper:
    """The keeper, if there is one."""
    if keeper is None:
        raise Invalid(
            "this training set reads the sources themselves, which keep no versions, so it cannot be saved. Make it with "
            "store.training_set(...), or write it with sink_parquet(...)."
        )
    return keeper
