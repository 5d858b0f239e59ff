"""Build what is deployed as a function's code: its import closure, and nothing else."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.assets.archive import write_archive
from infra.assets.bytecode import find_compiler
from infra.assets.closure import Closure, Unshippable
from infra.assets.locked import shipped_packages
from infra.assets.sdk import SdkData

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from infra.assets.bytecode import Compiler

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "requirements" / "dev.lock"
OWN: Final = "remediator"
SDK_DATA: Final = "botocore/data"
BUDGET: Final = 2_600_000
"""Bytes that an asset may have, packed, with bytecode; the larger one has 2.3 million."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Say what a function needs: the module of its handler, modules found only at run time, and SDK operations."""

    name: str
    handler: str
    also: Collection[str]
    operations: Collection[str]


@dataclass(frozen=True, slots=True)
class Asset:
    """Hold a built archive; the digest is over its sources, and over what they were compiled with."""

    path: Path
    digest: str
    compiled: bool


@dataclass(frozen=True, slots=True)
class Builder:
    """Build assets into `folder`; one that is already there, under its digest, is taken as it is."""

    folder: Path
    compiler: Compiler | None
    budget: int = BUDGET

    def build(self, recipe: Recipe) -> Asset:
        """Return a function's asset, or raise `Unshippable`."""
        sources = gather(recipe)
        digest = _digest(sources, self.compiler)
        path = self.folder / f"{recipe.name}-{digest[:20]}.zip"
        if not path.is_file():
            self._write(path, sources if self.compiler is None else _compiled(sources, self.compiler))
        if path.stat().st_size > self.budget:
            raise Unshippable(
                f"{recipe.name}: {path.stat().st_size:,} bytes, over the budget of {self.budget:,}:"
                " every cold start pays for them; find out what came in"
            )
        return Asset(path, digest, compiled=self.compiler is not None)

    def _write(self, path: Path, files: Mapping[str, bytes]) -> None:
        """Write the archive under its name only when it is whole, since others may be building too."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as unfinished:
            archive = Path(unfinished) / path.name
            write_archive(archive, files)
            archive.replace(path)


def default_builder(minor: str) -> Builder:
    """Return the builder that deployments use, for a Python such as `3.13`."""
    return Builder(ROOT / ".build" / "assets", find_compiler(minor))


def gather(recipe: Recipe) -> dict[str, bytes]:
    """Return a function's sources and data, by their path in the asset."""
    packages = {OWN: ROOT / "functions", **shipped_packages(LOCK)}
    closure = Closure(packages, OWN)
    closure.add([recipe.handler, *recipe.also])
    files = {name: file.read_bytes() for name, file in closure.files.items()}
    data = SdkData(packages["botocore"] / SDK_DATA).cut(recipe.operations)
    return files | {f"{SDK_DATA}/{name}": content for name, content in data.items()}


def _digest(sources: Mapping[str, bytes], compiler: Compiler | None) -> str:
    digest = hashlib.sha256(f"bytecode of {compiler.version if compiler else 'none'}\n".encode())
    for name, content in sorted(sources.items()):
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _compiled(sources: Mapping[str, bytes], compiler: Compiler) -> dict[str, bytes]:
    """Return sources and their bytecode."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for path, content in sources.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        compiler.compile(folder)
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
