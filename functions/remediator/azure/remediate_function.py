"""Answer HTTP requests to the function app."""

from __future__ import annotations

import json
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import azure.functions as func
from azure.identity import ManagedIdentityCredential

from remediator.azure import windows_table
from remediator.azure.admissions import ADMISSIONS_TABLE, AdmissionRows, vault_at
from remediator.azure.callers import Callers
from remediator.azure.event_topic import EventTopic
from remediator.azure.monitor import FunctionMonitor
from remediator.azure.receipts import ReceiptTable
from remediator.azure.seal import Seal
from remediator.azure.sessions import EntraSessions
from remediator.azure.settings import remediate_settings
from remediator.azure.signing_keys import KeysUnavailable
from remediator.azure.tables import table
from remediator.azure.verifiers import VerifierTables
from remediator.core.messages import Fields
from remediator.service.admission import Admission
from remediator.service.announcements import Announcements
from remediator.service.answers import Reply, reply_to
from remediator.service.by_hand import ByHand
from remediator.service.endpoint import Endpoint, verbs_of
from remediator.service.problems import Problem, Refused
from remediator.service.remediate import Remediator
from remediator.service.requests import Call
from remediator.service.roll_back import Return

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.azure.settings import RemediateSettings

TIMEOUT: Final = 180
"""The function's time-out in seconds, as host.json says; no attempt writes after it."""


def answer(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one HTTP request; whatever fails, the caller gets a problem document and the log no secret."""
    monitor = _monitor()
    try:
        reply = _endpoint().answer(_call(req))
    except KeysUnavailable as unavailable:
        monitor.note("the gate is unavailable", reason=str(unavailable))
        monitor.count("GateUnavailable")
        reply = reply_to(Refused(Problem.GATE_UNAVAILABLE, "Try again in a minute.", retry_after=60))
    except Exception as error:  # noqa: BLE001 - the entry point: nothing else may print what an error holds
        monitor.note("the remediator failed", error=type(error).__name__, code=_code(error))
        monitor.count("Failed")
        reply = reply_to(Refused(Problem.INTERNAL_ERROR, retry_after=30))
    return _response(reply)


@cache
def _monitor() -> FunctionMonitor:
    return FunctionMonitor()


@cache
def _settings() -> RemediateSettings:
    return remediate_settings(os.environ)


@cache
def _callers() -> Callers:
    return Callers(_settings())


@cache
def _endpoint() -> Endpoint:
    settings = _settings()
    identity = ManagedIdentityCredential(client_id=settings.identity)
    windows = table(settings.tables, windows_table.WINDOWS_TABLE, identity)
    verifiers = VerifierTables(table(settings.tables, windows_table.CONTROL_TABLE, identity), windows)
    receipts = table(settings.tables, windows_table.RECEIPTS_TABLE, identity)
    remediator = Remediator(
        scope=settings.scope,
        admission=Admission(settings.deployment, verifiers, _monitor(), time.time),
        receipts=ReceiptTable(receipts, retention_days=settings.retention_days),
        sessions=EntraSessions(
            verifiers,
            Seal(settings.deployment, settings.app_id),
            tenant=settings.tenant,
            app_id=settings.app_id,
            monitor=_monitor(),
        ),
        monitor=_monitor(),
        clock=time.time,
        pauses=_pauses,
        fence=TIMEOUT,
        announcements=_announcements(identity),
    )
    verbs = verbs_of(vendor_rollback=settings.vendor_rollback)
    return Endpoint(remediator, Return(remediator), verbs, _by_hand(remediator.admission, identity))


def _announcements(identity: ManagedIdentityCredential) -> Announcements:
    settings = _settings()
    topic = EventTopic(settings.event_topic, identity, _monitor())
    return Announcements(topic, _monitor(), settings.scope.home.account, settings.account_alias, " --cloud azure")


def _by_hand(admission: Admission, identity: ManagedIdentityCredential) -> ByHand | None:
    """Return the lock for codes that are passed on; a token covers no header, so nothing binds their keys."""
    settings = _settings()
    if not settings.admission_vault:
        return None
    rows = table(settings.tables, ADMISSIONS_TABLE, identity)
    return ByHand(admission, AdmissionRows(rows, vault_at(settings.admission_vault, identity)), lambda _: True)


def _call(req: func.HttpRequest) -> Call:
    url = urlsplit(req.url)
    fields = Fields(dict(req.headers))
    return Call(
        method=req.method,
        path=url.path,
        query=url.query,
        headers=fields,
        body=req.get_body(),
        principal=_callers().principal(fields.get("authorization", "")),
        remaining=float(TIMEOUT),
    )


def _response(reply: Reply) -> func.HttpResponse:
    headers = {"content-type": "application/json", "cache-control": "no-store", **reply.headers}
    return func.HttpResponse(
        json.dumps(reply.body), status_code=reply.status, headers=headers, mimetype=headers["content-type"]
    )


def _pauses() -> Iterator[None]:
    for seconds in (0.2, 0.8):
        time.sleep(seconds)
        yield


def _code(error: Exception) -> str:
    details: Any = getattr(error, "error", None)
    return str(getattr(details, "code", "") or "")
