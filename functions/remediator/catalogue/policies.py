"""Derive every policy from the cards of the fixes: what one session may do, and what the write role may at most."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from remediator.catalogue.spec import Tags, allow_on_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from remediator.catalogue.spec import JSON, Fix, Grant, Home, ResourceKind, Target

    AnyFix: TypeAlias = Fix[Any, Any, Any]

Policy: TypeAlias = "dict[str, JSON]"
Statement: TypeAlias = "dict[str, JSON]"

VERSION: Final = "2012-10-17"

SESSION_LIMIT: Final = 2_048
"""How many characters STS takes as a session policy."""

MANAGED_LIMIT: Final = 6_144
"""How many characters IAM takes as a managed policy; white space isn't counted, and there is none in ours."""

READ_TAGS: Final = allow_on_all("tag:GetResources")
"""What it takes to read the tags of resources of every kind: AWS's Resource Groups Tagging API."""

TAGGING: Final = "resourcegroupstaggingapi"
"""The SDK's name of the service that tells tags."""

FORBIDDEN_ACTIONS: Final = (
    "cloudtrail:GetQueryResults",
    "cloudtrail:LookupEvents",
    "cloudtrail:StartQuery",
    "config:BatchGet*ResourceConfig",
    "config:GetAggregateResourceConfig",
    "config:GetResourceConfigHistory",
    "config:Select*ResourceConfig",
    "events:PutRule",
    "events:PutTargets",
    "iam:GetAccountAuthorizationDetails",
    "iam:ListRoles",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetQueryResults",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "s3:GetObject",
    "securityhub:GetFindings",
)
"""What shows gate values of later windows (protocol.md): denied to the write role and to the remediator's own."""

IAM_TO_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "s3:GetBucketPublicAccessBlock": ("s3:GetPublicAccessBlock",),
    "s3:PutBucketPublicAccessBlock": ("s3:PutPublicAccessBlock", "s3:DeletePublicAccessBlock"),
    "s3:GetEncryptionConfiguration": ("s3:GetBucketEncryption",),
    "s3:PutEncryptionConfiguration": ("s3:PutBucketEncryption", "s3:DeleteBucketEncryption"),
    "Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action": (),
    "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action": (),
}
"""Where the API's operations aren't called as the action that allows them is.

Sources: "Amazon S3 API operations and their required permissions", S3 user guide; Azure Resource Manager asks for the
action on a resource that a request's body links to, and nobody calls it.
"""


def session_policy(fix: AnyFix, targets: Sequence[Target], *, deadline: int, write: bool, tags: bool = False) -> Policy:
    """Return the policy of one session: this fix on these targets, until `deadline`, in seconds of Unix time.

    With `tags` it may read tags too, which AWS can't narrow to the targets. A target whose name says no region, such as
    a bucket's, is reached only in the one that was said beside it: the SDK follows S3 to wherever the bucket is.
    """
    grants = [*_granted([fix], write=write), *(READ_TAGS if tags else ())]
    until = {"DateLessThan": {"aws:CurrentTime": f"{datetime.fromtimestamp(deadline, UTC):%Y-%m-%dT%H:%M:%SZ}"}}
    names = list(dict.fromkeys(target.id for target in targets))
    regions = sorted({target.region for target in targets if target.region is not None})
    here = _in_regions(regions) if fix.target.regional else {}
    apart = {} if all("region" in target.parts for target in targets) else here
    statements = (
        _allow(_actions(grants, on_target=True), names, until | apart),
        _allow(_actions(grants, on_target=False), "*", until | here),
    )
    return document(statement for statement in statements if statement["Action"])


def chunks(
    fix: AnyFix, targets: Iterable[Target], *, deadline: int, write: bool, tags: bool = False
) -> list[tuple[Target, ...]]:
    """Return the targets in the order given, region by region, as many to a session as its policy has room for."""
    regions: dict[str | None, list[Target]] = {}
    for target in targets:
        regions.setdefault(target.region, []).append(target)
    return [
        chunk
        for one_region in regions.values()
        for chunk in _filled(fix, one_region, deadline=deadline, write=write, tags=tags)
    ]


def write_role_statements(fixes: Iterable[AnyFix], home: Home, regions: Sequence[str]) -> list[Statement]:
    """Return what the write role is allowed: the union of the fixes' grants, as narrow as each kind's names allow.

    Tags may be read where some fix's targets show theirs: whether they exclude anything, the customer says later.
    """
    by_kind = sorted(fixes, key=lambda fix: (fix.target.title, fix.id))
    statements = [
        statement
        for _, same in groupby(by_kind, key=lambda fix: fix.target.title)
        for statement in _kind_statements(list(same), home, regions)
    ]
    statements.append(_allow(_actions(_tag_grants(by_kind), on_target=False), "*", _in_regions(regions)))
    return [statement for statement in statements if statement["Action"]]


def boundary_statements(
    fixes: Iterable[AnyFix], own_resources: Sequence[str], regions: Sequence[str]
) -> list[Statement]:
    """Return the write role's boundary: no action but the fixes', in no region but these, never on what is our own."""
    every = list(fixes)
    regional = [fix for fix in every if fix.target.regional]
    everywhere = [fix for fix in every if not fix.target.regional]
    allowed = (
        _allow(_all_actions(regional, _tag_grants(every)), "*", _in_regions(regions)),
        _allow(_all_actions(everywhere), "*", {}),
    )
    return [*(statement for statement in allowed if statement["Action"]), *write_role_denies(own_resources)]


