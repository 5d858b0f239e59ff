"""Complete moto's IAM: simulations, permissions boundaries of users, unique ids that say what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import NoSuchEntity, ValidationError
from moto.iam.models import IAMBackend, User
from moto.iam.responses import IamResponse

from . import entities
from .arns import Arn
from .evaluator import Policies, Request, evaluate
from .hooks import add, run_all, wrap
from .policy import Policy
from .principal import Principal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BOUNDARY: Final = "permissions_boundary_arn"


def install() -> Callable[[], None]:
    """Add the operations; returns what takes them away again."""
    undo = [
        wrap(IamResponse, "create_user", _create_user),
        wrap(User, "__init__", _with_users_id),
        add(User, "permissions_boundary", property(_shown_boundary)),
        add(IAMBackend, "set_user_boundary", _set_user_boundary),
        add(IamResponse, "put_user_permissions_boundary", _put_user_permissions_boundary),
        add(IamResponse, "delete_user_permissions_boundary", _delete_user_permissions_boundary),
        add(IamResponse, "simulate_principal_policy", _simulate_principal_policy),
        add(IamResponse, "simulate_custom_policy", _simulate_custom_policy),
    ]
    return lambda: run_all(undo)


def _with_users_id(original: Callable[..., None], self: User, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - moto's
    original(self, *args, **kwargs)
    self.id = f"AIDA{self.id[4:]}"


def _shown_boundary(user: User) -> dict[str, str] | None:
    arn = getattr(user, _BOUNDARY, None)
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None


def _set_user_boundary(backend: IAMBackend, name: str, arn: str | None) -> None:
    setattr(backend.get_user(name), _BOUNDARY, arn)


def _create_user(original: Callable[..., ActionResult], self: IamResponse) -> ActionResult:
    result = original(self)
    _bound_by_request(self)
    return result


def _put_user_permissions_boundary(self: IamResponse) -> ActionResult:
    _bound_by_request(self)
    return EmptyResult()


def _delete_user_permissions_boundary(self: IamResponse) -> ActionResult:
    self.backend.set_user_boundary(self._get_param("UserName"), None)  # type: ignore[attr-defined] # added above
    return EmptyResult()


def _bound_by_request(self: IamResponse) -> None:
    boundary = self._get_param("PermissionsBoundary")
    if boundary:
        self.backend.set_user_boundary(self._get_param("UserName"), boundary)  # type: ignore[attr-defined] # added above


def _simulate_principal_policy(self: IamResponse) -> ActionResult:
    arn = self._get_param("PolicySourceArn")
    found = entities.entity(arn)
    if found is None:
        raise NoSuchEntity(f"Cannot find {arn}")
    boundary = found.boundary_policy()
    return _simulate(self, arn, found.identity_policies(), boundary)


def _simulate_custom_policy(self: IamResponse) -> ActionResult:
    caller = self._get_param("CallerArn") or f"arn:aws:iam::{self.current_account}:user/simulated"
    return _simulate(self, caller, (), None)


def _simulate(self: IamResponse, arn: str, identity: Sequence[Policy], boundary: Policy | None) -> ActionResult:
    given = self._get_param("PolicyInputList") or []
    limits = self._get_param("PermissionsBoundaryPolicyInputList") or []
    resource_policy = self._get_param("ResourcePolicy")
    inputs = [Policy.parse(f"PolicyInputList.{number}", text) for number, text in enumerate(given, 1)]
    policies = Policies(
        identity=[*identity, *inputs],
        resource=Policy.parse("ResourcePolicy", resource_policy) if resource_policy else None,
        boundary=Policy.parse("PermissionsBoundaryPolicyInputList.1", limits[0]) if limits else boundary,
    )
    parsed = Arn.parse(arn)
    if parsed is None:
        raise ValidationError(f"Invalid ARN {arn}.")
    account = parsed.account
    principal = Principal(arn, None, account, arn, "", None)
    context: dict[str, Any] = {"aws:PrincipalArn": arn}
    for entry in self._get_param("ContextEntries") or []:
        values = entry["ContextKeyValues"]
        context[entry["ContextKeyName"]] = values if entry["ContextKeyType"].endswith("List") else values[0]
    results = [
        _result(Request(principal, action, resource, account, context), policies)
        for action in self._get_param("ActionNames")
        for resource in self._get_param("ResourceArns") or ["*"]
    ]
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def _result(request: Request, policies: Policies) -> dict[str, Any]:
    decision = evaluate(request, policies)
    denied = "explicitDeny" if decision.explicit else "implicitDeny"
    return {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": "allowed" if decision.allowed else denied,
        "MatchedStatements": [],
        "MissingContextValues": [],
    }
