"""Read what a module imports from its source, without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ABSENCE: Final = {"ImportError", "ModuleNotFoundError", "Exception"}


@dataclass(frozen=True, slots=True)
class Import:
    """Name what one statement imports: a module, and perhaps names from it that may be modules too."""

    module: str
    names: tuple[str, ...]
    optional: bool
    """Under a condition, or guarded against its absence."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Read imports; those that only a type checker sees don't count.

    `package` is what relative imports start from. Imports inside functions are read where `into_functions` says so.
    """

    package: str
    into_functions: bool

    def read(self, body: Iterable[ast.AST], *, optional: bool = False) -> Iterator[Import]:
        """Yield the imports of statements, and of the statements within."""
        for node in body:
            match node:
                case ast.Import():
                    yield from (Import(alias.name, (), optional) for alias in node.names)
                case ast.ImportFrom():
                    yield Import(self._module(node), tuple(alias.name for alias in node.names), optional)
                case ast.If():
                    yield from self._branches(node, optional=optional)
                case ast.Try():
                    yield from self.read(node.body, optional=optional or _guarded(node))
                    yield from self.read([*node.handlers, *node.orelse, *node.finalbody], optional=optional)
                case ast.FunctionDef() | ast.AsyncFunctionDef() if not self.into_functions:
                    continue
                case _:
                    yield from self.read(ast.iter_child_nodes(node), optional=optional)

    def _branches(self, node: ast.If, *, optional: bool) -> Iterator[Import]:
        if ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            yield from self.read(node.orelse, optional=optional)
            return
        yield from self.read([*node.body, *node.orelse], optional=True)

    def _module(self, node: ast.ImportFrom) -> str:
        if node.level == 0:
            return node.module or ""
        parts = self.package.split(".")
        base = parts[: len(parts) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])


def _guarded(node: ast.Try) -> bool:
    caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type is not None)
    return any(name in caught for name in _ABSENCE) or any(handler.type is None for handler in node.handlers)
