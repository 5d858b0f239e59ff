"""Alert rules are shown as alarms: in the words of the command line, and only those that ring still do."""

from __future__ import annotations

from typing import Any

from remediator.operator.azure.alarms import alarms_of
from remediator.operator.condition import Alarm
from tests.azure.arm_script import Answer, Clock, Script, client

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/remediation"
RULES = f"{GROUP}/providers/Microsoft.Insights/scheduledQueryRules"


def rule(name: str, *, enabled: bool = True) -> dict[str, Any]:
    return {"id": f"{RULES}/{name}", "name": name, "properties": {"description": f"says {name}", "enabled": enabled}}


def alert(of: str) -> dict[str, Any]:
    return {"properties": {"essentials": {"alertRule": of, "monitorCondition": "Fired"}}}


def shown(rules: list[Any], alerts: list[Any]) -> tuple[tuple[Alarm, ...], Script]:
    script = Script(Answer(200, {"value": rules}), Answer(200, {"value": alerts}))
    return alarms_of(client(script, Clock()), GROUP), script


def test_a_rule_that_fired_rings_whatever_the_letter_case_of_its_id() -> None:
    alarms, _ = shown([rule("wrong-code"), rule("late")], [alert(f"{RULES}/WRONG-code".upper())])
    assert alarms == (Alarm("late", "OK", "says late"), Alarm("wrong-code", "ALARM", "says wrong-code"))


def test_a_rule_that_only_tells_of_changes_is_no_alarm() -> None:
    told = rule("change")
    told["properties"]["severity"] = 4
    alarms, _ = shown([told, rule("late")], [alert(f"{RULES}/change")])
    assert [alarm.name for alarm in alarms] == ["late"]


def test_a_rule_that_is_switched_off_is_not_said_to_be_fine() -> None:
    alarms, _ = shown([rule("late", enabled=False)], [])
    assert [alarm.state for alarm in alarms] == ["DISABLED"]


def test_of_alerts_those_that_ring_still_are_asked_for_as_far_back_as_azure_keeps_them() -> None:
    _, script = shown([], [])
    assert script.sent[1].path == f"{GROUP}/providers/Microsoft.AlertsManagement/alerts"
    assert script.sent[1].query.items() >= {("monitorCondition", "Fired"), ("timeRange", "30d")}
