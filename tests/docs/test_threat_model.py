"""Hold docs/threat-model.md to the tests it names."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
CLAIM = re.compile(r"^\*\*T([0-9]+)\*\* (.+?)\n\n((?:- `[^`]+`\n)+)", re.MULTILINE | re.DOTALL)
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)


@cache
def named_in(path: str) -> frozenset[str]:
    """Return the names of the test functions in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_test_that_a_claim_names_exists(path: str, name: str) -> None:
    assert name in named_in(path)


def test_the_claims_are_numbered_and_each_names_a_test() -> None:
    claims = CLAIM.findall(TEXT)
    assert [int(number) for number, _, _ in claims] == list(range(1, len(claims) + 1))
    assert len(claims) == len(re.findall(r"^\*\*T", TEXT, re.MULTILINE)) > 30
    assert sum(len(tests.splitlines()) for _, _, tests in claims) == len(NAMED)


def test_every_invariant_is_claimed() -> None:
    rows = re.findall(r"^\| (I[0-9]+) \| .+? \| ((?:T[0-9]+(?:, )?)+) \|$", TEXT, re.MULTILINE)
    assert [name for name, _ in rows] == ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10"]
    numbers = {number for number, _, _ in CLAIM.findall(TEXT)}
    assert all(claim[1:] in numbers for _, claims in rows for claim in claims.split(", "))
