"""When somebody is woken, and what they read."""

from __future__ import annotations

from typing import Any

import pytest

from infra.aws.alarms import WATCHES
from remediator.aws.monitor import METRICS
from remediator.core.windows import AHEAD, GRACE, PERIOD
from tests.infra.deployed import Deployed, arn

pytestmark = pytest.mark.xdist_group("synth")

ALARM = "AWS::CloudWatch::Alarm"


def alarm(deployed: Deployed, name: str) -> dict[str, Any]:
    return deployed.one(ALARM, AlarmName=name)


def test_there_is_an_alarm_for_each_way_in_which_it_may_go_wrong(deployed: Deployed) -> None:
    watched = {one["AlarmName"]: one["MetricName"] for one in deployed.of_type(ALARM).values()}
    assert watched == {
        "remediator-no-live-window": "StagedWindows",
        "remediator-rotation-late": "Rotated",
        "remediator-wrong-code": "WrongCode",
        "remediator-gate-unavailable": "GateUnavailable",
        "remediator-policy-broken": "PolicyBroken",
        "remediator-not-announced": "NotAnnounced",
        "remediator-gate-changed": "GateChanged",
        "remediator-unexplained-access": "UnexplainedAccess",
        "remediator-watch-failed": "Errors",
        "remediator-dead-letters": "ApproximateNumberOfMessagesVisible",
    }


def test_our_alarms_watch_only_what_the_code_emits_as_it_emits_it(deployed: Deployed) -> None:
    services = {
        function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for function in deployed.of_type("AWS::Lambda::Function").values()
    }
    namespaces = {
        function["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
        for function in deployed.of_type("AWS::Lambda::Function").values()
    }
    for one in deployed.of_type(ALARM).values():
        if one["Namespace"].startswith("AWS/"):
            continue
        assert one["MetricName"] in METRICS
        assert {one["Namespace"]} == namespaces
        (dimension,) = one["Dimensions"]
        assert dimension["Name"] == "service"
        assert dimension["Value"] in services


@pytest.mark.parametrize(
    ("metric", "emitter"),
    [
        ("StagedWindows", "remediator-rotate"),
        ("Rotated", "remediator-rotate"),
        ("WrongCode", "remediator-remediate"),
        ("GateUnavailable", "remediator-remediate"),
        ("PolicyBroken", "remediator-remediate"),
        ("NotAnnounced", "remediator-remediate"),
        ("GateChanged", "remediator-rotate"),
        ("UnexplainedAccess", "remediator-watch"),
    ],
)
def test_an_alarm_listens_to_the_function_that_emits_its_metric(deployed: Deployed, metric: str, emitter: str) -> None:
    function = deployed.one("AWS::Lambda::Function", FunctionName=emitter)
    service = function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    assert deployed.one(ALARM, MetricName=metric)["Dimensions"] == [{"Name": "service", "Value": service}]


def test_silence_of_the_rotator_rings_before_the_gate_closes_by_itself(deployed: Deployed) -> None:
    for name in ("remediator-no-live-window", "remediator-rotation-late"):
        one = alarm(deployed, name)
        assert (one["TreatMissingData"], one["ComparisonOperator"], one["Threshold"]) == (
            "breaching",
            "LessThanThreshold",
            1,
        )
    middle = PERIOD - 2 * 60
    lasts = middle + AHEAD * PERIOD + GRACE
    assert alarm(deployed, "remediator-rotation-late")["Period"] == 2 * PERIOD
    assert alarm(deployed, "remediator-no-live-window")["Period"] < lasts


def test_one_wrong_code_rings_and_so_does_one_gate_that_is_not_there(deployed: Deployed) -> None:
    for name in (
        "remediator-wrong-code",
        "remediator-gate-unavailable",
        "remediator-policy-broken",
        "remediator-not-announced",
        "remediator-gate-changed",
        "remediator-unexplained-access",
        "remediator-watch-failed",
        "remediator-dead-letters",
    ):
        one = alarm(deployed, name)
        assert one["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert (one["Threshold"], one["EvaluationPeriods"], one["Period"]) == (1, 1, 60)
        assert one["TreatMissingData"] == "notBreaching"
    assert alarm(deployed, "remediator-wrong-code")["Statistic"] == "Sum"


def test_a_watcher_that_fails_rings_by_what_lambda_counts_itself(deployed: Deployed) -> None:
    one = alarm(deployed, "remediator-watch-failed")
    assert one["Namespace"] == "AWS/Lambda"
    assert one["Dimensions"] == [{"Name": "FunctionName", "Value": "remediator-watch"}]
    deployed.one("AWS::Lambda::Function", FunctionName="remediator-watch")


def test_every_alarm_tells_the_topic_and_says_what_to_do(deployed: Deployed) -> None:
    for one in deployed.of_type(ALARM).values():
        assert one["AlarmActions"] == [arn("sns", "remediator-alarms")]
        assert "ActionsEnabled" not in one or one["ActionsEnabled"] is True
        assert len(one["AlarmDescription"]) <= 1024


def test_every_description_ends_with_a_section_of_the_operations_guide_of_its_own() -> None:
    sections = [watch.description.rpartition("docs/operations.md#")[2] for watch in WATCHES]
    assert len(set(sections)) == len(WATCHES)
    assert all(section.replace("-", "").isalpha() for section in sections)
