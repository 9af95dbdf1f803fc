"""The question of a saved training set, asked again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...engine.plan.reader import Loaded
from ...engine.running.training_set import TrainingSet
from ...engine.running.training_set import training_set as over_spine
from ..rows.pinned import opener

if TYPE_CHECKING:
    from .saved_training_set import SavedTrainingSet


def again(saved: SavedTrainingSet, as_of: Any) -> TrainingSet:
    """The rows it was asked about, with its features from the store as it is now, or stood `as_of`."""
    from .saved_training_set import Keeper

    note, here = saved.note, saved.here
    spine = Loaded(saved.collect(note["spine"]), f"spine of {note['name']}")
    keeper = Keeper.at(
        here, here.ledger.head() if as_of is None else here.ledger.as_of(as_of), note["definition"]["name"]
    )
    made = over_spine(
        spine, saved.features, at=note["at"], open_source=opener(here, as_of), request=note["request"], keeper=keeper
    )
    return replace(made, spine=replace(made.spine, known=note["known_at"]))
