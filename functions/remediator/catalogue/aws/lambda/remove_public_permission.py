"""Take everybody out of a Lambda function's policy."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import LAMBDA_FUNCTION
from remediator.catalogue.aws.statements import NARROWING, fixed, without_everybody
from remediator.catalogue.errors import NotApplicable, Overtaken
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_lambda import LambdaClient

    from remediator.catalogue.aws.statements import Narrowing, Statement
    from remediator.catalogue.spec import JSON, Target

State: TypeAlias = dict[str, Any]
"""The function's ARN, and the statements of its policy in the order of their names; a function without one has none."""

NO_POLICY: Final = "The resource you requested does not exist."
"""What Lambda says of a function without a policy; of a function that isn't there it says more under the same code."""

SID: Final = r"[A-Za-z0-9_-]{1,100}"

CONDITIONS: Final = {
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
}
"""The parameters of AddPermission, and what Lambda makes of each."""


def of_one_account(value: str) -> bool:
    """Tell whether an ARN is a fixed one, or one of those that only a fixed account's resources have."""
    return fixed(value) or re.fullmatch(r"arn:[a-z-]+:[^:]+:[^:]*:[0-9]{12}:.+", value) is not None


KEYS: Final[Narrowing] = {**NARROWING, "aws:sourcearn": of_one_account, "aws:principalarn": of_one_account}
"""An event source is mostly given by a pattern, such as all routes of one API."""

ARN: Final = LAMBDA_FUNCTION.example["arn"]
ALIAS: Final = f"{ARN}:live"


def permission(sid: str, principal: JSON, condition: JSON = None, *, arn: str = ARN) -> Statement:
    """Return a statement as AddPermission makes it, for the examples."""
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction"}
    return {**statement, "Resource": arn} | ({"Condition": condition} if condition else {})


