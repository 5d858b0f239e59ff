"""Follow imports from modules to all the files that they need to run."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from infra.assets.imports import Reader
from infra.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from infra.assets.imports import Import

_LONGEST_FILE_NAME: Final = 100


class Unshippable(Refused):
    """Refuse to build an asset; the message names the module and what is wrong with it."""


@dataclass(slots=True)
class Closure:
    """Collect the files of modules, of the packages they are in, and the data files beside them that they name.

    `packages` maps each top-level package that may be shipped to the folder it is in; everything else must come with
    Python, or be optional. `own` is the package whose functions are looked into: other people's import lazily what we
    don't use, such as tracing; that nothing is missing is proved by running the asset alone.
    """

    packages: Mapping[str, Path]
    own: str
    files: dict[str, Path] = field(default_factory=dict)
    """Path in the asset → file."""
    seen: set[str] = field(default_factory=set)
    optional: list[str] = field(default_factory=list)
    """Modules yet to be tried."""

    def add(self, roots: Iterable[str]) -> None:
        """Add modules with all that they import; raise `Unshippable` for what can't be shipped."""
        self.require(roots)
        while self.optional:
            self._try(self.optional.pop())

    def _try(self, name: str) -> None:
        """Add an optional module if all that it imports can be shipped; leave it out otherwise."""
        trial = Closure(self.packages, self.own, dict(self.files), set(self.seen))
        try:
            trial.require([name])
        except Unshippable:
            return
        self.files, self.seen = trial.files, trial.seen
        self.optional.extend(trial.optional)

    def require(self, roots: Iterable[str]) -> None:
        """Add modules with all that they can't do without."""
        todo = list(roots)
        while todo:
            name = todo.pop()
            if name in self.seen:
                continue
            self.seen.add(name)
            file = self._file(name)
            if file is None:
                raise Unshippable(f"{name}: there is no such module")
            todo.extend(self._reached(name, file))

    def _reached(self, name: str, file: Path) -> Iterator[str]:
        """Yield what a module needs: the package it is in, and what it imports."""
        if "." in name:
            yield name.rpartition(".")[0]
        tree = ast.parse(file.read_bytes(), str(file))
        self._keep(name, file, tree)
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        own = name.partition(".")[0] == self.own
        for found in Reader(package, into_functions=own).read(tree.body):
            modules = list(self._modules(name, found))
            if found.optional:
                self.optional.extend(modules)
            else:
                yield from modules

    def _keep(self, name: str, file: Path, tree: ast.Module) -> None:
        root = self.packages[name.partition(".")[0]]
        self.files[file.relative_to(root).as_posix()] = file
        texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        for text in texts:
            if _names_data(text) and (file.parent / text).is_file():
                self.files[(file.parent / text).relative_to(root).as_posix()] = file.parent / text

    def _modules(self, importer: str, found: Import) -> Iterator[str]:
        top = found.module.partition(".")[0]
        if top in sys.stdlib_module_names or top == "__future__":
            return
        if self._file(found.module) is not None:
            yield found.module
        elif self._made_at_run_time(found.module):
            yield found.module.rpartition(".")[0]
        elif not found.optional:
            raise Unshippable(f"{importer} imports {found.module}, which is neither Python's nor among what is shipped")
        yield from (name for name in (f"{found.module}.{one}" for one in found.names) if self._file(name) is not None)

    def _made_at_run_time(self, module: str) -> bool:
        """Tell whether the parent is a plain module, which makes the name itself, as `six` makes `six.moves`."""
        parent = self._file(module.rpartition(".")[0])
        return parent is not None and parent.name != "__init__.py"

    def _file(self, module: str) -> Path | None:
        root = self.packages.get(module.partition(".")[0])
        if root is None:
            return None
        path = root.joinpath(*module.split("."))
        candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
        return next((candidate for candidate in candidates if candidate.is_file()), None)


def _names_data(text: str) -> bool:
    """Tell whether a text may be the name of a file other than code."""
    stem, dot, ending = text.rpartition(".")
    if not (stem and dot and ending.isalnum()) or ending.startswith("py"):
        return False
    return "/" not in text and len(text) <= _LONGEST_FILE_NAME
