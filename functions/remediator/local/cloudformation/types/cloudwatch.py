"""Know CloudWatch's resource types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from remediator.local.cloudformation.resource import (
    Live,
    Missing,
    Naming,
    ResourceType,
    Services,
    missing_if,
    pick,
)

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties

_SETTINGS = (
    *("ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "Dimensions"),
    *("EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions"),
    *("MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold", "ThresholdMetricId"),
    *("TreatMissingData", "Unit"),
)
_WHOLE_NUMBERS = ("DatapointsToAlarm", "EvaluationPeriods", "Period")


class Alarm(ResourceType):
    """An alarm on one metric."""

    name: ClassVar[str] = "AWS::CloudWatch::Alarm"
    settable: ClassVar[frozenset[str]] = frozenset((*_SETTINGS, "AlarmName"))
    replacing: ClassVar[frozenset[str]] = frozenset({"AlarmName"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the alarm; return its name."""
        name = str(wanted.get("AlarmName") or naming.generate(255))
        services.client("cloudwatch").put_metric_alarm(AlarmName=name, **_options(wanted))
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write all its settings."""
        del before
        services.client("cloudwatch").put_metric_alarm(AlarmName=physical_id, **_options(wanted))

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it."""
        del properties
        services.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read its settings."""
        del properties
        alarms = services.client("cloudwatch").describe_alarms(AlarmNames=[physical_id])["MetricAlarms"]
        if not alarms:
            raise Missing(f"alarm {physical_id} doesn't exist")
        return Live(pick(alarms[0], (*_SETTINGS, "AlarmName")), {"Arn": alarms[0]["AlarmArn"]})


class Dashboard(ResourceType):
    """A dashboard."""

    name: ClassVar[str] = "AWS::CloudWatch::Dashboard"
    settable: ClassVar[frozenset[str]] = frozenset({"DashboardName", "DashboardBody"})
    replacing: ClassVar[frozenset[str]] = frozenset({"DashboardName"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the dashboard; return its name."""
        name = str(wanted.get("DashboardName") or naming.generate(255))
        self._put(services, name, wanted)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write it again."""
        del before
        self._put(services, physical_id, wanted)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it."""
        del properties
        services.client("cloudwatch").delete_dashboards(DashboardNames=[physical_id])

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read it."""
        del properties
        with missing_if("ResourceNotFound"):
            seen = services.client("cloudwatch").get_dashboard(DashboardName=physical_id)
        return Live(pick(seen, ("DashboardName", "DashboardBody")))

    @staticmethod
    def _put(services: Services, name: str, wanted: Properties) -> None:
        services.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=wanted["DashboardBody"])


def _options(wanted: Properties) -> dict[str, Any]:
    options = pick(wanted, _SETTINGS)
    for name in _WHOLE_NUMBERS:
        if name in options:
            options[name] = int(options[name])
    if "Threshold" in options:
        options["Threshold"] = float(options["Threshold"])
    return options
