"""Answer the function URL."""

from __future__ import annotations

import base64
import json
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from remediator.aws.admissions import AdmissionItems
from remediator.aws.clients import ONCE, new_session
from remediator.aws.event_bus import CONFIG, EventBus
from remediator.aws.external_ids import OfWindows, Unsealed
from remediator.aws.monitor import LambdaMonitor
from remediator.aws.receipts import ReceiptTable
from remediator.aws.sessions import StsSessions
from remediator.aws.settings import remediate_settings
from remediator.aws.signed_headers import key_is_signed
from remediator.aws.verifiers import VerifierTable
from remediator.core.messages import Fields
from remediator.service.admission import Admission
from remediator.service.announcements import Announcements
from remediator.service.answers import Reply, reply_to
from remediator.service.by_hand import ByHand
from remediator.service.endpoint import Endpoint, verbs_of
from remediator.service.problems import Problem, Refused
from remediator.service.remediate import Remediator
from remediator.service.requests import Call, Principal, Role
from remediator.service.roll_back import Return

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from botocore.session import Session

    from remediator.aws.external_ids import ExternalIds
    from remediator.aws.settings import RemediateSettings


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request; whatever fails, the caller gets a problem document and the log no secret."""
    fields = Fields(event.pop("headers", {}))
    monitor = _monitor()
    try:
        reply = _endpoint().answer(_call(event, fields, context.get_remaining_time_in_millis() / 1000))
    except Exception as error:  # noqa: BLE001 - the entry point: nothing else may print what an error holds
        monitor.note("the remediator failed", error=type(error).__name__, code=_code(error))
        monitor.count("Failed")
        reply = reply_to(Refused(Problem.INTERNAL_ERROR, retry_after=30))
    finally:
        monitor.flush()
    return _answer(reply)


@cache
def _monitor() -> LambdaMonitor:
    return LambdaMonitor()


@cache
def _settings() -> RemediateSettings:
    return remediate_settings(os.environ)


@cache
def _endpoint() -> Endpoint:
    settings, session = _settings(), new_session()
    tables = session.create_client("dynamodb")
    remediator = Remediator(
        scope=settings.scope,
        admission=Admission(settings.deployment, VerifierTable(tables, settings.state_table), _monitor(), time.time),
        receipts=ReceiptTable(
            tables,
            receipts=settings.receipts_table,
            state=settings.state_table,
            retention_days=settings.retention_days,
        ),
        sessions=StsSessions(session, external_ids=_external_ids(settings, tables), write_role=settings.write_role_arn),
        monitor=_monitor(),
        clock=time.time,
        pauses=_pauses,
        announcements=_announcements(session),
    )
    verbs = verbs_of(vendor_rollback=settings.vendor_rollback)
    return Endpoint(remediator, Return(remediator), verbs, _by_hand(remediator.admission, session))


def _by_hand(admission: Admission, session: Session) -> ByHand | None:
    """Return the lock for codes that are passed on."""
    settings = _settings()
    if not settings.by_hand:
        return None
    items = AdmissionItems(session.create_client("dynamodb", config=ONCE), settings.state_table)
    return ByHand(admission, items, key_is_signed)


def _announcements(session: Session) -> Announcements:
    settings = _settings()
    bus = EventBus(lambda: session.create_client("events", config=CONFIG))
    return Announcements(bus, _monitor(), settings.scope.home.account, settings.account_alias)


def _external_ids(settings: RemediateSettings, tables: Any) -> ExternalIds:  # noqa: ANN401 - an SDK client
    if settings.sealed:
        return Unsealed(tables, settings.state_table, settings.deployment, time.time)
    return OfWindows(settings.deployment)


def _call(event: dict[str, Any], fields: Fields, remaining: float) -> Call:
    context = event["requestContext"]
    body = event.get("body") or ""
    return Call(
        method=context["http"]["method"],
        path=event["rawPath"],
        query=event.get("rawQueryString") or "",
        headers=fields,
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
        principal=_principal(context),
        remaining=remaining,
    )


def _principal(context: dict[str, Any]) -> Principal:
    """Return who calls: a role by its unique id, which no other role of the same name ever has."""
    caller = context.get("authorizer", {}).get("iam", {}).get("userId") or ""
    unique_id = caller.partition(":")[0]
    settings = _settings()
    roles = {settings.reader_role_id: Role.READER, settings.operator_role_id: Role.OPERATOR}
    return Principal(roles.get(unique_id, Role.STRANGER), unique_id)


def _answer(reply: Reply) -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store", **reply.headers}
    return {"statusCode": reply.status, "headers": headers, "body": json.dumps(reply.body)}


def _pauses() -> Iterator[None]:
    for seconds in (0.2, 0.8):
        time.sleep(seconds)
        yield


def _code(error: Exception) -> str:
    response: Any = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
