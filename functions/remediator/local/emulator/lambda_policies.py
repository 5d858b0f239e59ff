"""Keep the policies of functions, their versions and their aliases as Lambda does.

moto drops conditions and names that are taken, never finds a revision unchanged when a statement is removed, and knows
no policy of an alias. Here a policy is what there is of a function's statements for one ARN; IAM is asked by that ARN.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from moto.awslambda.exceptions import (
    GenericResourcNotFound,
    LambdaClientError,
    PreconditionFailedException,
    UnknownPolicyException,
)
from moto.awslambda.models import LambdaBackend
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.emulator.hooks import Hooks

STALE: Final = (
    "The RevisionId provided does not match the latest RevisionId for the Lambda function or alias. Call the "
    "GetFunction or the GetAlias API to retrieve the latest RevisionId for your resource."
)


class StatementExists(LambdaClientError):  # noqa: N818 - errors are named for what is the case
    """Answer an AddPermission whose statement id is taken."""

    code = 409

    def __init__(self, statement_id: str) -> None:
        message = f"The statement id ({statement_id}) provided already exists. Please provide a new statement id, "
        super().__init__("ResourceConflictException", message + "or remove the existing statement.")


def install(hooks: Hooks) -> None:
    """Repair moto's resource policies of functions."""
    hooks.replace(Policy, "add_statement", _add_statement)
    hooks.replace(LambdaBackend, "add_permission", _add_permission)
    hooks.replace(LambdaBackend, "get_policy", _get_policy)
    hooks.replace(LambdaResponse, "remove_permission", _remove_permission)


def _add_permission(self: LambdaBackend, function_name: str, qualifier: str | None, raw: str) -> dict[str, Any]:
    """Add a statement to the policy of a function, or of its version or alias."""
    policy, arn = _found(self, function_name, qualifier)
    statement: dict[str, Any] = policy.add_statement(raw, arn.partition(":function:")[2].partition(":")[2])[0]
    return statement


def _get_policy(self: LambdaBackend, function_name: str, qualifier: str | None = None) -> str:
    """Return the statements for the ARN that is named, and their revision."""
    policy, arn = _found(self, function_name, qualifier)
    statements = [one for one in policy.statements if one["Resource"] == arn]
    if not statements:
        raise GenericResourcNotFound
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return json.dumps({"Policy": json.dumps(document), "RevisionId": policy.revision})


def _remove_permission(self: LambdaResponse) -> tuple[int, dict[str, int], str]:
    """Remove a statement for the ARN that is named.

    https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html
    """
    name, _, statement_id = self.path.rsplit("/", 2)
    asked = {key: self.querystring.get(key, [None])[0] for key in ("Qualifier", "RevisionId")}
    policy, arn = _found(self.backend, unquote(name.rpartition("/")[2]), asked["Qualifier"])
    _require(policy, asked["RevisionId"])
    kept = [one for one in policy.statements if (one["Sid"], one["Resource"]) != (unquote(statement_id), arn)]
    if len(kept) == len(policy.statements):
        raise UnknownPolicyException
    policy.statements[:] = kept
    policy.revision = str(uuid.uuid4())
    return 204, {"status": 204}, ""


def _found(backend: LambdaBackend, name: str, qualifier: str | None) -> tuple[Policy, str]:
    """Return where a function's statements are kept, and the ARN that is named; raises if there is no such thing."""
    backend.get_function(name, qualifier)
    text, _, within = name.rpartition(":function:")[2].partition(":")
    function = backend.get_function(text)
    named = qualifier or within
    return function.policy, f"{function.function_arn}:{named}" if named else function.function_arn


def _require(policy: Policy, revision: str | None) -> None:
    if revision not in (None, "", policy.revision):
        raise PreconditionFailedException(STALE)


def _add_statement(self: Policy, raw: str, qualifier: str | None = None) -> tuple[Any, str]:
    """Write the statement that AddPermission makes.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    asked = json.loads(raw)
    arn = self.parent.arn if hasattr(self.parent, "arn") else self.parent.function_arn
    statement_id = asked["StatementId"]
    resource = f"{arn}:{qualifier}" if qualifier else arn
    if any((existing["Sid"], existing["Resource"]) == (statement_id, resource) for existing in self.statements):
        raise StatementExists(statement_id)
    _require(self, asked.get("RevisionId"))
    statement: dict[str, Any] = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": _principal(asked["Principal"]),
        "Action": asked["Action"],
        "Resource": resource,
    }
    if conditions := _conditions(asked):
        statement["Condition"] = conditions
    self.statements.append(statement)
    self.revision = str(uuid.uuid4())
    return statement, self.revision


def _principal(name: str) -> str | dict[str, str]:
    if name == "*":
        return name
    if name.endswith(".amazonaws.com"):
        return {"Service": name}
    return {"AWS": f"arn:aws:iam::{name}:root" if name.isdigit() else name}


def _conditions(asked: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    conditions: dict[str, dict[str, str]] = {}
    equal = {
        "lambda:FunctionUrlAuthType": asked.get("FunctionUrlAuthType"),
        "AWS:SourceAccount": asked.get("SourceAccount"),
        "aws:PrincipalOrgID": asked.get("PrincipalOrgID"),
        "lambda:EventSourceToken": asked.get("EventSourceToken"),
    }
    if strings := {key: value for key, value in equal.items() if value is not None}:
        conditions["StringEquals"] = strings
    if asked.get("SourceArn") is not None:
        conditions["ArnLike"] = {"AWS:SourceArn": asked["SourceArn"]}
    if asked.get("InvokedViaFunctionUrl") is not None:
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(asked["InvokedViaFunctionUrl"]).lower()}
    return conditions
