"""An alarm rings when what it is for happens, and not otherwise: its condition, applied to what the functions count."""

from __future__ import annotations

import json
import operator
import re
from typing import TYPE_CHECKING, Any

import pytest

from remediator.azure.event_topic import TOLD
from remediator.azure.monitor import METRICS, FunctionMonitor
from remediator.core.windows import AHEAD, PERIOD
from tests.infra.azure.deployment import APP, deployed, named

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = "Microsoft.Insights/scheduledQueryRules"
GROUP = "Microsoft.Insights/actionGroups"
OPERATORS = {"GreaterThan": operator.gt, "LessThan": operator.lt}
RULES: Mapping[str, Mapping[str, Any]] = {
    re.findall(r'"metric": "(\w+)"', one.body["properties"]["criteria"]["allOf"][0]["query"])[0]: one.body["properties"]
    for one in deployed().of_type(KIND)
}
CHOSEN = deployed(notifyEmail="b@example.com", watchSignIns=True)


def rings(metric: str, times: int) -> bool:
    """Tell whether an alarm rings if its query finds so many lines."""
    (criterion,) = RULES[metric]["criteria"]["allOf"]
    assert criterion["timeAggregation"] == "Count"
    assert criterion["failingPeriods"] == {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}
    return bool(OPERATORS[criterion["operator"]](times, criterion["threshold"]))


def seconds(duration: str) -> int:
    number, unit = re.fullmatch(r"PT(\d+)([MH])", duration).groups()  # type: ignore[union-attr]
    return int(number) * {"M": 60, "H": 3600}[unit]


@pytest.mark.parametrize("metric", ["Rotated", "StagedWindows"])
def test_it_rings_when_nothing_was_rotated_and_long_before_the_gate_is_closed(metric: str) -> None:
    assert rings(metric, 0)
    assert not rings(metric, 1)
    late = seconds(RULES[metric]["windowSize"]) + seconds(RULES[metric]["evaluationFrequency"])
    assert seconds(RULES[metric]["windowSize"]) > PERIOD
    assert late <= AHEAD * PERIOD


def test_a_run_that_stages_no_window_counts_as_none() -> None:
    (criterion,) = RULES["StagedWindows"]["criteria"]["allOf"]
    assert criterion["query"].endswith("| where staged >= 1")


def test_one_failed_run_is_repaired_by_the_next_and_two_ring() -> None:
    assert [rings("RotationFailed", times) for times in (0, 1, 2)] == [False, False, True]


@pytest.mark.parametrize("metric", sorted(RULES.keys() - {"Rotated", "StagedWindows", "RotationFailed"}))
def test_of_everything_else_once_is_enough(metric: str) -> None:
    assert [rings(metric, times) for times in (0, 1)] == [False, True]


@pytest.mark.parametrize("metric", sorted(RULES))
def test_nothing_falls_between_two_looks(metric: str) -> None:
    assert seconds(RULES[metric]["windowSize"]) >= seconds(RULES[metric]["evaluationFrequency"])
    assert RULES[metric]["severity"] <= 2


def query_of(name: str) -> str:
    (criterion,) = named(CHOSEN, KIND, name).body["properties"]["criteria"]["allOf"]
    return str(criterion["query"])


def test_without_being_asked_for_nothing_is_sent_and_no_sign_in_is_looked_at() -> None:
    rules = {one.id.rpartition("/")[2] for one in deployed().of_type(KIND)}
    assert not rules & {"remediator-change", "remediator-unexplained-sign-in"}
    assert [one.id.rpartition("/")[2] for one in deployed().of_type(GROUP)] == ["remediator-alarms"]


def test_a_change_is_told_to_its_own_address_with_all_that_the_log_has_of_it() -> None:
    rule = named(CHOSEN, KIND, "-change").body["properties"]
    (criterion,) = rule["criteria"]["allOf"]
    for name in TOLD:
        assert f"change.{name}" in criterion["query"]
    names = [one["name"] for one in criterion["dimensions"]]
    assert names == ["Account", "Outcome", "Resource", "Finding", "WayBack", "Receipt"]
    assert all(f"{name} = " in criterion["query"] for name in names)
    (group,) = rule["actions"]["actionGroups"]
    receivers = named(CHOSEN, GROUP, "-changes").body["properties"]["emailReceivers"]
    assert group.endswith("/remediator-changes")
    assert [one["emailAddress"] for one in receivers] == ["b@example.com"]


def test_the_lines_that_the_queries_look_for_are_the_ones_that_are_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    monitor = FunctionMonitor()
    monitor.note("changed", outcome="fixed")
    monitor.note("signing in", remediation="x")
    lines = [one.message for one in caplog.records]
    for line, rule in zip(lines, ("-change", "-unexplained-sign-in"), strict=True):
        (prefix,) = re.findall(r"startswith '([^']+)'", query_of(rule))
        assert line.startswith(prefix)


def test_a_sign_in_that_no_request_explains_rings_for_the_remediators_app_alone() -> None:
    query = query_of("-unexplained-sign-in")
    assert f"AppId == '{APP}'" in query
    assert "AADServicePrincipalSignInLogs" in query
    assert "kind=leftanti" in query
    assert named(CHOSEN, KIND, "-unexplained-sign-in").body["properties"]["skipQueryValidation"] is True


def test_every_alarm_that_was_not_asked_for_counts_a_metric_that_the_functions_count() -> None:
    assert RULES.keys() <= set(METRICS)


def workbook() -> list[dict[str, Any]]:
    (found,) = deployed().of_type("Microsoft.Insights/workbooks")
    items: list[dict[str, Any]] = json.loads(found.body["properties"]["serializedData"])["items"]
    return items


def test_the_workbook_shows_every_metric_and_none_that_nobody_counts() -> None:
    queries = [one["content"]["query"] for one in workbook() if one["content"]["queryType"] == 0]
    shown = [name for query in queries for name in re.findall(r"'(\w+)'", query.partition(" in (")[2])]
    assert sorted(shown) == sorted(METRICS)


def test_the_workbook_shows_the_alarms() -> None:
    (alarms,) = [one["content"]["query"] for one in workbook() if one["content"]["queryType"] == 1]
    assert "alertsmanagementresources" in alarms


def test_what_the_issue_names_has_an_alarm() -> None:
    assert RULES.keys() >= {"Rotated", "WrongCode", "GateUnavailable"}
