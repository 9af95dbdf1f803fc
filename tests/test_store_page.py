"""The examples of docs/store.md run, one after another, as somebody would who reads the page."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "store.md"
EXAMPLES = re.findall(r"<!-- example(?:: set-up)? -->\s*```python\n(.*?)```", PAGE.read_text(), re.S)


def test_the_page_runs_from_top_to_bottom() -> None:
    assert len(EXAMPLES) == PAGE.read_text().count("```python")
    exec(compile("\n".join(EXAMPLES), str(PAGE), "exec"), {"__name__": "page"})
