"""The example of docs/functions.md runs, as a program beside the module that the page shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "functions.md").read_text()
FILES = dict(re.findall(r"<!-- file: (\w+\.py) -->\s*```python\n(.*?)```", PAGE, re.S))
EXAMPLES = re.findall(r"<!-- example -->\s*```python\n(.*?)```", PAGE, re.S)


def test_the_page_runs(tmp_path: Path) -> None:
    assert len(FILES) + len(EXAMPLES) == PAGE.count("```python")
    for name, text in {**FILES, "page.py": "\n".join(EXAMPLES)}.items():
        (tmp_path / name).write_text(text)
    ran = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "43.75" in ran.stdout  # 10 and 25 with a quarter more
    assert "87.5" in ran.stdout  # twice that
