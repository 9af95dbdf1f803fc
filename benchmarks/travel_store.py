"""The tables of events in a store of NowThen's, which join.py and windows.py can read instead of the files: ingested once, and not timed.

python benchmarks/travel_store.py DATA TABLE...
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from travel_nowthen import source

import nowthen as nt
from nowthen.store.ledger.entry import FORMAT
from nowthen.store.store import Store

FOLDER = f"store-format{FORMAT}"  # what an older NowThen stored there is not read


def stored(data: Path, tables: Sequence[str]) -> Store:
    """The store beside the files, with these tables. They are ingested by another process, whose memory does not count here."""
    found: Store = nt.connect(data / FOLDER)
    missing = [table for table in tables if not holds(found, data, table)]
    if missing:
        subprocess.run([sys.executable, __file__, str(data), *missing], check=True)
    return found


def holds(store: Store, data: Path, table: str) -> bool:
    """Whether a table was ingested."""
    try:
        store.events(source(data, table))
    except nt.NotFound:
        return False
    return True


def main() -> None:
    """Ingests the tables named on the command line."""
    data, *tables = sys.argv[1:]
    store = nt.connect(Path(data) / FOLDER)
    for table in tables:
        print(store.ingest(source(Path(data), table)), file=sys.stderr)


if __name__ == "__main__":
    main()
