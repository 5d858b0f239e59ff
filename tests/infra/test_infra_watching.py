"""What the watcher is shown, by whom, and what is told of changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto.events.models import EventPattern

from infra.aws.announcing import TOLD
from infra.aws.dashboard import GRAPHS
from remediator.aws.event_bus import DETAIL_TYPE, SOURCE
from remediator.aws.monitor import METRICS
from remediator.catalogue.engine import Outcome
from remediator.catalogue.registry import all_fixes
from remediator.catalogue.spec import OneWay
from remediator.service.announcements import ANNOUNCED
from tests.infra.deployed import ACCOUNT, Deployed, arn, role_arn

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.xdist_group("synth")

RULE = "AWS::Events::Rule"
MAIL = "somebody@example.com"
WRITE = "remediator-write"


def fits(deployed: Deployed, event: dict[str, Any], name: str = "remediator-watch") -> bool:
    pattern = json.dumps(deployed.one(RULE, Name=name)["EventPattern"])
    matches: Any = EventPattern.load(pattern).matches_event
    return bool(matches(event))


def seen(source: str, name: str, **asked: Any) -> dict[str, Any]:
    detail = {"eventName": name, "requestParameters": asked}
    return {"source": source, "detail-type": "AWS API Call via CloudTrail", "detail": detail}


@pytest.mark.parametrize(
    "event",
    [
        seen("aws.sts", "AssumeRole", roleArn=role_arn(WRITE), roleSessionName="x"),
        seen("aws.sts", "AssumeRoleWithWebIdentity", roleArn=role_arn(WRITE)),
        seen("aws.iam", "UpdateAssumeRolePolicy", roleName=WRITE),
        seen("aws.iam", "PutRolePolicy", roleName=WRITE, policyName="x"),
        seen("aws.iam", "AttachRolePolicy", roleName=WRITE, policyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
        seen("aws.iam", "DeleteRolePermissionsBoundary", roleName=WRITE),
        seen("aws.iam", "CreatePolicyVersion", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/remediator-write-boundary"),
        seen("aws.iam", "SetDefaultPolicyVersion", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/remediator-write-0"),
    ],
)
def test_whoever_takes_or_changes_the_write_role_is_shown_to_the_watcher(
    deployed: Deployed, event: dict[str, Any]
) -> None:
    assert fits(deployed, event)
    assert not fits(deployed, event | {"source": "remediator"})


@pytest.mark.parametrize(
    "event",
    [
        seen("aws.sts", "AssumeRole", roleArn=role_arn("remediator-writer")),
        seen("aws.sts", "GetCallerIdentity"),
        seen("aws.iam", "GetRole", roleName=WRITE),
        seen("aws.iam", "PutRolePolicy", roleName="another"),
        seen("aws.iam", "CreatePolicyVersion", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/another"),
    ],
)
def test_nothing_else_is(deployed: Deployed, event: dict[str, Any]) -> None:
    assert not fits(deployed, event)


def test_the_rule_asks_for_calls_that_count_as_reading_and_alone_starts_the_watcher(deployed: Deployed) -> None:
    rule = deployed.one(RULE, Name="remediator-watch")
    assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert [one["Arn"] for one in rule["Targets"]] == [arn("lambda", "function:remediator-watch")]
    grant = deployed.one("AWS::Lambda::Permission", FunctionName="remediator-watch")
    assert (grant["Principal"], grant["SourceArn"]) == ("events.amazonaws.com", arn("events", "rule/remediator-watch"))
    assert grant["Action"] == "lambda:InvokeFunction"


def test_without_an_address_nothing_is_sent(deployed: Deployed) -> None:
    assert [one["Name"] for one in deployed.of_type(RULE).values()] == ["remediator-watch"]
    assert len(deployed.of_type("AWS::SNS::Topic")) == 1


def test_with_one_the_rule_publishes_what_changed_by_a_role_of_its_own(deployed_with: Callable[..., Deployed]) -> None:
    deployed = deployed_with(notify_email=MAIL)
    rule = deployed.one(RULE, Name="remediator-message")
    (target,) = rule["Targets"]
    assert rule["EventPattern"] == {
        "source": [SOURCE],
        "detail-type": [DETAIL_TYPE],
        "detail": {"outcome": ["fixed", "pending", "unverified", "rolled_back"]},
    }
    topic = arn("sns", "remediator-changes")
    assert (target["Arn"], target["RoleArn"]) == (topic, role_arn("remediator-messenger"))
    (mail,) = deployed.of_type("AWS::SNS::Subscription").values()
    assert (mail["Protocol"], mail["Endpoint"], mail["TopicArn"]) == ("email", MAIL, topic)
    trust = deployed.roles["remediator-messenger"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"]["StringEquals"]["aws:SourceArn"] == arn("events", "rule/remediator-message")
    assert deployed.asks("remediator-messenger", "sns:Publish", topic).allowed
    assert not deployed.asks("remediator-messenger", "sns:Publish", arn("sns", "remediator-alarms")).allowed


def test_a_message_names_account_resource_finding_and_the_way_back(deployed_with: Callable[..., Deployed]) -> None:
    rule = deployed_with(notify_email=MAIL).one(RULE, Name="remediator-message")
    transformer = rule["Targets"][0]["InputTransformer"]
    template = transformer["InputTemplate"]
    for name in ("account_alias", "resource", "finding", "way_back", "outcome"):
        assert transformer["InputPathsMap"][name] == f"$.detail.{name}"
        assert f"<{name}>" in template
    assert all(line.startswith('"') and line.endswith('"') for line in template.split("\n"))


def test_what_goes_into_a_message_needs_no_escaping() -> None:
    """EventBridge puts values between the template's quotes as they are."""
    assert not [fix.id for fix in all_fixes("aws") if isinstance(fix, OneWay) and '"' in fix.why]


