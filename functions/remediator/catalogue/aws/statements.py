"""Judge the statements of a resource's policy: whom they let in, and what is left of them without everybody."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from remediator.catalogue.spec import JSON

Statement: TypeAlias = dict[str, Any]

Narrowing: TypeAlias = "Mapping[str, Callable[[str], bool]]"
"""Condition key, in lower case → whether a value of it lets only some in."""

WIDEST: Final = {4: 8, 6: 32}
"""The shortest prefix, by version of IP, of a range that S3 doesn't take for the whole internet."""

DEMANDS: Final = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")
"""Operators that hold only where the key is there and has one of the values: neither negated nor `…IfExists`."""


def fixed(value: str) -> bool:
    """Tell whether a value stands for itself alone: it has no wildcard and no variable of IAM."""
    return re.search(r"[*?]|\$\{", value) is None


def few_addresses(value: str) -> bool:
    """Tell whether an address or a range is narrow enough not to be the internet."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= WIDEST[network.version]


def in_organization(value: str) -> bool:
    """Tell whether a path begins with a fixed organization, whatever its units are."""
    return re.fullmatch(r"o-[a-z0-9]{10,32}/.*", value) is not None


NARROWING: Final[Narrowing] = {
    **dict.fromkeys(("aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:userid"), fixed),
    **dict.fromkeys(("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceowner"), fixed),
    **dict.fromkeys(("aws:principalservicename", "aws:sourcevpc", "aws:sourcevpce"), fixed),
    **dict.fromkeys(("aws:principalorgpaths", "aws:sourceorgpaths"), in_organization),
    "aws:sourceip": few_addresses,
}
"""What makes a statement for everybody one for some, in policies of every service.

Source: S3 user guide, "Blocking public access", "The meaning of public": a fixed principal, organization, source,
network or `aws:userid`; `AROA…:*`, the sessions of a role, has a wildcard and isn't fixed.
"""


def without_everybody(statements: Iterable[Statement], narrowing: Narrowing) -> list[Statement]:
    """Return the statements without what they allow to everybody; the principals that they name keep their access."""
    closed = (_closed(statement, narrowing) for statement in statements)
    return [statement for statement in closed if statement is not None]


def listed(value: JSON) -> list[Any]:
    """Return what a policy gives as one thing or as a list of them, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _closed(statement: Statement, narrowing: Narrowing) -> Statement | None:
    if statement["Effect"] != "Allow" or _is_narrowed(statement, narrowing):
        return statement
    principal = statement.get("Principal", "*")  # with NotPrincipal it is everybody but some
    named = _named(principal) if isinstance(principal, dict) else {}
    if named == principal:
        return statement
    return {**statement, "Principal": named} if named else None


def _is_narrowed(statement: Statement, narrowing: Narrowing) -> bool:
    """Tell whether one of the conditions, all of which must hold, lets only some in by each of its values."""
    return any(
        operator.lower().removeprefix("foranyvalue:") in DEMANDS
        and all(narrowing.get(key.lower(), _nothing)(str(value)) for value in listed(values))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _nothing(_value: str) -> bool:
    return False


def _named(principal: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the principals without everybody; one that is left alone stands without its list, as AWS writes it."""
    named: dict[str, JSON] = {}
    for kind, values in principal.items():
        left = [value for value in listed(values) if _is_named(kind, value)]
        if left:
            alone = left[0] if len(left) == 1 else left
            named[kind] = values if left == listed(values) else alone
    return named


def _is_named(kind: str, value: str) -> bool:
    """Tell whether a principal is a fixed one; an identity provider such as graph.facebook.com vouches for anybody."""
    return fixed(value) and (kind != "Federated" or value.startswith("arn:"))
