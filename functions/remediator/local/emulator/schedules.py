"""Read schedules from moto."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.scheduler.models import scheduler_backends

from remediator.local.scheduler import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.scheduler.models import Schedule as MotoSchedule


def schedules() -> Iterator[Schedule]:
    """Yield every schedule of every account."""
    for regions in list(scheduler_backends.values()):
        for backend in list(regions.values()):
            for group in list(backend.schedule_groups.values()):
                yield from (_schedule(schedule) for schedule in list(group.schedules.values()))


def _schedule(schedule: MotoSchedule) -> Schedule:
    target = schedule.target
    policy = target.get("RetryPolicy", {})
    return Schedule(
        name=schedule.name,
        arn=schedule.arn,
        expression=schedule.schedule_expression,
        enabled=schedule.state == "ENABLED",
        created=float(schedule.creation_date),
        target_arn=target["Arn"],
        role_arn=target["RoleArn"],
        input=target.get("Input") or "{}",
        retries=int(policy.get("MaximumRetryAttempts", 185)),
        maximum_age=int(policy.get("MaximumEventAgeInSeconds", 86_400)),
        dead_letter_arn=target.get("DeadLetterConfig", {}).get("Arn"),
    )
