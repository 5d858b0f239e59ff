"""An alarm rings when what it is for happens, and not otherwise: its condition, applied to what the functions count."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

import pytest

from remediator.core.windows import AHEAD, PERIOD
from tests.infra.azure.deployment import deployed

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = "Microsoft.Insights/scheduledQueryRules"
OPERATORS = {"GreaterThan": operator.gt, "LessThan": operator.lt}
RULES: Mapping[str, Mapping[str, Any]] = {
    re.findall(r'"metric": "(\w+)"', one.body["properties"]["criteria"]["allOf"][0]["query"])[0]: one.body["properties"]
    for one in deployed().of_type(KIND)
}


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


def test_what_the_issue_names_has_an_alarm() -> None:
    assert RULES.keys() >= {"Rotated", "WrongCode", "GateUnavailable"}