KEPT: Final = (
    permission("a-partner", {"AWS": "arn:aws:iam::111122223333:root"}),
    permission(
        "bucket",
        {"Service": "s3.amazonaws.com"},
        {"StringEquals": {"AWS:SourceAccount": "123456789012"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"}},
    ),
    permission("organization", "*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
    permission("route", "*", {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/*/GET/"}}),
)
PUBLIC: Final = (
    permission("everybody", "*"),
    permission("skill", "*", {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.1"}}),
    permission("url", "*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}})
    | {"Action": "lambda:InvokeFunctionUrl"},
    permission("url-invoke", "*", {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
)


class RemovePublicPermission(Fix["LambdaClient", State, NoParameters]):
    """Take everybody out of a Lambda function's policy.

    Whoever isn't named in the policy can't invoke the function any more, nor call its URL: a URL without authentication
    stays where it is and refuses everybody. Permissions of named principals and services stay as they are, and so do
    those for everybody that hold only for a fixed account, organization or source. An ARN with an alias or a version
    means the policy of that one, which is another than the function's own.

    A policy whose public statement Lambda's AddPermission couldn't write again, exactly as it is, is refused.
    """

    id = "aws.lambda.remove-public-permission"
    target = LAMBDA_FUNCTION
    severity = Severity.CRITICAL
    service = "lambda"
    reads = allow("lambda:GetPolicy")
    writes = allow("lambda:AddPermission", "lambda:RemovePermission")
    answers: ClassVar = {
        "cloudsploit": ids("lambdaPublicAccess"),
        "prowler": ids("awslambda_function_not_publicly_accessible"),
        "security-hub": ids("Lambda.1"),
    }
    examples = (
        Example(
            broken={"arn": ARN, "statements": sorted((*KEPT, *PUBLIC), key=lambda one: str(one["Sid"]))},
            fixed={"arn": ARN, "statements": [*KEPT]},
            others=({"arn": ARN, "statements": []}, {"arn": ARN, "statements": [*KEPT[:2]]}),
        ),
        Example(
            target={"arn": ALIAS},
            broken={"arn": ALIAS, "statements": [permission("everybody", "*", arn=ALIAS)]},
            fixed={"arn": ALIAS, "statements": []},
        ),
    )

    def read(self, client: LambdaClient, target: Target) -> State:
        """Return the statements of the function's policy, or of its alias' or version's."""
        statements, _ = _look(client, target)
        return {"arn": target.id, "statements": statements}

    def desired(self, current: State, parameters: NoParameters) -> State:  # noqa: ARG002 - takes none
        """Return the policy without everybody; raise `NotApplicable` where a rollback couldn't write it again."""
        left = without_everybody(current["statements"], KEYS)
        for statement, _ in _steps(current["statements"], left):
            _words(statement, current["arn"])
        return {"arn": current["arn"], "statements": left}

    def write(self, client: LambdaClient, target: Target, before: State, after: State) -> None:
        """Remove, then add, one statement after the other, each only if the policy is what the one before left."""
        standing = before["statements"]
        for statement, adding in _steps(before["statements"], after["statements"]):
            if not _stepped(client, target, standing, statement, adding=adding):
                if standing is before["statements"]:
                    raise Overtaken("the policy isn't the one that was looked at")
                return  # what was written before stands, and is told from what is read back
            others = [one for one in standing if one != statement]
            standing = _ordered([*others, statement]) if adding else others


def _look(client: LambdaClient, target: Target) -> tuple[list[Statement], dict[str, Any]]:
    """Return the statements, and the revision as a parameter of the call that is to find it unchanged."""
    try:
        answer = client.get_policy(**_named(target))
    except client.exceptions.ResourceNotFoundException as error:
        if error.response["Error"]["Message"] != NO_POLICY:
            raise
        return [], {}
    statements = _ordered(_plain(one) for one in json.loads(answer["Policy"])["Statement"])
    return statements, {"RevisionId": answer["RevisionId"]}


def _stepped(
    client: LambdaClient, target: Target, standing: list[Statement], statement: Statement, *, adding: bool
) -> bool:
    """Add or remove a statement; tell whether the policy was what it should be, without which nothing is done."""
    found, revision = _look(client, target)
    if found != standing:
        return False
    try:
        if adding:
            client.add_permission(**_named(target), **revision, **_words(statement, target.id))
        else:
            client.remove_permission(**_named(target), **revision, StatementId=statement["Sid"])
    except client.exceptions.PreconditionFailedException:
        return False
    return True


def _steps(before: list[Statement], after: list[Statement]) -> list[tuple[Statement, bool]]:
    """Return what to remove, then what to add: a statement under the same name can't be added first."""
    gone, new = ([one for one in these if one not in those] for these, those in ((before, after), (after, before)))
    return [*((one, False) for one in gone), *((one, True) for one in new)]


def _words(statement: Statement, arn: str) -> dict[str, Any]:
    """Return a statement in AddPermission's words; raise `NotApplicable` where it has none that make this statement."""
    principal, condition = statement.get("Principal", ""), statement.get("Condition", {})
    said = {
        "StatementId": statement.get("Sid", ""),
        "Action": statement.get("Action", ""),
        "Principal": next(iter(principal.values())) if isinstance(principal, dict) else principal,
        **{name: condition.get(operator, {}).get(key) for name, (operator, key) in CONDITIONS.items()},
    }
    words = {name: value for name, value in said.items() if value is not None}
    whole = all(isinstance(value, str) for value in words.values())
    if not whole or re.fullmatch(SID, words["StatementId"]) is None or _made(words, arn) != statement:
        name = statement.get("Sid", "without a name")
        raise NotApplicable(f"AddPermission couldn't write the statement {name} again as it is: change it by hand")
    switch = words.pop("InvokedViaFunctionUrl", None)
    return words if switch is None else {**words, "InvokedViaFunctionUrl": switch == "true"}


def _made(words: Mapping[str, str], arn: str) -> Statement:
    """Return the statement that AddPermission makes of its words (Lambda API reference, "AddPermission")."""
    condition: dict[str, dict[str, str]] = {}
    for name, (operator, key) in CONDITIONS.items():
        if name in words:
            condition.setdefault(operator, {})[key] = words[name]
    statement = permission(words["StatementId"], _principal(words["Principal"]), condition, arn=arn)
    return {**statement, "Action": words["Action"]}


def _principal(name: str) -> JSON:
    if name == "*":
        return name
    return {"AWS": name} if name.startswith("arn:") else {"Service": name}


def _plain(statement: Statement) -> Statement:
    """Return a statement with everybody written in one way: `{"AWS": "*"}` is the same as `*`."""
    everybody = statement.get("Principal") in ({"AWS": "*"}, {"AWS": ["*"]})
    return {**statement, "Principal": "*"} if everybody else statement


def _ordered(statements: Iterable[Statement]) -> list[Statement]:
    return sorted(statements, key=lambda one: str(one.get("Sid")))


def _named(target: Target) -> dict[str, Any]:
    qualifier: str | None = target["qualifier"]
    return {"FunctionName": target["function"]} | ({"Qualifier": qualifier} if qualifier else {})