def test_everything_that_changed_is_told_and_nothing_that_is_never_announced() -> None:
    assert {Outcome(one) for one in TOLD} == ANNOUNCED - {Outcome.FAILED}


@pytest.mark.parametrize("alias", ["shop", "Shop, production", "a" * 64, "", 5])
def test_the_accounts_name_reaches_the_remediator_if_it_is_one(
    deployed_with: Callable[..., Deployed], alias: Any
) -> None:
    if alias == "shop":
        variables = deployed_with(account_alias=alias).one("AWS::Lambda::Function", FunctionName="remediator-remediate")
        assert variables["Environment"]["Variables"]["ACCOUNT_ALIAS"] == alias
        return
    with pytest.raises(Exception, match="account_alias"):
        deployed_with(account_alias=alias)


def board(deployed: Deployed) -> list[dict[str, Any]]:
    (dashboard,) = deployed.of_type("AWS::CloudWatch::Dashboard").values()
    assert dashboard["DashboardName"] == "remediator"
    widgets: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"])["widgets"]
    return widgets


def test_the_dashboard_shows_every_alarm(deployed: Deployed) -> None:
    (alarms,) = [one for one in board(deployed) if one["type"] == "alarm"]
    named = {one["AlarmName"] for one in deployed.of_type("AWS::CloudWatch::Alarm").values()}
    assert {one.rpartition(":")[2] for one in alarms["properties"]["alarms"]} == named


def test_the_dashboard_shows_every_metric_of_ours_and_none_that_nobody_counts(deployed: Deployed) -> None:
    functions = deployed.of_type("AWS::Lambda::Function").values()
    environments = [one["Environment"]["Variables"] for one in functions]
    services = {one["POWERTOOLS_SERVICE_NAME"] for one in environments}
    shown = [line for one in board(deployed) if one["type"] == "metric" for line in one["properties"]["metrics"]]
    assert {metric for _, metric, _, _ in shown} == METRICS.keys()
    assert {(namespace, dimension) for namespace, _, dimension, _ in shown} == {("Remediator", "service")}
    assert {service for _, _, _, service in shown} == services


def test_a_graph_listens_to_the_function_whose_alarm_does(deployed: Deployed) -> None:
    """Where a metric has both."""
    shown = {metric: service for _, service, _, metrics in GRAPHS for metric in metrics}
    for one in deployed.of_type("AWS::CloudWatch::Alarm").values():
        if one["MetricName"] in shown:
            assert one["Dimensions"] == [{"Name": "service", "Value": shown[one["MetricName"]]}]


def test_the_widgets_cover_no_other(deployed: Deployed) -> None:
    cells = [
        (column, row)
        for one in board(deployed)
        for column in range(one["x"], one["x"] + one["width"])
        for row in range(one["y"], one["y"] + one["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24
