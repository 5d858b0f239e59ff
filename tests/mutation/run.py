"""Change every line of the rules, one at a time, and see a test fail: `make mutants [ONLY="core.gate service.work"]`.

mutmut makes the mutants and runs the tests that reach each of them. It takes half an hour on two cores, so this isn't
a part of `make test`. A mutant that no test notices, or that none reaches, is told, unless it changes nothing but the
wording of an error or a note, or `equivalent.json` says why it can't be noticed. Ends with 1 if any other is left, or,
where all were made, if `equivalent.json` explains one that isn't.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
PLACE: Final = ROOT / ".build" / "mutation"
EQUIVALENT: Final = Path(__file__).with_name("equivalent.json")
SETTINGS: Final = """
[tool.mutmut]
source_paths = ["src/remediator/core", "src/remediator/service"]
also_copy = ["src", "tests", "docs", "conftest.py"]
pytest_add_cli_args_test_selection = [
    "tests/core", "tests/service", "--deselect", "tests/core/test_core_node_oracle.py"
]
"""
PLUGIN: Final = '''"""Forget before each test what was cached, to see all that it reaches; ponder no failure."""

import functools
import gc

import pytest
from hypothesis import Phase, settings

CACHES = []


def pytest_configure() -> None:
    settings.register_profile("curt", settings.default, phases=[Phase.explicit, Phase.generate], derandomize=True)
    settings.load_profile("curt")


def pytest_collection_finish() -> None:
    rooms = ("remediator.core", "remediator.service")
    wrappers = (found for found in gc.get_objects() if isinstance(found, functools._lru_cache_wrapper))
    CACHES[:] = [found for found in wrappers if found.__module__.startswith(rooms)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    for cache in CACHES:
        cache.cache_clear()
'''
_MUTANT: Final = re.compile(r"^ *(remediator\.(\w+)\.(\w+)\.(\S+)): (.+)$", re.MULTILINE)
_NOTICED: Final = frozenset({"killed", "timeout"})
_SPOKEN: Final = re.compile(r"raise |\.note\(|Reason\(|Refused\(|_refuse\(|_unavailable\(")
_TEXT: Final = re.compile(r"""f?"(?P<text>[^"]*)"|None|[\s,]""")


@dataclass(frozen=True)
class Survivor:
    """Hold a mutant that no test noticed: how it ended, and the lines that differ."""

    name: str
    ended: str
    before: str
    after: str

    @property
    def key(self) -> str:
        """Return what `equivalent.json` knows it by."""
        return f"{self.before} -> {self.after}"

    @property
    def wording(self) -> bool:
        """Tell whether only the words of an error, a note or a reason differ, and no name of one."""
        return bool(_SPOKEN.search(self.before)) and _nameless(self.before) == _nameless(self.after)


def prepare() -> None:
    """Lay the sources out as mutmut expects them: it takes a module's name from its path below `src`."""
    shutil.rmtree(PLACE, ignore_errors=True)
    shutil.copytree(ROOT / "functions", PLACE / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("tests", "docs"):
        shutil.copytree(ROOT / folder, PLACE / folder, ignore=shutil.ignore_patterns("__pycache__"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8").replace('["functions", "."]', '["src", "."]')
    (PLACE / "pyproject.toml").write_text(project + SETTINGS, encoding="utf-8")
    (PLACE / "conftest.py").write_text(PLUGIN, encoding="utf-8")


def fates(chosen: Sequence[str]) -> Mapping[str, str]:
    """Return what became of each mutant of the modules chosen, by its name: `killed`, `survived`, `no tests`."""
    told = {name: ended for name, *_, ended in _MUTANT.findall(_mutmut("results", "--all", "true"))}
    return {name: ended for name, ended in told.items() if any(fnmatchcase(name, one) for one in chosen)}


def survivors(ends: Mapping[str, str]) -> Iterator[Survivor]:
    """Yield what no test noticed."""
    for name, ended in ends.items():
        if ended in _NOTICED:
            continue
        *rooms, function = name.split(".")
        definitions = _definitions(PLACE / "mutants" / "src" / Path(*rooms).with_suffix(".py"))
        original = definitions[re.sub(r"__mutmut_\d+$", "__mutmut_orig", function)]
        yield Survivor(name, ended, *_difference(original, definitions[function]))


def unexplained(found: Sequence[Survivor], known: Mapping[str, str]) -> list[Survivor]:
    """Return those that neither differ in words alone nor are known to change nothing."""
    return [one for one in found if one.key not in known and (one.ended != "survived" or not one.wording)]


def main(words: Sequence[str]) -> int:
    """Make mutants, all or those of the modules named, and tell which no test noticed."""
    prepare()
    chosen = [f"remediator.{word}.*" for word in words] or ["*"]
    _mutmut("run", "--max-children", "2", *chosen)
    known: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    ends = fates(chosen)
    found = list(survivors(ends))
    left = unexplained(found, known)
    idle = [] if words else sorted(known.keys() - {one.key for one in found})
    lines = [f"{one.name}: {one.ended}\n  - {one.before}\n  + {one.after}" for one in left]
    lines += [f"explained, but not among the survivors: {key}" for key in idle]
    lines += [", ".join(f"{number} {ended}" for ended, number in Counter(ends.values()).most_common())]
    lines += [f"{len(ends)} mutants; {len(found)} not noticed; {len(left)} of them unexplained"]
    print("\n".join(lines))  # noqa: T201 - what it is for
    return 1 if left or idle or not ends else 0


def _mutmut(*words: str) -> str:
    program = str(Path(sys.executable).with_name("mutmut"))
    return subprocess.run([program, *words], cwd=PLACE, text=True, capture_output=True, check=False).stdout  # noqa: S603 - ours


@cache
def _definitions(path: Path) -> Mapping[str, Sequence[str]]:
    """Return each function's lines under its name, its signature without it."""
    source = path.read_text(encoding="utf-8")
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return {
        node.name: (ast.get_source_segment(source, node) or "").replace(f"def {node.name}(", "def (").splitlines()
        for node in functions
    }


def _nameless(line: str) -> str:
    """Return a line without its sentences; a string of one word is a name, and stays."""
    return _TEXT.sub(lambda met: "" if " " in (met["text"] or " ") else met[0], line)


def _difference(original: Sequence[str], mutant: Sequence[str]) -> tuple[str, str]:
    """Return the lines that only one of them has, joined."""
    before = [line.strip() for line in original if line not in mutant]
    after = [line.strip() for line in mutant if line not in original]
    return " ".join(before), " ".join(after)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
