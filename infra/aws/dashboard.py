"""Show on one page how a deployment does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.aws import names
from infra.aws.alarms import WATCHES
from infra.aws.arns import regional_arn

if TYPE_CHECKING:
    from constructs import Construct

GRAPHS: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    ("Rotations", names.ROTATE_SERVICE, "Sum", ("Rotated", "RotationFailed")),
    ("Staged windows", names.ROTATE_SERVICE, "Minimum", ("StagedWindows",)),
    ("Findings by outcome", names.REMEDIATE_SERVICE, "Sum", ("Fixed", "RolledBack", "Unverified", "Refused", "Failed")),
    ("Refused at the door", names.REMEDIATE_SERVICE, "Sum", ("WrongCode", "GateUnavailable", "PolicyBroken")),
    ("Not announced", names.REMEDIATE_SERVICE, "Sum", ("NotAnnounced",)),
    ("Gate changed by others", names.ROTATE_SERVICE, "Sum", ("GateChanged",)),
    ("Unexplained access", names.WATCH_SERVICE, "Sum", ("UnexplainedAccess",)),
)
"""Title, service, statistic and metrics of each graph."""

_WIDTH: Final = 8
_HEIGHT: Final = 6
_PERIOD: Final = 300


def make_dashboard(scope: Construct) -> None:
    """Make the dashboard: every alarm, then the graphs, three in a row."""
    body = {"start": "-P1D", "widgets": [_alarms(), *(_graph(number) for number in range(len(GRAPHS)))]}
    cloudwatch.CfnDashboard(
        scope,
        "Dashboard",
        dashboard_name=names.DASHBOARD,
        dashboard_body=Stack.of(scope).to_json_string(body),
    )


def _alarms() -> dict[str, Any]:
    alarms = [regional_arn("cloudwatch", f"alarm:{watch.name}") for watch in WATCHES]
    properties = {"title": "Alarms", "alarms": alarms}
    return {"type": "alarm", "x": 0, "y": 0, "width": 3 * _WIDTH, "height": 3, "properties": properties}


def _graph(number: int) -> dict[str, Any]:
    title, service, statistic, metrics = GRAPHS[number]
    row, column = divmod(number, 3)
    return {
        "type": "metric",
        "x": column * _WIDTH,
        "y": 3 + row * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": title,
            "region": Aws.REGION,
            "stat": statistic,
            "period": _PERIOD,
            "view": "timeSeries",
            "metrics": [[names.METRICS_NAMESPACE, metric, "service", service] for metric in metrics],
        },
    }
