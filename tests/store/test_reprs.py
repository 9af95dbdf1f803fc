"""What the reports of a store show in a console or notebook."""

from __future__ import annotations

from typing import Any

import pytest

from nowthen.store.care.backup import Copied
from nowthen.store.care.cleanup import Cleaned
from nowthen.store.care.forget import Forgotten
from nowthen.store.care.scrub import Scrubbed
from nowthen.store.definitions.breaking import User
from nowthen.store.definitions.definition_diff import Difference
from nowthen.store.features.backfill import Backfilled
from nowthen.store.rows.ingest import Ingested
from nowthen.store.snapshots.snapshot import Published
from nowthen.store.tables.compaction import Compacted
from nowthen.store.tables.table_list import Table

REPORTS = {
    "backfill: all of it is there": Backfilled(version=3),
    "compacted source sales: 4 files": Compacted("source", "sales", 4, 1, 60, 3, 0.1),
    "copied 4 files": Copied(3, 4, 1_000, 0),
    "forgot 1 keys of customer": Forgotten("customer", 1, 3, {"source/sales": 9}, 2, 1_000, (), ()),
    "ingested sales: 60 new": Ingested("sales", 60, 0, 0, 0, 0, 60, 3, 0.1),
    "published shop 0123456789ab": Published("shop", "0123456789abcdef", 60, 1_000, None, 0.1),
    "read 3 entries": Scrubbed(3, 4, 5, 1_000, ()),
    "removed no files": Cleaned(0, 1, ()),
    "service shop (count_1d)": User("service", "shop", "count_1d"),
    "tables/sales/_all  version 7": Table("tables/sales/_all", "7", 60, 1, 1_000),
    "+ count_1d: sales.count()": Difference("+", "count_1d", "", "sales.count()"),
}


@pytest.mark.parametrize("words", REPORTS)
def test_a_report_shows_its_words(words: str) -> None:
    report: Any = REPORTS[words]
    assert repr(report).startswith(words)
    assert str(report) == repr(report)
