"""Parse the expressions of ARM templates.

The grammar is the documented one: calls, single-quoted texts, integers, and `.name` or `[index]` after any of them.
https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from infra.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<mark>[()\[\],.]))"
)


class Malformed(Refused):
    """Refuse a template; the message quotes the expression that is wrong."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Hold a text or an integer."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """Name a function and what it is given."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Look into an object or a list."""

    inside: Expression
    key: Expression


Expression: TypeAlias = "Literal | Call | Access"


def is_expression(text: str) -> bool:
    """Tell whether ARM evaluates a text; `[[` stands for a bracket."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def parse(text: str) -> Expression:
    """Return what is written between the brackets, or raise `Malformed`."""
    parser = _Parser(text, _tokens(text, text[1:-1]))
    found = parser.expression()
    parser.end()
    return found


def _tokens(whole: str, inner: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while inner[at:].strip():
        match = _TOKEN.match(inner, at)
        if match is None or match.lastgroup is None:
            raise Malformed(f"{whole}: {inner[at:]!r} can't be read")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, whole: str, tokens: Sequence[tuple[str, str]]) -> None:
        self._whole = whole
        self._tokens = [*tokens, ("end", "")]
        self._at = 0

    def expression(self) -> Expression:
        found = self._first()
        while self._tokens[self._at][1] in (".", "["):
            _, mark = self._next()
            if mark == ".":
                found = Access(found, Literal(self._expect("name")))
            else:
                found = Access(found, self.expression())
                self._expect("mark", "]")
        return found

    def end(self) -> None:
        self._expect("end")

    def _first(self) -> Expression:
        kind, token = self._next()
        if kind == "text":
            return Literal(token[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(int(token))
        if kind != "name":
            raise Malformed(f"{self._whole}: {token!r} begins no expression")
        return Call(token, self._arguments())

    def _arguments(self) -> tuple[Expression, ...]:
        self._expect("mark", "(")
        found: list[Expression] = []
        while self._tokens[self._at][1] != ")":
            if found:
                self._expect("mark", ",")
            found.append(self.expression())
        self._next()
        return tuple(found)

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, kind: str, token: str | None = None) -> str:
        met, found = self._next()
        if met != kind or (token is not None and found != token):
            raise Malformed(f"{self._whole}: {token or kind} expected, not {found or 'its end'!r}")
        return found
