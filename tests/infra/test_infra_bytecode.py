"""Finding an interpreter of the deployed version, and what it leaves beside the sources."""

from __future__ import annotations

import marshal
import sys
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING

import pytest

from infra.assets.bytecode import DEPLOYED_ROOT, find_compiler

if TYPE_CHECKING:
    from pathlib import Path

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
UNCHECKED = (1).to_bytes(4, "little")


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An otherwise empty machine."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    return tmp_path


def stand_in(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_running_interpreter_is_taken_where_its_version_fits() -> None:
    found = find_compiler(HERE)
    assert found is not None
    assert str(found.python) == sys.executable
    assert found.version == ".".join(str(part) for part in sys.version_info[:3])


def test_where_no_interpreter_fits_there_is_none(nothing_installed: Path) -> None:
    assert nothing_installed.is_dir()
    assert find_compiler("3.13") is None


@pytest.mark.parametrize(
    "place",
    ["bin/python3.13", "pyenv/versions/3.13.7/bin/python3.13", "uv/cpython-3.13.7-linux-x86_64-gnu/bin/python3.13"],
)
def test_an_interpreter_is_found_on_the_path_of_pyenv_and_of_uv(nothing_installed: Path, place: str) -> None:
    stand_in(nothing_installed / place, "echo cpython-313 3 13 7")
    found = find_compiler("3.13")
    assert found is not None
    assert (found.python, found.version) == (nothing_installed / place, "3.13.7")


@pytest.mark.parametrize("script", ["exit 127", "echo cpython-312 3 12 1", "echo", "echo pypy313 3 13 0"])
def test_one_that_does_not_run_or_is_another_is_passed_over(nothing_installed: Path, script: str) -> None:
    stand_in(nothing_installed / "bin/python3.13", script)
    stand_in(nothing_installed / "pyenv/versions/3.13.0/bin/python3.13", "echo cpython-313 3 13 0")
    found = find_compiler("3.13")
    assert found is not None
    assert "pyenv" in str(found.python)


def test_bytecode_is_never_checked_and_names_its_source_as_deployed(tmp_path: Path) -> None:
    compiler = find_compiler(HERE)
    assert compiler is not None
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text("def f():\n    return {'b', 'a', 'c'}\n")
    compiler.compile(tmp_path)
    (compiled,) = tmp_path.rglob("*.pyc")
    content = compiled.read_bytes()
    assert content[:4] == MAGIC_NUMBER
    assert content[4:8] == UNCHECKED
    assert marshal.loads(content[16:]).co_filename == f"{DEPLOYED_ROOT}/package/module.py"  # noqa: S302 - just compiled here
