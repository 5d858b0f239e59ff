"""Read what the roles of a deployment on AWS are allowed, from the policies that stand in the account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.world import World


@dataclass(frozen=True, order=True)
class Right:
    """Hold one action that one statement allows to one role; `resources` are IAM's patterns."""

    role: str
    statement: str
    action: str
    resources: tuple[str, ...]

    def covers(self, action: str, resource: str) -> bool:
        """Tell whether this right is one that lets the action on the resource through, whatever its conditions say."""
        same = fnmatchcase(action.lower(), self.action.lower())
        return same and any(fnmatchcase(resource, pattern) for pattern in self.resources)


def every_role(world: World) -> set[str]:
    """Return all roles in the account whose name says that they are ours."""
    found = world.admin("iam").list_roles()["Roles"]
    return {role["RoleName"] for role in found if role["RoleName"].partition("-")[0] == "remediator"}


def rights(world: World) -> list[Right]:
    """Return every right of every role of ours. AWS's own SecurityAudit is the reader's by order of the protocol."""
    return sorted({*_by_identity(world), *_by_function(world)})


def _by_identity(world: World) -> Iterator[Right]:
    iam = world.admin("iam")
    for role in sorted(every_role(world)):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            yield from _of(role, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            if ":aws:policy/" in attached["PolicyArn"]:
                continue
            version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
            policy = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]
            yield from _of(role, policy["Document"])


def _by_function(world: World) -> Iterator[Right]:
    """Yield what the endpoint's own policy grants; it names the two roles that may call."""
    name = world.account.outputs["RemediateFunction"]
    policy = json.loads(world.admin("lambda").get_policy(FunctionName=name)["Policy"])
    for one in policy["Statement"]:
        role = one["Principal"]["AWS"].rpartition("/")[2]
        yield Right(role, "the endpoint's own policy", one["Action"], _several(one["Resource"]))


def _of(role: str, document: Any) -> Iterator[Right]:
    for one in document["Statement"]:
        if one["Effect"] == "Allow":
            for action in _several(one["Action"]):
                yield Right(role, one.get("Sid", "the fixes' own"), action, _several(one["Resource"]))


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
