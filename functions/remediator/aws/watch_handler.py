"""Watch the write role: EventBridge brings what CloudTrail saw, and what nothing explains rings."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from remediator.aws.clients import new_session
from remediator.aws.monitor import LambdaMonitor
from remediator.aws.request_spans import RequestSpans
from remediator.aws.settings import watch_settings
from remediator.aws.trail import deed_of, objection

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from remediator.aws.settings import WatchSettings


class NotJudged(Exception):  # noqa: N818 - errors are named for what is the case
    """Fail the invocation, so that Lambda tries again; the message is safe to log."""


def handler(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - the event has its own time
    """Judge one call; the event itself, which may hold gate values, is never logged."""
    monitor = _monitor()
    try:
        deed = deed_of(event)
        reason = objection(deed, _settings().ours, _spans().span_of)
    except Exception as error:  # noqa: BLE001 - the entry point: nothing else may print what an error holds
        raise NotJudged(type(error).__name__) from None
    if reason is None:
        return
    monitor.note(reason, call=deed.name, caller=deed.who, session=deed.session, at=deed.at)
    monitor.count("UnexplainedAccess")
    monitor.flush()


@cache
def _monitor() -> LambdaMonitor:
    return LambdaMonitor()


@cache
def _settings() -> WatchSettings:
    return watch_settings(os.environ)


@cache
def _spans() -> RequestSpans:
    return RequestSpans(new_session().create_client("dynamodb"), _settings().receipts_table)
