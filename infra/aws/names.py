"""Name what the deployment consists of: fixed names, one deployment per account."""

from __future__ import annotations

from typing import Final

STACK: Final = "Remediator"

REMEDIATOR_ROLE: Final = "remediator"
"""Short on purpose: the write role's trust policy names it once per window and has 2,048 characters for five."""
WRITE_ROLE: Final = "remediator-write"
WRITE_BOUNDARY: Final = "remediator-write-boundary"
ROTATOR_ROLE: Final = "remediator-rotator"
READER_ROLE: Final = "remediator-reader"
OPERATOR_ROLE: Final = "remediator-operator"
SCHEDULER_ROLE: Final = "remediator-scheduler"
WATCHER_ROLE: Final = "remediator-watcher"
MESSENGER_ROLE: Final = "remediator-messenger"

ROTATE_FUNCTION: Final = "remediator-rotate"
REMEDIATE_FUNCTION: Final = "remediator-remediate"
WATCH_FUNCTION: Final = "remediator-watch"
ROTATE_HANDLER: Final = "remediator.aws.rotate_handler.handler"
REMEDIATE_HANDLER: Final = "remediator.aws.remediate_handler.handler"
WATCH_HANDLER: Final = "remediator.aws.watch_handler.handler"
ROTATE_SERVICE: Final = "rotator"
REMEDIATE_SERVICE: Final = "remediator"
WATCH_SERVICE: Final = "watcher"

STATE_TABLE: Final = "remediator-state"
RECEIPTS_TABLE: Final = "remediator-receipts"
"""What the names of receipts tables begin with: each deployment has its own, and former ones stay."""
KEY_ALIAS: Final = "alias/remediator"
SEED_SECRET: Final = "remediator/seed"  # noqa: S105 - the name of the secrets, not one of them
GATE_SECRET: Final = "remediator/gate"  # noqa: S105 - as above
GATE_SECRET_ID: Final = "GateSecret"  # noqa: S105 - as above
GATE_GENERATION: Final = "GateGeneration"
DEAD_LETTERS: Final = "remediator-dead-letters"
ALARM_TOPIC: Final = "remediator-alarms"
CHANGES_TOPIC: Final = "remediator-changes"
SCHEDULE: Final = "remediator-rotate"
MESSAGE_RULE: Final = "remediator-message"
WATCH_RULE: Final = "remediator-watch"
DASHBOARD: Final = "remediator"
METRICS_NAMESPACE: Final = "Remediator"


def log_group(function: str) -> str:
    """Return the name of a function's log group."""
    return f"/aws/lambda/{function}"
