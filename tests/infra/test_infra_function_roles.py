"""What the rotator, the remediator and the schedule may do."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import pytest

import remediator.aws
from infra.aws import uses
from remediator.aws import event_bus, receipts, request_spans, seed_ring, sessions, staging, trust_policy, verifiers
from remediator.catalogue.policies import FORBIDDEN_ACTIONS
from tests.infra.deployed import (
    ACCOUNT,
    DEAD_LETTERS,
    KEY,
    RECEIPTS,
    REMEDIATE,
    ROTATE,
    SECRETS,
    STATE,
    Deployed,
    arn,
    role_arn,
)

pytestmark = pytest.mark.xdist_group("synth")

ROTATOR, REMEDIATOR, SCHEDULER = "remediator-rotator", "remediator", "remediator-scheduler"
WATCHER = "remediator-watcher"
WRITE = role_arn("remediator-write")
BUS = arn("events", "event-bus/default")
LOGS = {
    ROTATOR: arn("logs", "log-group:/aws/lambda/remediator-rotate:log-stream:any"),
    REMEDIATOR: arn("logs", "log-group:/aws/lambda/remediator-remediate:log-stream:any"),
}


def via(service: str) -> dict[str, str]:
    return {"kms__ViaService": f"{service}.eu-west-1.amazonaws.com"}


def keys(*names: str) -> dict[str, Any]:
    return {"dynamodb__LeadingKeys": list(names)}


def allowed_actions(deployed: Deployed, role: str, *services: str) -> set[str]:
    return {
        action
        for statement in deployed.statements(role)
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if action.startswith(services or "")
    }


def test_the_rotator_is_granted_exactly_what_its_adapters_use(deployed: Deployed) -> None:
    used = {*seed_ring.USES, *staging.USES, *trust_policy.USES}
    assert allowed_actions(deployed, ROTATOR, "dynamodb:", "secretsmanager:", "iam:", "sts:") == used
    assert uses.rotator_actions() == used


def test_the_remediator_is_granted_exactly_what_its_adapters_use(deployed: Deployed) -> None:
    used = {*verifiers.USES, *receipts.USES, *receipts.USES_STATE, *sessions.USES, *event_bus.USES}
    assert allowed_actions(deployed, REMEDIATOR, "dynamodb:", "secretsmanager:", "iam:", "sts:", "events:") == used
    assert uses.remediator_actions() == used


def test_every_adapter_that_declares_what_it_uses_belongs_to_a_function() -> None:
    """A new adapter that is forgotten here would be deployed without its permissions and models."""
    modules = [import_module(f"remediator.aws.{found.name}") for found in pkgutil.iter_modules(remediator.aws.__path__)]
    declared = {
        action
        for module in modules
        for name, value in vars(module).items()
        if name == "USES" or name.startswith("USES_")
        for action in value
    }
    assert declared == uses.rotator_actions() | uses.remediator_actions() | uses.watcher_actions()


def test_an_action_that_two_adapters_use_reaches_the_keys_of_both() -> None:
    assert uses._joined({"a:B": ("one",)}, {"a:B": ("two",), "a:C": ("x",)}) == {"a:B": ["one", "two"], "a:C": ["x"]}


def test_beyond_these_the_functions_use_the_key_write_their_log_and_send_dead_letters(deployed: Deployed) -> None:
    plumbing = {"kms", "logs", "sqs"}
    services = {"dynamodb", "secretsmanager", "iam", "sts"}
    remediators = services | {"events"} | plumbing - {"sqs"}
    for role, its in ((ROTATOR, services | plumbing), (REMEDIATOR, remediators)):
        assert {action.partition(":")[0] for action in allowed_actions(deployed, role)} <= its


@pytest.mark.parametrize("role", [ROTATOR, REMEDIATOR, WATCHER])
def test_functions_run_as_lambda_alone(deployed: Deployed, role: str) -> None:
    assert deployed.roles[role]["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]


@pytest.mark.parametrize(
    ("adapter", "role", "table"),
    [(staging.USES, ROTATOR, STATE), (verifiers.USES, REMEDIATOR, STATE), (receipts.USES_STATE, REMEDIATOR, STATE)],
)
def test_items_are_reached_by_the_keys_that_the_adapter_names(
    deployed: Deployed, adapter: dict[str, tuple[str, ...]], role: str, table: str
) -> None:
    every = {"control", "policy", "lease", "window/5000", "count/AROA/5000", "anything"}
    for action, patterns in adapter.items():
        reached = {key for key in every if deployed.asks(role, action, table, **keys(key)).allowed}
        named = {
            key for key in every if any(key == one or (one[-1] == "*" and key.startswith(one[:-1])) for one in patterns)
        }
        assert reached == named, action


@pytest.mark.parametrize("role", [ROTATOR, REMEDIATOR])
def test_a_request_that_mixes_reachable_and_other_items_or_names_no_key_is_refused(
    deployed: Deployed, role: str
) -> None:
    assert deployed.asks(role, "dynamodb:BatchGetItem", STATE, **keys("control", "window/1")).allowed
    assert not deployed.asks(role, "dynamodb:BatchGetItem", STATE, **keys("control", "count/AROA/1")).allowed
    assert not deployed.asks(role, "dynamodb:BatchGetItem", STATE).allowed


def test_the_rotator_never_writes_a_counter_and_the_remediator_never_a_window_or_the_state(deployed: Deployed) -> None:
    for action in ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"):
        assert not deployed.asks(ROTATOR, action, STATE, **keys("count/AROA/1")).allowed
        for key in ("control", "policy", "lease", "window/1"):
            assert not deployed.asks(REMEDIATOR, action, STATE, **keys(key)).allowed


def test_the_rotator_never_changes_the_state_once_it_is_there(deployed: Deployed) -> None:
    assert not deployed.asks(ROTATOR, "dynamodb:UpdateItem", STATE, **keys("control")).allowed


@pytest.mark.parametrize("action", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:DeleteTable"])
def test_the_rotator_is_denied_the_receipts(deployed: Deployed, action: str) -> None:
    assert deployed.asks(ROTATOR, action, RECEIPTS).explicit


@pytest.mark.parametrize(
    "action",
    [
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:DeleteTable",
        "dynamodb:PartiQLDelete",
        "dynamodb:PartiQLUpdate",
        "dynamodb:RestoreTableToPointInTime",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:UpdateTable",
        "dynamodb:UpdateTimeToLive",
    ],
)
def test_no_role_deletes_a_receipt_or_weakens_the_table(deployed: Deployed, action: str) -> None:
    for role in deployed.roles:
        assert not deployed.asks(role, action, RECEIPTS).allowed, role
    assert deployed.asks(REMEDIATOR, action, RECEIPTS).explicit


def test_only_the_rotator_moves_the_gate_and_no_other_role(deployed: Deployed) -> None:
    may = [role for role in deployed.roles if deployed.asks(role, "iam:UpdateAssumeRolePolicy", WRITE).allowed]
    assert may == [ROTATOR]
    others = [role_arn(role) for role in deployed.roles if role != "remediator-write"]
    for other in (*others, role_arn("administrator")):
        assert not deployed.asks(ROTATOR, "iam:UpdateAssumeRolePolicy", other).allowed


@pytest.mark.parametrize("action", ["iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PassRole", "iam:CreateRole"])
def test_no_role_changes_what_a_role_may_do(deployed: Deployed, action: str) -> None:
    for role in deployed.roles:
        assert not deployed.asks(role, action, WRITE).allowed, role


def test_only_the_remediator_knocks_at_the_gate(deployed: Deployed) -> None:
    assert [role for role in deployed.roles if deployed.asks(role, "sts:AssumeRole", WRITE).allowed] == []
    trusting = {
        role: deployed.asks(role, "sts:AssumeRole", WRITE).reason.startswith("no statement of a resource policy")
        for role in deployed.roles
    }
    assert trusting[REMEDIATOR], "its own policies allow; what is missing is the trust policy of the moment"
    assert deployed.statement(REMEDIATOR, "PassGate")["Resource"] == [WRITE]


@pytest.mark.parametrize("role", ["administrator", "remediator-rotator", "remediator-reader"])
def test_the_remediator_is_denied_every_other_role(deployed: Deployed, role: str) -> None:
    assert deployed.asks(REMEDIATOR, "sts:AssumeRole", role_arn(role)).explicit


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:GetSecretValue", SECRETS[0]),
        ("secretsmanager:PutSecretValue", SECRETS[5]),
        ("lambda:InvokeFunction", ROTATE),
        ("lambda:UpdateFunctionCode", REMEDIATE),
        ("kms:ScheduleKeyDeletion", KEY),
        ("sqs:SendMessage", DEAD_LETTERS),
        ("sns:Publish", arn("sns", "remediator-alarms")),
        ("scheduler:UpdateSchedule", arn("scheduler", "schedule/default/remediator-rotate")),
        ("logs:DeleteLogGroup", arn("logs", "log-group:/aws/lambda/remediator-remediate")),
        ("logs:PutLogEvents", LOGS[ROTATOR]),
        ("cloudwatch:DisableAlarmActions", arn("cloudwatch", "alarm:remediator-wrong-code")),
        ("cloudformation:UpdateStack", arn("cloudformation", "stack/Remediator/any")),
        ("iam:DeleteRolePolicy", role_arn("remediator")),
        ("iam:UpdateAssumeRolePolicy", WRITE),
        ("events:DisableRule", arn("events", "rule/remediator-watch")),
        ("cloudwatch:DeleteDashboards", f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/remediator"),
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/remediator-write-boundary"),
        ("s3:PutObject", f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-eu-west-1/code.zip"),
    ],
)
def test_the_remediator_is_denied_the_rest_of_the_deployment(deployed: Deployed, action: str, resource: str) -> None:
    assert deployed.asks(REMEDIATOR, action, resource).explicit


@pytest.mark.parametrize("action", FORBIDDEN_ACTIONS)
def test_the_remediator_is_denied_what_shows_later_gate_values(deployed: Deployed, action: str) -> None:
    assert deployed.asks(REMEDIATOR, action.replace("*", "Some"), "*").explicit


def test_the_remediator_holds_nothing_on_customers_resources(deployed: Deployed) -> None:
    own = (STATE, RECEIPTS, KEY, WRITE, LOGS[REMEDIATOR].partition(":log-stream")[0], BUS)
    for statement in deployed.statements(REMEDIATOR):
        if statement["Effect"] == "Allow":
            assert all(resource.startswith(own) for resource in statement["Resource"]), statement["Sid"]
    assert "ManagedPolicyArns" not in deployed.roles[REMEDIATOR]


@pytest.mark.parametrize("role", [ROTATOR, REMEDIATOR])
def test_functions_write_their_own_log_and_no_other(deployed: Deployed, role: str) -> None:
    other = LOGS[REMEDIATOR if role == ROTATOR else ROTATOR]
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        assert deployed.asks(role, action, LOGS[role]).allowed
        assert not deployed.asks(role, action, other).allowed
    assert not deployed.asks(role, "logs:CreateLogGroup", LOGS[role]).allowed


def test_the_key_serves_only_through_the_services_that_use_it(deployed: Deployed) -> None:
    serves = {
        role: {
            service
            for service in ("dynamodb", "secretsmanager", "sqs", "s3", "sns")
            if deployed.asks(role, "kms:Decrypt", KEY, **via(service)).allowed
        }
        for role in deployed.roles
    }
    assert serves == {
        "remediator-reader": {"secretsmanager"},
        "remediator-operator": {"secretsmanager", "dynamodb"},
        ROTATOR: {"dynamodb", "secretsmanager", "sqs"},
        REMEDIATOR: {"dynamodb"},
        SCHEDULER: {"sqs"},
        WATCHER: {"dynamodb"},
        "remediator-write": set(),
    }
    assert not any(deployed.asks(role, "kms:Decrypt", KEY).allowed for role in deployed.roles)


def test_every_grant_of_the_key_names_the_service_it_is_for(deployed: Deployed) -> None:
    for role in deployed.roles:
        for statement in deployed.statements(role):
            if statement["Effect"] == "Allow" and any(action.startswith("kms:") for action in statement["Action"]):
                assert list(statement["Condition"]["StringEquals"]) == ["kms:ViaService"], (role, statement["Sid"])
                assert statement["Resource"] == [KEY] or statement["Sid"] == "DecryptFormerReceipts"


def test_the_schedule_starts_the_rotator_and_nothing_else(deployed: Deployed) -> None:
    trust = deployed.roles[SCHEDULER]["AssumeRolePolicyDocument"]["Statement"]
    assert [one["Principal"] for one in trust] == [{"Service": "scheduler.amazonaws.com"}]
    assert trust[0]["Condition"]["StringEquals"] == {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": arn("scheduler", "schedule-group/default"),
    }
    assert deployed.asks(SCHEDULER, "lambda:InvokeFunction", ROTATE).allowed
    assert not deployed.asks(SCHEDULER, "lambda:InvokeFunction", REMEDIATE).allowed
    assert allowed_actions(deployed, SCHEDULER) == {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "lambda:InvokeFunction",
        "sqs:SendMessage",
    }


def test_the_remediator_announces_in_its_own_name_on_the_accounts_bus_and_no_other(deployed: Deployed) -> None:
    def may(bus: str, **context: Any) -> bool:
        return deployed.asks(REMEDIATOR, "events:PutEvents", bus, **context).allowed

    assert may(BUS, events__source=["remediator"])
    assert not may(BUS, events__source=["aws.sts"])
    assert not may(BUS, events__source=["remediator", "shop"])
    assert not may(BUS)
    assert not may(arn("events", "event-bus/other"), events__source=["remediator"])


@pytest.mark.parametrize("action", ["events:PutRule", "events:PutTargets"])
def test_the_remediator_never_says_where_events_go(deployed: Deployed, action: str) -> None:
    assert deployed.asks(REMEDIATOR, action, arn("events", "rule/any")).explicit


def test_the_watcher_looks_requests_up_and_writes_nothing_but_its_log(deployed: Deployed) -> None:
    assert uses.watcher_actions() == set(request_spans.USES)
    plumbing = {"kms:Decrypt", "kms:DescribeKey", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert allowed_actions(deployed, WATCHER) == {*request_spans.USES, *plumbing}
    assert deployed.asks(WATCHER, "dynamodb:GetItem", RECEIPTS).allowed
    assert not deployed.asks(WATCHER, "dynamodb:GetItem", STATE, **keys("control")).allowed
    own = arn("logs", "log-group:/aws/lambda/remediator-watch:log-stream:any")
    assert deployed.asks(WATCHER, "logs:PutLogEvents", own).allowed
    assert not deployed.asks(WATCHER, "logs:PutLogEvents", LOGS[REMEDIATOR]).allowed


def test_every_role_is_one_of_ours_and_its_sessions_last_an_hour_at_most(deployed: Deployed) -> None:
    assert sorted(deployed.roles) == [
        "remediator",
        "remediator-operator",
        "remediator-reader",
        "remediator-rotator",
        "remediator-scheduler",
        "remediator-watcher",
        "remediator-write",
    ]
    assert {role["MaxSessionDuration"] for role in deployed.roles.values()} == {3600}


def test_the_only_allow_on_everything_is_one_that_aws_cannot_narrow(deployed: Deployed) -> None:
    """`BatchGetSecretValue` has no resource; what it returns is decided by `GetSecretValue` on each secret."""
    wide = [
        (role, statement["Sid"], statement["Action"])
        for role in deployed.roles
        for statement in deployed.statements(role)
        if statement["Effect"] == "Allow" and "*" in statement["Resource"]
    ]
    assert wide == [(ROTATOR, "FetchSeedsAtOnce", ["secretsmanager:BatchGetSecretValue"])]
    assert not deployed.asks(ROTATOR, "secretsmanager:GetSecretValue", arn("secretsmanager", "secret:other-x")).allowed


def test_no_allow_has_a_wildcard_in_an_action(deployed: Deployed) -> None:
    for role in deployed.roles:
        for statement in deployed.statements(role):
            if statement["Effect"] == "Allow":
                assert not any("*" in action for action in statement["Action"]), (role, statement)
