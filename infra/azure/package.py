"""Package the function apps: `python -m infra.azure.package` writes what `remediator azure install` uploads.

A package holds our own modules, as the app imports them, with their bytecode where the deployed Python is found here.
Everything else is in its requirements.txt, with hashes: compiled wheels for the app's platform can't come from this
one, so Azure's remote build installs them. The price is that a deployment needs the package index, and takes longer;
what is installed is still exactly what was locked.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.assets.archive import write_archive
from infra.assets.bytecode import find_compiler
from infra.assets.closure import Closure, Unshippable
from infra.azure.requirements import cut_lock, distributions_of
from remediator.catalogue.registry import all_fixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from infra.assets.bytecode import Compiler
    from infra.assets.imports import Import

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "requirements" / "dev.lock"
FUNCTIONS: Final = ROOT / "functions"
OUTPUT: Final = ROOT / ".build" / "azure"
PYTHON: Final = "3.13"
"""What the template asks the apps to run on."""

BUDGET: Final = 600_000
"""Bytes that a package may have, with bytecode; the larger one has 0.3 million."""

APP: Final = "function_app"
OWN: Final = "remediator"


@dataclass(slots=True)
class OwnClosure(Closure):
    """Follow imports through our own modules, and note where they leave them."""

    outside: set[str] = field(default_factory=set)

    def _modules(self, importer: str, found: Import) -> Iterator[str]:
        top = found.module.partition(".")[0]
        if top in self.packages or top in sys.stdlib_module_names or top == "__future__":
            yield from Closure._modules(self, importer, found)  # noqa: SLF001 - the parent's; slots forbid super() here
            return
        self.outside.add(found.module)


@dataclass(frozen=True, slots=True)
class Contents:
    """Hold an app's files, by their path in the package, and the distributions it imports."""

    files: Mapping[str, bytes]
    distributions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Package:
    """Hold a package that was written."""

    path: Path
    size: int
    digest: str
    compiled: bool


def contents(role: str) -> Contents:
    """Return what the app of a role, `rotate` or `remediate`, consists of; raise `Unshippable` for what can't be."""
    folder = FUNCTIONS / f"azure_{role}"
    closure = OwnClosure({APP: folder, OWN: FUNCTIONS}, OWN)
    closure.add([APP, *_found_at_run_time(role)])
    distributions = distributions_of(closure.outside)
    lines = [one.line() for one in cut_lock(LOCK, distributions, PYTHON)]
    files = {name: file.read_bytes() for name, file in closure.files.items()}
    files["host.json"] = (folder / "host.json").read_bytes()
    files["requirements.txt"] = ("\n".join(lines) + "\n").encode()
    return Contents(files, distributions)


def write_package(role: str, folder: Path, compiler: Compiler | None, *, budget: int = BUDGET) -> Package:
    """Write `<role>.zip`, whole or not at all; raise `Unshippable` if it is over the budget."""
    files = contents(role).files
    compiled = files if compiler is None else _compiled(files, compiler)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{role}.zip"
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        archive = Path(unfinished) / path.name
        write_archive(archive, compiled)
        size = archive.stat().st_size
        if size > budget:
            raise Unshippable(f"{role}: {size:,} bytes, over the budget of {budget:,}; find out what came in")
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        archive.replace(path)
    return Package(path, size, digest, compiled=compiler is not None)


def _found_at_run_time(role: str) -> Iterable[str]:
    """Return the modules that no import names: the remediator loads every fix by its id."""
    return [type(fix).__module__ for fix in all_fixes("azure")] if role == "remediate" else []


def _compiled(files: Mapping[str, bytes], compiler: Compiler) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        compiler.compile(folder)
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def main() -> None:
    """Write both packages and say what they are."""
    parser = argparse.ArgumentParser(description="Package the function apps.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="Folder to write to; .build/azure by default.")
    folder = parser.parse_args().output
    compiler = find_compiler(PYTHON)
    for role in ("rotate", "remediate"):
        made = write_package(role, folder, compiler)
        bytecode = f"bytecode of {compiler.version}" if compiler else f"no bytecode: there is no Python {PYTHON} here"
        sys.stdout.write(f"{made.path}  {made.size:,} bytes, {bytecode}\n")


if __name__ == "__main__":
    main()
