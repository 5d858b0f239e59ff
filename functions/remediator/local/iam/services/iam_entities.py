"""IAM: roles, users, groups and policies with their paths.

Source: Service Authorization Reference, "AWS Identity and Access Management".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.iam.models import iam_backends

from remediator.local.iam.check import Check

if TYPE_CHECKING:
    from remediator.local.iam.apicall import ApiCall

# The first parameter present names the resource; the order settles AddUserToGroup and AddRoleToInstanceProfile.
_RESOURCES: Final = (
    ("PolicySourceArn", None, None),
    ("InstanceProfileName", "instance-profile", "instance_profiles"),
    ("RoleName", "role", "roles"),
    ("GroupName", "group", "groups"),
    ("UserName", "user", "users"),
    ("PolicyArn", None, None),
    ("PolicyName", "policy", None),
    ("ServerCertificateName", "server-certificate", None),
    ("SAMLProviderArn", None, None),
    ("OpenIDConnectProviderArn", None, None),
    ("SerialNumber", None, None),
)
# Without a name these concern the caller's own user; what lists or concerns the account has no resource.
_OWN_USER: Final = frozenset({"GetUser", "ListAccessKeys", "CreateAccessKey", "ChangePassword"})
# These are also conditioned on the boundary that their role or user has already.
_KNOW_THE_BOUNDARY: Final = frozenset(
    f"{verb}{kind}{noun}"
    for kind in ("Role", "User")
    for verb, noun in (
        *(("Put", "Policy"), ("Delete", "Policy"), ("Attach", "Policy"), ("Detach", "Policy")),
        ("Delete", "PermissionsBoundary"),
    )
)
_NOT_A_RESOURCE: Final = frozenset({"GetAccessKeyLastUsed", "SimulateCustomPolicy", "ListPolicies", "ListRoles"})


def checks(call: ApiCall) -> list[Check]:
    """Return what an IAM operation needs."""
    context: dict[str, Any] = {}
    if "PolicyArn" in call.params and call.operation.startswith(("Attach", "Detach")):
        context["iam:PolicyARN"] = str(call.params["PolicyArn"])
    if "PermissionsBoundary" in call.params:
        context["iam:PermissionsBoundary"] = str(call.params["PermissionsBoundary"])
    elif call.operation in _KNOW_THE_BOUNDARY and (boundary := _boundary(call)):
        context["iam:PermissionsBoundary"] = boundary
    return [Check(f"iam:{call.operation}", _resource(call), context)]


def _boundary(call: ApiCall) -> str | None:
    backend, name = iam_backends[call.account]["aws"], call.params.get("RoleName") or call.params.get("UserName")
    entities: list[Any] = [*backend.roles.values(), *backend.users.values()]
    return next((getattr(one, "permissions_boundary_arn", None) for one in entities if one.name == name), None)


def _resource(call: ApiCall) -> str:
    if call.operation in _NOT_A_RESOURCE:
        return "*"
    for parameter, kind, collection in _RESOURCES:
        name = call.params.get(parameter)
        if name:
            return str(name) if kind is None else _arn(call, kind, collection, str(name))
    return f"arn:aws:iam::{call.account}:user/*" if call.operation in _OWN_USER else "*"


def _arn(call: ApiCall, kind: str, collection: str | None, name: str) -> str:
    backend = iam_backends[call.account]["aws"]
    for found in list(getattr(backend, collection).values()) if collection else []:
        if found.name == name:
            return str(found.arn)
    return f"arn:aws:iam::{call.account}:{kind}{call.params.get('Path') or '/'}{name}"
