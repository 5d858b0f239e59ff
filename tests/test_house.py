"""The house keeps its own rules: layers, names, and what is banned everywhere."""

from __future__ import annotations

import ast
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.network import NetworkIsOff

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "functions" / "remediator"
SOURCES = sorted(PACKAGE.rglob("*.py"))
DEPLOYED = [path for path in SOURCES if path.relative_to(PACKAGE).parts[0] in ("core", "catalogue", "service", "aws")]


def _calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {node.attr if isinstance(node, ast.Attribute) else node.id for node in nodes
            if isinstance(node, ast.Attribute | ast.Name)}  # fmt: skip


def test_imports_go_down_only() -> None:
    linted = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = re.compile(r"utils?|helpers?|common|base|manager|misc")
    assert [path for path in SOURCES if drawers.fullmatch(path.stem) or drawers.fullmatch(path.parent.name)] == []


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_is_deployed_logs_no_event_and_prints_nothing(path: Path) -> None:
    banned = {"print", "log_event", "inject_lambda_context", "capture_lambda_handler", "capture_method", "exec", "eval"}
    assert _calls(path) & banned == set()
    assert "log_event" not in path.read_text()


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_is_deployed_catches_everything_only_where_nothing_may_escape(path: Path) -> None:
    allowed = {"work.py", "announcements.py", "rotate_handler.py", "remediate_handler.py", "watch_handler.py"}
    handlers = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ExceptHandler)]
    broad = [node for node in handlers if node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")]
    assert len(broad) <= (1 if path.name in allowed else 0)


def test_core_imports_nothing_outside_the_standard_library() -> None:
    outside = set()
    for path in (PACKAGE / "core").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            outside |= {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in outside if not name.startswith("remediator.core")} == set()


def test_every_file_says_in_one_line_what_it_is() -> None:
    titles = {path: (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0] for path in SOURCES}
    assert [path for path, title in titles.items() if not title.endswith(".") and path.read_text().strip()] == []


def test_locks_have_hashes_and_name_no_host() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_the_tests_reach_nothing_but_this_machine() -> None:
    with socket.socket() as client, pytest.raises(NetworkIsOff):
        client.connect(("192.0.2.1", 443))
