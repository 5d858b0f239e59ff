"""See which of a deployment's alert rules ring, by Azure Monitor's alerts.

https://learn.microsoft.com/rest/api/monitor/alertsmanagement/alerts/get-all
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.operator.condition import Alarm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.azure.arm_client import ArmClient

RULES_API: Final = "2023-03-15-preview"
ALERTS_API: Final = "2019-05-05-preview"
FIRED: Final[Mapping[str, str]] = {"monitorCondition": "Fired", "timeRange": "30d", "pageCount": "250"}
"""Alerts that ring still; one is kept for 30 days, and a rule's newest comes first."""

MESSAGE: Final = 4
"""The severity of a rule that tells of something and rings for nothing."""


def alarms_of(arm: ArmClient, group: str) -> tuple[Alarm, ...]:
    """Return the state of each alert rule in a resource group, in the words of the command line."""
    rules = rules_of(arm, group)
    alerts = arm.get(f"{group}/providers/Microsoft.AlertsManagement/alerts", api=ALERTS_API, query=FIRED)["value"]
    ringing = {str(one["properties"]["essentials"]["alertRule"]).lower() for one in alerts}
    alarms = [rule for rule in rules if rule["properties"].get("severity", 0) < MESSAGE]
    return tuple(sorted((_alarm(rule, ringing) for rule in alarms), key=lambda alarm: alarm.name))


def rules_of(arm: ArmClient, group: str) -> list[Mapping[str, Any]]:
    """Return the alert rules in a resource group, as Azure shows them."""
    return list(arm.get(f"{group}/providers/Microsoft.Insights/scheduledQueryRules", api=RULES_API)["value"])


def _alarm(rule: Mapping[str, Any], ringing: set[str]) -> Alarm:
    """Return a rule's state; one that is switched off can't ring, which is no good news."""
    properties = rule["properties"]
    state = "ALARM" if str(rule["id"]).lower() in ringing else "OK"
    return Alarm(rule["name"], state if properties.get("enabled", True) else "DISABLED", properties["description"])
