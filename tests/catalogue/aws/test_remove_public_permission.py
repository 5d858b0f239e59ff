from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from remediator.catalogue import registry
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import NotApplicable, Overtaken
from remediator.catalogue.spec import Example, NoParameters
from tests.laws.trials import AT_ONCE, HOME, Case, Trial, staged

FIX: Any = registry.load("aws.lambda.remove-public-permission")
ours: Any = import_module("remediator.catalogue.aws.lambda.remove_public_permission")
"""A module that no import statement can name: lambda is a word of Python's."""

ARN, ALIAS, KEPT, PUBLIC, permission = ours.ARN, ours.ALIAS, ours.KEPT, ours.PUBLIC, ours.permission
EVERYBODY, SKILL, URL, URL_INVOKE = PUBLIC
PARTNER = KEPT[0]


def state(*statements: Any, arn: str = ARN) -> dict[str, Any]:
    return {"arn": arn, "statements": sorted(statements, key=lambda one: str(one["Sid"]))}


def desired(*statements: Any) -> list[Any]:
    left: list[Any] = FIX.desired(state(*statements), NoParameters())["statements"]
    return left


def when(operator: str, key: str, value: Any) -> Any:
    return permission("some", "*", {operator: {key: value}})


def broken(*statements: Any, target: Any = None, arn: str = ARN) -> Case:
    return Case(FIX, Example(broken=state(*statements, arn=arn), fixed=None, target=target))


def changes(trial: Trial) -> list[tuple[str, dict[str, Any]]]:
    """Apply, roll back, and return what was written."""
    with trial.recording() as calls:
        change, _ = trial.apply()
        trial.job.roll_back(change, pauses=AT_ONCE)
    return [(name, dict(request)) for name, request in calls.made if name != "lambda:GetPolicy"]


@pytest.mark.parametrize("statement", PUBLIC, ids=lambda one: str(one["Sid"]))
def test_what_everybody_may_is_removed(statement: Any) -> None:
    assert desired(statement, PARTNER) == [PARTNER]


@pytest.mark.parametrize("statement", KEPT, ids=lambda one: str(one["Sid"]))
def test_what_some_may_is_kept(statement: Any) -> None:
    assert desired(statement) == [statement]


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("arn:aws:s3:::uploads", True),
        ("arn:aws:execute-api:*:123456789012:*", True),
        ("arn:aws:execute-api:eu-west-1:*:a1b2/*", False),
        ("arn:aws:s3:::*", False),
        ("arn:*", False),
        ("*", False),
    ],
)
def test_a_pattern_of_sources_narrows_within_a_fixed_account(source: str, *, kept: bool) -> None:
    statement = when("ArnLike", "AWS:SourceArn", source)
    assert desired(statement) == ([statement] if kept else [])


@pytest.mark.parametrize(("principal", "kept"), [("arn:aws:iam::111122223333:role/*", True), ("arn:aws:iam::*", False)])
def test_a_pattern_of_principals_narrows_within_a_fixed_account(principal: str, *, kept: bool) -> None:
    statement = when("ArnLike", "aws:PrincipalArn", principal)
    if kept:
        assert desired(statement) == [statement]
        return
    with pytest.raises(NotApplicable, match="the statement some again"):
        desired(statement)


def test_whoever_signs_is_still_everybody() -> None:
    statement = when("StringEquals", "lambda:FunctionUrlAuthType", "AWS_IAM")
    assert desired(statement | {"Action": "lambda:InvokeFunctionUrl"}) == []


