"""The shape of the repository: what stands where, and what must never be in it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("engine", "ops", "store", "serve")
LONGEST_FILE = 400
# What says nothing about what a file holds, or hides a module of the standard library from `python file.py` beside it.
SAYS_NOTHING = {"base", "common", "helper", "helpers", "misc", "util", "utils"}
# Folders of one machine, and addresses of registries.
ELSEWHERE = re.compile(rb"/(?:work|root|home|Users)/[a-z]|^\s*(?:-i|--(?:extra-)?index-url)\b|find-links", re.M)
MAY_NAME_PLACES = {"tests/test_layout.py"}


def tracked() -> list[Path]:
    """The files of the repository that are, or are about to be, under version control; links are left out."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [
        ROOT / name
        for name in sorted(set(names))
        if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()
    ]


def sources() -> list[Path]:
    """The Python files among them."""
    return [path for path in tracked() if path.suffix == ".py"]


def name_of(path: Path) -> str:
    """The path as seen from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def pyproject() -> dict[str, dict[str, dict[str, object]]]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_folder_with_code_is_a_package_that_is_installed() -> None:
    folders = {path.parent for path in sources() if path.relative_to(ROOT).parts[0] in ROOMS}
    found = {"nowthen"} | {"nowthen." + name_of(folder).replace("/", ".") for folder in folders}
    assert found == set(pyproject()["tool"]["setuptools"]["packages"])  # type: ignore[call-overload]


def test_every_package_has_an_init_file() -> None:
    folders = {path.parent for path in sources() if path.relative_to(ROOT).parts[0] in ROOMS}
    assert [name_of(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_no_stray_file_at_the_root_enters_the_wheel() -> None:
    assert [path.name for path in ROOT.glob("*.py")] == ["__init__.py"]


def test_type_checkers_see_the_installed_layout() -> None:
    names = ("__init__.py", "py.typed", *ROOMS)
    links = {name: ROOT / "typings" / "nowthen" / name for name in names}
    assert {name: link.resolve() for name, link in links.items()} == {name: ROOT / name for name in names}


def test_no_file_is_longer_than_a_sitting() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in sources() if path.stem in SAYS_NOTHING] == []


def test_no_module_at_the_top_of_a_folder_of_scripts_hides_the_standard_library() -> None:
    # A script's own folder comes first on the path, so benchmarks/random.py would break every import of random beneath it.
    scripts = [path for path in sources() if path.relative_to(ROOT).parts[0] in ("benchmarks", "examples")]
    assert [name_of(path) for path in scripts if path.stem in sys.stdlib_module_names] == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = {}
    for path in tracked():
        hit = ELSEWHERE.search(path.read_bytes())
        if hit and name_of(path) not in MAY_NAME_PLACES:
            found[name_of(path)] = hit.group().decode()
    assert found == {}


def test_the_lock_pins_every_package_with_its_hash_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", lock, flags=re.M).strip())
    assert [pin.partition(" ")[0] for pin in pins if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", pin, re.S)] == []
    assert "://" not in lock


def test_the_lock_holds_what_builds_the_project_itself() -> None:
    assert re.search(r"^setuptools==", (ROOT / "requirements.lock").read_text(), re.M)
