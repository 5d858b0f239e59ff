"""What shares something runs at one worker, and so does each file by itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.docs.pages import ROOT
from tests.workers import group_of, unit_of

if TYPE_CHECKING:
    from pathlib import Path

MARKED = """import pytest
pytestmark = pytest.mark.{mark}("shared")
@pytest.mark.parametrize("number", range(4))
def test_it(number): pass
"""
CONFTEST = """
import pytest
from tests.workers import pytest_collection_modifyitems, pytest_xdist_make_scheduler
@pytest.fixture
def shared(): pass
"""


def workers_of(folder: Path) -> dict[str, set[str]]:
    """Run the tests in a folder with two workers, and return which of them had tests of each file."""
    (folder / "conftest.py").write_text(CONFTEST)
    words = ["-n", "2", "--dist", "loadgroup", "-v", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    run = subprocess.run(  # noqa: S603 - this interpreter, on files of ours
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = defaultdict(set)
    for worker, file in re.findall(r"\[(gw\d)\].* PASSED \S*?(\w+\.py)::", run.stdout):
        found[file].add(worker)
    return found


def test_a_group_s_tests_run_at_one_worker_and_so_do_a_file_s(tmp_path: Path) -> None:
    for name, mark in (("one", "xdist_group"), ("two", "xdist_group"), ("three", "usefixtures")):
        (tmp_path / f"test_{name}.py").write_text(MARKED.format(mark=mark))
    workers = workers_of(tmp_path)
    assert set(workers) == {"test_one.py", "test_two.py", "test_three.py"}
    assert all(len(one) == 1 for one in workers.values())
    assert workers["test_one.py"] == workers["test_two.py"] != workers["test_three.py"]


def test_every_mark_of_a_group_is_found_in_its_file() -> None:
    files = [file for file in (ROOT / "tests").rglob("*.py") if file.name not in ("workers.py", "test_workers.py")]
    marked = {file for file in files if "xdist_group" in file.read_text()}
    assert marked
    assert {file for file in files if group_of(file)} == marked
    assert {unit_of(file) for file in files} >= {str(file) for file in files if file not in marked}