INEXPRESSIBLE = {
    "without a name": {"Sid": None},
    "a name with a dot": {"Sid": "a.b"},
    "several actions": {"Action": ["lambda:InvokeFunction", "lambda:GetFunction"]},
    "all actions but one": {"Action": None, "NotAction": "lambda:GetFunction"},
    "several principals": {"Principal": {"AWS": ["*", "arn:aws:iam::111122223333:root"]}},
    "everybody but one": {"Principal": None, "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}},
    "all services": {"Principal": {"Service": "*"}},
    "all versions": {"Resource": f"{ARN}:*"},
    "another condition": {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    "another operator": {"Condition": {"StringLike": {"AWS:SourceAccount": "*"}}},
    "another spelling": {"Condition": {"StringEquals": {"lambda:functionurlauthtype": "NONE"}}},
    "several values": {"Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": ["NONE", "AWS_IAM"]}}},
    "a list of one value": {"Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": ["NONE"]}}},
    "one condition more": {
        "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE", "aws:PrincipalTag/x": "y"}}
    },
    "a version of its own": {"Version": "x"},
}


@pytest.mark.parametrize("change", INEXPRESSIBLE.values(), ids=INEXPRESSIBLE)
def test_what_a_rollback_could_not_write_again_is_refused_before_it_is_lost(change: dict[str, Any]) -> None:
    statement = {name: value for name, value in (EVERYBODY | change).items() if value is not None}
    current = {"arn": ARN, "statements": [statement, EVERYBODY | {"Sid": "plain"}]}
    with pytest.raises(NotApplicable, match=f"the statement {statement.get('Sid', 'without a name')} again"):
        FIX.desired(current, NoParameters())


def test_what_stays_may_have_any_form() -> None:
    odd = {"Sid": "a.b", "Effect": "Deny", "Principal": "*", "Action": ["lambda:*"], "Resource": "*"}
    assert desired(odd, EVERYBODY) == [odd]