def write_role_denies(own_resources: Sequence[str]) -> list[Statement]:
    """Return what the write role is denied, in its own policy and in its boundary alike."""
    return [own_resource_deny(own_resources), forbidden_deny("sts:AssumeRole")]


def own_resource_deny(patterns: Sequence[str]) -> Statement:
    """Deny every action on the deployment's own resources, named by patterns of IAM."""
    return {"Effect": "Deny", "Action": "*", "Resource": sorted(patterns)}


def forbidden_deny(*also: str) -> Statement:
    """Deny what shows gate values of later windows, and what else is named."""
    return {"Effect": "Deny", "Action": sorted({*FORBIDDEN_ACTIONS, *also}), "Resource": "*"}


def is_forbidden(action: str) -> bool:
    """Tell whether an action is one of those that no fix may declare; IAM doesn't tell upper case from lower."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in (*FORBIDDEN_ACTIONS, "sts:*"))


def managed_policies(statements: Iterable[Statement]) -> list[Policy]:
    """Return the statements in as many policies as IAM's limit for one makes necessary, in order."""
    policies: list[Policy] = []
    for statement in statements:
        grown = document([*policies[-1]["Statement"], statement]) if policies else None
        if grown is not None and len(compact(grown)) <= MANAGED_LIMIT:
            policies[-1] = grown
            continue
        alone = document([statement])
        if len(compact(alone)) > MANAGED_LIMIT:
            raise ValueError(f"one statement is longer than the {MANAGED_LIMIT} characters of a managed policy")
        policies.append(alone)
    return policies


def operations(fix: AnyFix) -> frozenset[str]:
    """Return the API operations that a fix calls, such as `s3:GetPublicAccessBlock`: the service is the SDK's name."""
    return operations_of(fix.service, fix.reads) | operations_of(fix.service, fix.writes)


def operations_of(service: str, grants: Iterable[Grant]) -> frozenset[str]:
    """Return the API operations of a service, by the SDK's name of it, that the grants stand for.

    Azure's access control names the operations of its API themselves, such as `Microsoft.Storage/storageAccounts/read`.
    """
    return frozenset(
        operation
        for grant in grants
        for action in grant.actions
        for operation in IAM_TO_OPERATIONS.get(action, (_operation(service, action),))
    )


def _operation(service: str, action: str) -> str:
    prefix, colon, name = action.partition(":")
    return f"{service}:{name}" if colon else prefix


def document(statements: Iterable[Statement]) -> Policy:
    """Return a policy of these statements."""
    return {"Version": VERSION, "Statement": list(statements)}


def compact(policy: Policy) -> str:
    """Return a policy as text, in the fewest characters."""
    return json.dumps(policy, separators=(",", ":"))


def _filled(
    fix: AnyFix, targets: Sequence[Target], *, deadline: int, write: bool, tags: bool
) -> Iterator[tuple[Target, ...]]:
    bare = len(compact(session_policy(fix, targets[:1], deadline=deadline, write=write, tags=tags)))
    narrow = any(grant.on_target for grant in _granted([fix], write=write))
    chunk: list[Target] = []
    length = bare
    for target in targets:
        more = len(json.dumps(target.id)) + 1 if narrow and chunk else 0
        if length + more > SESSION_LIMIT:
            yield tuple(chunk)
            chunk, more = [], 0
            length = len(compact(session_policy(fix, [target], deadline=deadline, write=write, tags=tags)))
        chunk.append(target)
        length += more
    yield tuple(chunk)


def _kind_statements(fixes: Sequence[AnyFix], home: Home, regions: Sequence[str]) -> tuple[Statement, Statement]:
    kind: ResourceKind = fixes[0].target
    grants = _granted(fixes, write=True)
    place = _in_regions(regions) if kind.regional else {}
    at_home = {} if kind.names_account() else {"aws:ResourceAccount": home.account}
    equals = {**place.get("StringEquals", {}), **at_home}
    return (
        _allow(_actions(grants, on_target=True), list(kind.patterns(home)), {"StringEquals": equals} if equals else {}),
        _allow(_actions(grants, on_target=False), "*", place),
    )


def _granted(fixes: Iterable[AnyFix], *, write: bool) -> list[Grant]:
    return [grant for fix in fixes for grant in (*fix.reads, *(fix.writes if write else ()))]


def _actions(grants: Iterable[Grant], *, on_target: bool) -> list[str]:
    return sorted({action for grant in grants if grant.on_target is on_target for action in grant.actions})


def _tag_grants(fixes: Iterable[AnyFix]) -> tuple[Grant, ...]:
    return READ_TAGS if any(fix.target.tags is Tags.SHOWN for fix in fixes) else ()


def _all_actions(fixes: Iterable[AnyFix], also: Iterable[Grant] = ()) -> list[str]:
    return sorted({action for grant in (*_granted(fixes, write=True), *also) for action in grant.actions})


def _in_regions(regions: Sequence[str]) -> dict[str, JSON]:
    if not regions:
        raise ValueError("name the regions: without one, a policy would hold for all")
    return {"StringEquals": {"aws:RequestedRegion": list(regions)}}


def _allow(actions: list[str], resource: str | list[str], condition: Mapping[str, JSON]) -> Statement:
    statement: Statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    return statement | {"Condition": dict(condition)} if condition else statement
