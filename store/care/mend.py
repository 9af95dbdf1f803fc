"""Making damaged files whole: from a backup or the source the very same bytes, else what their kind can do from what else there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from ...engine.errors import Corrupt, NotFound
from ...engine.language.source import SourceSpec
from ..folders.canonical import digest
from ..ledger.entry import HINT
from ..ports import Damage, Folder, Here
from ..tables.data_file import places, rows_in
from ..tables.sums import SUFFIX, Sums, is_named
from .kinds import held
from .mend_logs import log_mended
from .mend_rows import rows_mended

_DIGEST: Final = re.compile(r"[.-]([0-9a-f]{32})\.(?:parquet|json)$")


def as_named(path: str, content: bytes) -> bool:
    """Whether bytes are those that the digest in a file's name was made from; True where a name has none, as that of an entry.

    >>> as_named("notes/0123456789ab-" + digest(b"{}")[:32] + ".json", b"{}")
    True
    """
    if path.endswith(".lance"):
        return is_named(path, [content])
    found = _DIGEST.search(path)
    return found is None or digest(content).startswith(found[1])


def mended(here: Here, damage: Damage, backup: Folder | None = None, sources: Sequence[SourceSpec] = ()) -> bool:
    """Whether something was done for a damaged file. Whether it is whole then, only another reading tells."""
    if backup is not None and _from_backup(here, damage.path, backup):
        return True
    if damage.path == HINT and _present(here.folder, HINT) is not None:
        here.folder.delete([HINT])  # without it the ledger is listed from its beginning
        return True
    if damage.path.endswith(SUFFIX) and _summed(here.folder, damage.path):
        return True
    if any(rows_mended(here, damage.path, spec) for spec in sources):
        return True
    return any(_by_kind(here, name, damage) for name in damage.names)


def _from_backup(here: Here, path: str, backup: Folder) -> bool:
    if path.startswith("log/"):
        return here.logs is not None and log_mended(here.logs, path, backup)
    content = _present(backup, path)
    if content is None or not as_named(path, content) or content == _present(here.folder, path):
        return False
    here.folder.put(path, content)
    return True


def _summed(folder: Folder, path: str) -> bool:
    """Whether the sums of a file could be made anew: if it is whole itself."""
    of = path.removesuffix(SUFFIX)
    content = _present(folder, of)
    if content is None or not as_named(of, content):
        return False
    local = folder.local(of)
    folder.put(path, Sums.of(local, rows_in(local), places(local)).written())
    return True


def _present(folder: Folder, path: str) -> bytes | None:
    try:
        return folder.get(path)
    except NotFound:
        return None


def _by_kind(here: Here, name: str, damage: Damage) -> bool:
    """What the kind of note under a name of the ledger can do; nothing where that note itself cannot be read."""
    with suppress(Corrupt, NotFound):
        note = here.ledger.head().names.get(name)
        if note is not None:
            return held(here.notes.get(note)["kind"]).mend(here, damage)
    return False
