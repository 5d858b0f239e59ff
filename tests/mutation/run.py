"""Change every line of the rules, one at a time, and see a test fail: `make mutants [ONLY="core.gate service.work"]`.

mutmut makes the mutants and runs the tests that reach each of them. It takes about an hour on two cores, so this isn't
a part of `make test`. A mutant that no test notices is told, unless it changes nothing but the wording of an error or a
note, or `equivalent.json` says why it can't be noticed. Ends with 1 if any other survived.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
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
FORGET: Final = '''"""Forget what a mutant's parent process has cached."""

import functools
import gc


def pytest_sessionstart() -> None:
    for found in gc.get_objects():
        if isinstance(found, functools._lru_cache_wrapper) and found.__module__.startswith("remediator"):
            found.cache_clear()
'''
_SURVIVED: Final = re.compile(r"^ *(remediator\.(\w+)\.(\w+)\.(\S+)): survived$", re.MULTILINE)
_SPOKEN: Final = re.compile(r"raise |\.note\(|Reason\(|Refused\(|_refuse\(|_unavailable\(")
_TEXT: Final = re.compile(r"""f?"[^"]*"|None|[\s,]""")


@dataclass(frozen=True)
class Survivor:
    """Hold a mutant that no test noticed: the lines that differ."""

    name: str
    function: str
    before: str
    after: str

    @property
    def wording(self) -> bool:
        """Tell whether only the words of an error, a note or a reason differ."""
        return bool(_SPOKEN.search(self.before)) and _TEXT.sub("", self.before) == _TEXT.sub("", self.after)


def prepare() -> None:
    """Lay the sources out as mutmut expects them: it takes a module's name from its path below `src`."""
    shutil.rmtree(PLACE, ignore_errors=True)
    shutil.copytree(ROOT / "functions", PLACE / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("tests", "docs"):
        shutil.copytree(ROOT / folder, PLACE / folder, ignore=shutil.ignore_patterns("__pycache__"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8").replace('["functions", "."]', '["src", "."]')
    (PLACE / "pyproject.toml").write_text(project + SETTINGS, encoding="utf-8")
    (PLACE / "conftest.py").write_text(FORGET, encoding="utf-8")


def survivors() -> Iterator[Survivor]:
    """Yield what survived."""
    told = _mutmut("results")
    for name, layer, module, function in _SURVIVED.findall(told):
        definitions = _definitions(PLACE / "mutants" / "src" / "remediator" / layer / f"{module}.py")
        original = definitions[re.sub(r"__mutmut_\d+$", "__mutmut_orig", function)]
        before, after = _difference(original, definitions[function])
        yield Survivor(name, f"{layer}.{module}.{function.rpartition('__mutmut_')[0]}", before, after)


def unexplained(found: Sequence[Survivor], known: Mapping[str, str]) -> list[Survivor]:
    """Return those that neither differ in words alone nor are known to change nothing."""
    return [one for one in found if not one.wording and f"{one.before} -> {one.after}" not in known]


def main(words: Sequence[str]) -> int:
    """Make mutants, all or those of the modules named, and tell which survived."""
    prepare()
    chosen = [f"remediator.{word}.*" for word in words] or ["*"]
    _mutmut("run", "--max-children", "2", *chosen)
    known: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    found = list(survivors())
    left = unexplained(found, known)
    for one in left:
        print(f"{one.name}\n  - {one.before}\n  + {one.after}")  # noqa: T201 - what it is for
    print(f"{len(found)} survived; {len(left)} of them unexplained")  # noqa: T201 - what it is for
    return 1 if left else 0


def _mutmut(*words: str) -> str:
    program = str(Path(sys.executable).with_name("mutmut"))
    return subprocess.run([program, *words], cwd=PLACE, text=True, capture_output=True, check=False).stdout  # noqa: S603 - ours


@cache
def _definitions(path: Path) -> Mapping[str, Sequence[str]]:
    source = path.read_text(encoding="utf-8")
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return {node.name: (ast.get_source_segment(source, node) or "").splitlines()[1:] for node in functions}


def _difference(original: Sequence[str], mutant: Sequence[str]) -> tuple[str, str]:
    """Return the lines that only one of them has, joined."""
    before = [line.strip() for line in original if line not in mutant]
    after = [line.strip() for line in mutant if line not in original]
    return " ".join(before), " ".join(after)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