def test_each_statement_comes_back_in_the_words_it_was_made_with() -> None:
    every = permission(
        "every",
        "*",
        {
            "StringEquals": {"lambda:EventSourceToken": "t", "lambda:FunctionUrlAuthType": "NONE"},
            "Bool": {"lambda:InvokedViaFunctionUrl": "false"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::*"},
        },
    )
    with staged(broken(every, URL_INVOKE)) as trial:
        written = changes(trial)
        assert trial.job.read() == trial.broken
    locks = [request.pop("RevisionId", None) for _, request in written]
    assert [name for name, _ in written] == ["lambda:RemovePermission"] * 2 + ["lambda:AddPermission"] * 2
    assert [request for name, request in written if name == "lambda:AddPermission"] == [
        {
            "FunctionName": "orders",
            "StatementId": "every",
            "Action": "lambda:InvokeFunction",
            "Principal": "*",
            "EventSourceToken": "t",
            "FunctionUrlAuthType": "NONE",
            "InvokedViaFunctionUrl": False,
            "SourceArn": "arn:aws:s3:::*",
        },
        {
            "FunctionName": "orders",
            "StatementId": "url-invoke",
            "Action": "lambda:InvokeFunction",
            "Principal": "*",
            "InvokedViaFunctionUrl": True,
        },
    ]
    assert all(locks[:2])
    assert locks[2] is None, "where there is no policy there is no revision"
    assert locks[3]


def test_an_alias_has_a_policy_of_its_own() -> None:
    target = {"arn": ALIAS}
    ours_alone = permission("everybody", "*", arn=ALIAS)
    with staged(broken(ours_alone, target=target, arn=ALIAS)) as trial:
        client = trial.job.client
        client.add_permission(
            FunctionName="orders", StatementId="everybody", Action="lambda:InvokeFunction", Principal="*"
        )
        written = changes(trial)
        assert {(request["FunctionName"], request["Qualifier"]) for _, request in written} == {("orders", "live")}
        trial.apply()
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_policy(FunctionName="orders", Qualifier="live")
        [left] = json.loads(client.get_policy(FunctionName="orders")["Policy"])["Statement"]
        assert left["Resource"] == ARN


def test_everybody_is_everybody_however_it_is_written() -> None:
    for principal in ({"AWS": "*"}, {"AWS": ["*"]}):
        assert ours._plain(EVERYBODY | {"Principal": principal}) == EVERYBODY
    two = EVERYBODY | {"Principal": {"AWS": "*", "Service": "s3.amazonaws.com"}}
    assert ours._plain(two) == two


def test_what_lambda_tells_is_read_in_one_form_and_one_order() -> None:
    told = [URL, EVERYBODY | {"Principal": {"AWS": "*"}}]
    with staged(broken()) as trial, Stubber(trial.job.client) as stub:
        answer = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": told}), "RevisionId": "1"}
        stub.add_response("get_policy", answer, {"FunctionName": "orders"})
        assert trial.job.read()["statements"] == [EVERYBODY, URL]


class Meddling:
    """Somebody else who adds a statement once, right before a call of ours."""

    def __init__(self, trial: Trial, *, before: str, at: int = 1) -> None:
        self.trial, self.at = trial, at
        self.events, self.event = trial.job.client.meta.events, f"before-call.lambda.{before}"

    def __enter__(self) -> None:
        self.events.register(self.event, self.add)

    def __exit__(self, *_: object) -> None:
        self.events.unregister(self.event, self.add)

    def add(self, **_: object) -> None:
        self.at -= 1
        if self.at == 0:
            self.trial.job.client.add_permission(
                FunctionName="orders", StatementId="theirs", Action="lambda:InvokeFunction", Principal="111122223333"
            )


def sids(trial: Trial) -> list[str]:
    return [one["Sid"] for one in trial.job.read()["statements"]]


@pytest.mark.parametrize("before", ["GetPolicy", "RemovePermission"])
def test_a_policy_that_changed_between_look_and_write_is_not_written(before: str) -> None:
    with staged(broken(EVERYBODY, PARTNER)) as trial:
        change = trial.job.plan()
        with Meddling(trial, before=before), pytest.raises(Overtaken):
            FIX.write(trial.job.client, trial.job.target, change.before, change.after)
        assert sids(trial) == ["a-partner", "everybody", "theirs"]


def test_the_engine_calls_it_drifted() -> None:
    with staged(broken(EVERYBODY, PARTNER)) as trial:
        change = trial.job.plan()
        with Meddling(trial, before="RemovePermission"):
            assert trial.job.apply(change, pauses=AT_ONCE) is Outcome.DRIFTED


@pytest.mark.parametrize("before", ["GetPolicy", "RemovePermission"])
def test_a_policy_that_changed_half_way_is_left_there_and_not_called_untouched(before: str) -> None:
    with staged(broken(EVERYBODY, URL)) as trial:
        change = trial.job.plan()
        with Meddling(trial, before=before, at=2):
            assert trial.job.apply(change, pauses=AT_ONCE) is Outcome.UNVERIFIED
        assert sids(trial) == ["theirs", "url"]


def test_a_rollback_over_somebody_elses_statement_of_that_name_tramples_nothing() -> None:
    with staged(broken(EVERYBODY)) as trial:
        change, _ = trial.apply()
        trial.job.client.add_permission(
            FunctionName="orders", StatementId="everybody", Action="lambda:GetFunction", Principal="111122223333"
        )
        assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.DRIFTED
        assert trial.job.read()["statements"][0]["Action"] == "lambda:GetFunction"


def test_a_function_without_a_policy_lets_nobody_in() -> None:
    with staged(broken()) as trial:
        assert trial.job.read() == state()
        assert not trial.job.plan().needed


@pytest.mark.parametrize("qualifier", ["", ":gone", ":7"])
def test_a_function_that_is_not_there_is_an_error_not_a_private_one(qualifier: str) -> None:
    with staged(broken(EVERYBODY)) as trial:
        if not qualifier:
            trial.job.client.delete_function(FunctionName="orders")
        target = FIX.target.parse({"arn": f"{ARN}{qualifier}"}, HOME)
        with pytest.raises(ClientError, match="Function not found"):
            FIX.read(trial.job.client, target)
