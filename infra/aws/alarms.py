"""Ring when the gate, the rotation or a caller isn't as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.aws import names

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns
    from constructs import Construct


@dataclass(frozen=True, slots=True)
class Watch:
    """Describe one alarm; what it says ends with where to read what to do."""

    construct_id: str
    name: str
    metric: str
    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int
    rings: str
    missing: str
    says: str
    section: str

    @property
    def description(self) -> str:
        """Return what the person who gets the alarm reads."""
        return f"{self.says} What to do: docs/operations.md#{self.section}"


def _own(service: str) -> tuple[tuple[str, str], ...]:
    return (("service", service),)


WATCHES: Final = (
    Watch(
        construct_id="NoLiveWindow",
        name="remediator-no-live-window",
        metric="StagedWindows",
        namespace=names.METRICS_NAMESPACE,
        dimensions=_own(names.ROTATE_SERVICE),
        statistic="Minimum",
        period=900,
        rings="LessThanThreshold",
        missing="breaching",
        says=(
            "No window is staged, or none was for 15 minutes: the gate is closed, or closes within 3 minutes."
            " Nothing can be remediated until the rotator runs; a frozen deployment rings too."
        ),
        section="no-live-window",
    ),
    Watch(
        construct_id="RotationLate",
        name="remediator-rotation-late",
        metric="Rotated",
        namespace=names.METRICS_NAMESPACE,
        dimensions=_own(names.ROTATE_SERVICE),
        statistic="Sum",
        period=600,
        rings="LessThanThreshold",
        missing="breaching",
        says="The last two rotations failed or never ran. The staged windows last a few minutes more.",
        section="rotation-late",
    ),
    Watch(
        construct_id="WrongCode",
        name="remediator-wrong-code",
        metric="WrongCode",
        namespace=names.METRICS_NAMESPACE,
        dimensions=_own(names.REMEDIATE_SERVICE),
        statistic="Sum",
        period=60,
        rings="GreaterThanOrEqualToThreshold",
        missing="notBreaching",
        says=(
            "A permitted caller sent a wrong code, opening or signature in a live window. A machine doesn't mistype:"
            " somebody may hold the vendor's role without the seed."
        ),
        section="wrong-code",
    ),
    Watch(
        construct_id="GateUnavailable",
        name="remediator-gate-unavailable",
        metric="GateUnavailable",
        namespace=names.METRICS_NAMESPACE,
        dimensions=_own(names.REMEDIATE_SERVICE),
        statistic="Sum",
        period=60,
        rings="GreaterThanOrEqualToThreshold",
        missing="notBreaching",
        says="A genuine request found no staged window, or STS refused the write role. Remediation isn't working.",
        section="gate-unavailable",
    ),
    Watch(
        construct_id="PolicyBroken",
        name="remediator-policy-broken",
        metric="PolicyBroken",
        namespace=names.METRICS_NAMESPACE,
        dimensions=_own(names.REMEDIATE_SERVICE),
        statistic="Sum",
        period=60,
        rings="GreaterThanOrEqualToThreshold",
        missing="notBreaching",
        says="The customer's policy as it is stored can't be read, so every plan and apply is refused.",
        section="policy-broken",
    ),
    Watch(
        construct_id="NotAnnounced",
        name="remediator-not-announced",
        metric="NotAnnounced",
        namespace=names.METRICS_NAMESPACE,
        dimensions=_own(names.REMEDIATE_SERVICE),
        statistic="Sum",
        period=60,
        rings="GreaterThanOrEqualToThreshold",
        missing="notBreaching",
        says="Settings were changed, and the account's event bus wasn't told. The receipts have what was done.",
        section="not-announced",
    ),
    Watch(
        construct_id="GateChanged",
        name="remediator-gate-changed",
        metric="GateChanged",
        namespace=names.METRICS_NAMESPACE,
        dimensions=_own(names.ROTATE_SERVICE),
        statistic="Sum",
        period=60,
        rings="GreaterThanOrEqualToThreshold",
        missing="notBreaching",
        says="Somebody else changed whom the write role trusts. The rotator has set it right; find out who it was.",
        section="gate-changed",
    ),
    Watch(
        construct_id="UnexplainedAccess",
        name="remediator-unexplained-access",
        metric="UnexplainedAccess",
        namespace=names.METRICS_NAMESPACE,
        dimensions=_own(names.WATCH_SERVICE),
        statistic="Sum",
        period=60,
        rings="GreaterThanOrEqualToThreshold",
        missing="notBreaching",
        says="The write role was assumed without a request or by somebody else, or somebody changed it: freeze first.",
        section="unexplained-access",
    ),
    Watch(
        construct_id="WatchFailed",
        name="remediator-watch-failed",
        metric="Errors",
        namespace="AWS/Lambda",
        dimensions=(("FunctionName", names.WATCH_FUNCTION),),
        statistic="Sum",
        period=60,
        rings="GreaterThanOrEqualToThreshold",
        missing="notBreaching",
        says="What CloudTrail saw done to the write role couldn't be judged. It is tried twice more, then forgotten.",
        section="watch-failed",
    ),
    Watch(
        construct_id="DeadLettersWaiting",
        name="remediator-dead-letters",
        metric="ApproximateNumberOfMessagesVisible",
        namespace="AWS/SQS",
        dimensions=(("QueueName", names.DEAD_LETTERS),),
        statistic="Maximum",
        period=60,
        rings="GreaterThanOrEqualToThreshold",
        missing="notBreaching",
        says="A scheduled rotation was given up. The next run repairs it; the message says why this one failed.",
        section="dead-letters",
    ),
)


def make_alarms(scope: Construct, topic: sns.Topic) -> None:
    """Make every alarm; each tells the topic."""
    for watch in WATCHES:
        cloudwatch.CfnAlarm(
            scope,
            watch.construct_id,
            alarm_name=watch.name,
            alarm_description=watch.description,
            namespace=watch.namespace,
            metric_name=watch.metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in watch.dimensions
            ],
            statistic=watch.statistic,
            period=watch.period,
            evaluation_periods=1,
            threshold=1,
            comparison_operator=watch.rings,
            treat_missing_data=watch.missing,
            alarm_actions=[topic.topic_arn],
        )
