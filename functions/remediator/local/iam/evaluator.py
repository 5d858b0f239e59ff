"""Decide one request by all policies that apply to it, the way AWS documents it.

Sources: IAM User Guide, "Policy evaluation logic" (same account and cross-account), "Permissions boundaries for IAM
entities", "Session policies"; KMS Developer Guide, "Key policies". Deliberately not known here: resource control
policies, VPC endpoint policies, grants of KMS, access control lists of S3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .policy import Policy, Statement
    from .principal import Principal

# The account's own IAM policies count for these only as far as the resource's policy invites them.
_INVITATION_NEEDED: Final = frozenset({"sts:assumerole", "sts:tagsession", "sts:setsourceidentity"})


class Named(IntEnum):
    """Say how a resource policy names the caller, from weakest to strongest.

    What is granted to an account only invites that account's IAM. What is granted to a role is limited by the absence
    of an Allow in boundary and session policy; what is granted to a user, a session or everybody is not.
    """

    BY_ACCOUNT = 1
    AS_ROLE = 2
    DIRECTLY = 3


@dataclass(frozen=True, slots=True)
class Request:
    """Hold what is asked; the resource is an ARN, or `*` for an action that has none."""

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Policies:
    """Hold the policies that apply; None says that there is none, which differs from an empty one."""

    identity: Sequence[Policy] = ()
    resource: Policy | None = None
    boundary: Policy | None = None
    session: Policy | None = None
    control: Sequence[Policy] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Say yes or no, and why in one sentence; `explicit` is set when a Deny said no."""

    allowed: bool
    reason: str
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class _Grant:
    """Hold an Allow that matched, and how it names the caller (identity policies name nobody)."""

    where: str
    named: Named | None = None


def evaluate(request: Request, policies: Policies) -> Decision:
    """Decide the request; context keys may be written in any case."""
    request = replace(request, context={key.lower(): value for key, value in request.context.items()})
    denied = next(_explicit_denies(request, policies), None)
    if denied:
        return Decision(False, f"explicitly denied by {denied}", explicit=True)
    for policy in policies.control:
        if not _allow(request, [policy], "service control"):
            return _missing(request, f"service control policy {policy.name!r} does not allow")
    invited = _strongest_grant(request, policies)
    if not request.principal.account:
        return _outside_iam(request, invited)
    if request.resource_account == request.principal.account:
        return _same_account(request, policies, invited)
    return _cross_account(request, policies, invited)


def _explicit_denies(request: Request, policies: Policies) -> Iterator[str]:
    groups: list[tuple[str, Sequence[Policy | None]]] = [
        ("service control", policies.control),
        ("boundary", [policies.boundary]),
        ("session", [policies.session]),
        ("identity", policies.identity),
    ]
    for kind, group in groups:
        for policy in filter(None, group):
            yield from (_where(kind, policy, s) for s in _applying(request, policy) if not s.allows)
    if policies.resource:
        for statement in _applying(request, policies.resource):
            if not statement.allows and _denied_by_name(request, policies, statement):
                yield _where("resource", policies.resource, statement)


def _denied_by_name(request: Request, policies: Policies, statement: Statement) -> bool:
    # AWS: "NotPrincipal with Deny will always deny any principal that has a permissions boundary attached".
    if statement.not_principal and policies.boundary:
        return True
    return policies.resource is not None and _named(request.principal, statement, policies.resource) is not None


def _applying(request: Request, policy: Policy) -> Iterator[Statement]:
    return (s for s in policy.statements if s.applies(request.action, request.resource, request.context))


def _where(kind: str, policy: Policy, statement: Statement) -> str:
    return f"{kind} policy {policy.name!r}, statement {statement.label!r}"


def _allow(request: Request, policies: Sequence[Policy], kind: str) -> _Grant | None:
    for policy in policies:
        for statement in _applying(request, policy):
            if statement.allows:
                return _Grant(_where(kind, policy, statement))
    return None


def _strongest_grant(request: Request, policies: Policies) -> _Grant | None:
    policy = policies.resource
    if policy is None:
        return None
    grants = [
        _Grant(_where("resource", policy, statement), named)
        for statement in _applying(request, policy)
        if statement.allows and (named := _named(request.principal, statement, policy))
    ]
    return max(grants, key=lambda grant: grant.named or 0, default=None)


def _named(principal: Principal, statement: Statement, policy: Policy) -> Named | None:
    if statement.principals is None:
        return None
    found = [n for kind, name in statement.principals if (n := _name_matches(principal, kind, name, policy.bound))]
    if statement.not_principal:
        return None if found else Named.DIRECTLY
    return max(found, default=None)


def _name_matches(principal: Principal, kind: str, name: str, bound: Mapping[str, str]) -> Named | None:
    if kind == "Service":
        return Named.DIRECTLY if principal.kind == "Service" and name == principal.arn else None
    if kind == "AWS" and name in ("*", principal.session_arn):
        return Named.DIRECTLY
    if kind != "AWS" or not principal.account:
        return None
    if name == principal.account or (name.startswith("arn:") and name.endswith(f":iam::{principal.account}:root")):
        return Named.BY_ACCOUNT
    if _is_self(principal, name, bound):
        return Named.AS_ROLE if principal.session_arn else Named.DIRECTLY
    return None


def _is_self(principal: Principal, name: str, bound: Mapping[str, str]) -> bool:
    # AWS stores the unique id of the role or user; one made later under the same name is somebody else.
    entity_id = principal.entity_id
    return name == entity_id or (name == principal.arn and bound.get(name, entity_id) == entity_id)


def _outside_iam(request: Request, invited: _Grant | None) -> Decision:
    if invited:
        return Decision(True, f"allowed by {invited.where}")
    return _missing(request, "no statement of the resource's policy allows")


def _same_account(request: Request, policies: Policies, invited: _Grant | None) -> Decision:
    if invited and invited.named is Named.DIRECTLY:
        return Decision(True, f"allowed by {invited.where}")
    if invited and invited.named is Named.AS_ROLE:
        return _limited(request, policies, invited)
    if _needs_invitation(request) and not invited:
        return _missing(request, f"no statement of {_resource_policy_name(policies)} allows")
    granted = _allow(request, policies.identity, "identity")
    if not granted:
        return _missing(request, "no identity policy allows")
    return _limited(request, policies, granted)


def _cross_account(request: Request, policies: Policies, invited: _Grant | None) -> Decision:
    if not invited:
        return _missing(
            request, f"the resource is another account's, and no statement of {_resource_policy_name(policies)} allows"
        )
    granted = _allow(request, policies.identity, "identity")
    if not granted:
        return _missing(request, "the resource is another account's, and no identity policy allows")
    return _limited(request, policies, granted)


def _limited(request: Request, policies: Policies, granted: _Grant) -> Decision:
    limits = (("boundary", policies.boundary), ("session", policies.session))
    for kind, policy in limits:
        if policy and not _allow(request, [policy], kind):
            return _missing(request, f"{kind} policy {policy.name!r} does not allow")
    return Decision(True, f"allowed by {granted.where}")


def _needs_invitation(request: Request) -> bool:
    action = request.action.lower()
    return action in _INVITATION_NEEDED or (action.startswith("kms:") and ":key/" in request.resource)


def _resource_policy_name(policies: Policies) -> str:
    return f"resource policy {policies.resource.name!r}" if policies.resource else "a resource policy (there is none)"


def _missing(request: Request, what: str) -> Decision:
    return Decision(False, f"{what} {request.action} on {request.resource}")
