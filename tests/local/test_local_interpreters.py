from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remediator.local.runtime import interpreters
from remediator.local.runtime.install import LOCK, pins

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    interpreters._interpreter.cache_clear()
    yield
    interpreters._interpreter.cache_clear()


def test_the_hosts_own_version_is_used_as_it_is() -> None:
    found = interpreters.interpreter_for(f"python{HOST}")
    assert (found.executable, found.minor) == (Path(sys.executable), HOST)
    assert "own version" in found.remark


def test_another_version_without_the_runtime_client_leaves_the_host_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(interpreters, "candidates", lambda _: [Path(sys.executable)])
    monkeypatch.setattr(interpreters, "runtime_packages", lambda _: tmp_path / "empty")
    found = interpreters.interpreter_for("python3.99")
    assert found.minor == HOST
    assert "3.99" in found.remark


def test_another_version_with_the_runtime_client_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("awslambdaric", "runtime_client", "time_machine", "_time_machine"):
        (tmp_path / f"{name}.py").write_text("")
    monkeypatch.setattr(interpreters, "candidates", lambda _: [Path(sys.executable)])
    monkeypatch.setattr(interpreters, "runtime_packages", lambda _: tmp_path)
    found = interpreters.interpreter_for("python3.99")
    assert found.minor == "3.99"
    assert tmp_path / "awslambdaric.py" in found.packages


@pytest.mark.parametrize(("platform", "says"), [("linux", "'local' extra"), ("darwin", "Linux only")])
def test_no_runtime_client_at_all_is_said_clearly(monkeypatch: pytest.MonkeyPatch, platform: str, says: str) -> None:
    monkeypatch.setattr(interpreters, "_packages_of", lambda *_: None)
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(interpreters.NoRuntime, match=says):
        interpreters.interpreter_for(f"python{HOST}")


def test_a_runtime_that_isnt_python_is_refused() -> None:
    with pytest.raises(interpreters.NoRuntime, match="nodejs"):
        interpreters.interpreter_for("nodejs24.x")


def test_a_version_that_is_nowhere_has_no_candidates() -> None:
    assert interpreters.candidates("3.99") == []


def test_the_lock_file_pins_what_a_sandbox_needs_with_hashes() -> None:
    chosen = pins(LOCK.read_text())
    assert chosen.count("==") == 4
    assert "awslambdaric==4.2.2" in chosen
    assert chosen.count("--hash=sha256:") > 20


def test_a_lock_file_without_them_is_refused() -> None:
    with pytest.raises(LookupError):
        pins("moto==5.2.5 \\\n    --hash=sha256:00\n")
