"""Models, as far as a store knows them: a name that a saved training set is said to have made."""

from __future__ import annotations

from ...engine.errors import NotFound, did_you_mean
from ..folders.names import checked_label
from ..ledger.entry import begun
from ..ports import Entry, Here, Moved
from ..rows import sequence


def recorded(here: Here, model: str, training: str, about: str) -> None:
    """Note that a model was made from a training set; said again, the later one counts."""
    name = f"model/{checked_label(model, 'a model')}"
    base = here.ledger.head()
    work = begun("model", f"model {model} made from {training}", read=[f"training/{training}"], wrote=[name])
    parts = {"kind": "model", "name": model, "training": training, "about": about, "at": sequence.now_us()}
    _check(base, training)
    noted = here.notes.put(work.token, parts)

    def change(head: Entry) -> Moved:
        _check(head, training)
        return Moved({name: noted})

    here.ledger.commit(base, work, change)


def _check(head: Entry, training: str) -> None:
    if f"training/{training}" not in head.names:
        known = [name.removeprefix("training/") for name in head.names if name.startswith("training/")]
        raise NotFound(f"no training set is named {training!r}. {did_you_mean(training, known)}")
