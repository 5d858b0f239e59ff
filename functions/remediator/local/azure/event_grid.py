"""Answer at topics of Event Grid: CloudEvents in batches, from who has a role on the topic; nobody is delivered to.

https://learn.microsoft.com/azure/event-grid/authenticate-with-microsoft-entra-id and .../cloud-event-schema
"""

from __future__ import annotations

import json
import re
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.calls import Call
from remediator.local.azure.entra.first_party import EVENTS as AUDIENCE
from remediator.local.azure.entra.tokens import BadToken, Caller
from remediator.local.azure.exchange import Answer, Plan, Refused, Request, json_answer
from remediator.local.azure.front import NobodyThere
from remediator.local.azure.places import EVENTS

if TYPE_CHECKING:
    from remediator.local.azure.entra.tokens import Mint
    from remediator.local.azure.estate import Estate, Topic
    from remediator.local.azure.rbac.roles import Rbac

VERSION: Final = "2018-01-01"
SEND: Final = "Microsoft.EventGrid/events/send/action"
BATCH: Final = "application/cloudevents-batch+json"
LARGEST: Final = 1024 * 1024
_REQUIRED: Final = ("specversion", "id", "source", "type")
_EXTENSION: Final = re.compile(r"[a-z0-9]{1,20}")
_KNOWN: Final = {*_REQUIRED, "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"}


class EventGrid:
    """Serve every topic of the estate, and keep what they took."""

    def __init__(self, estate: Estate, mint: Mint, rbac: Rbac) -> None:
        self._estate = estate
        self._mint = mint
        self._rbac = rbac
        self._lock = threading.Lock()
        self._taken: list[tuple[str, dict[str, Any]]] = []

    @property
    def taken(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the name of the topic and the event, in the order in which they came."""
        with self._lock:
            return list(self._taken)

    def plan(self, request: Request) -> Plan:
        """Authenticate, authorize and understand a request; raises `Refused`, or `NobodyThere`."""
        topic = self._estate.topic(request.host.removesuffix(EVENTS))
        if topic is None:
            raise NobodyThere(request.host)
        call = Call(time.time(), "events", request.method, topic.resource_id + request.path, origin=request.origin)
        caller = self._caller(request, call)
        needed = (SEND, topic.resource_id)
        call = Call(call.at, "events", *needed, caller.object_id, request.origin, (needed,))
        if not self._rbac.allows(caller.object_id, *needed, data=True):
            raise Refused(_error(403, "Forbidden", "The principal has no role that lets it send."), "no role", call)
        events = _understood(request, call)
        return Plan(call, lambda: self._take(topic, events))

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an error in Event Grid's form."""
        return _error(status, code, message)

    def throttled(self, seconds: int) -> Answer:
        """Return Event Grid's answer to too many requests."""
        return _error(429, "TooManyRequests", "Too many requests.").having(("Retry-After", str(seconds)))

    def _take(self, topic: Topic, events: list[dict[str, Any]]) -> Answer:
        with self._lock:
            self._taken += [(topic.name, event) for event in events]
        return Answer(HTTPStatus.OK)

    def _caller(self, request: Request, call: Call) -> Caller:
        try:
            return self._mint.read(request.bearer, AUDIENCE.resources)
        except BadToken as bad:
            answer = _error(401, "Unauthorized", "The request's token isn't valid for this topic.")
            raise Refused(answer, f"the token is bad: {bad}", call) from None


def _understood(request: Request, call: Call) -> list[dict[str, Any]]:
    problem = _problem(request)
    if problem is not None:
        raise Refused(_error(400, "BadRequest", problem), problem, call)
    events: list[dict[str, Any]] = json.loads(request.body)
    return events


def _problem(request: Request) -> str | None:
    if (request.method, request.path, request.query.get("api-version")) != ("POST", "/api/events", VERSION):
        return f"only POST /api/events of version {VERSION} is known here"
    if request.headers.get("content-type", "").partition(";")[0] != BATCH:
        return f"the content type isn't {BATCH}"
    if len(request.body) > LARGEST:
        return "the request is larger than a megabyte"
    try:
        events = json.loads(request.body)
    except ValueError:
        return "the body isn't JSON"
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        return "the body isn't a list of events"
    return next((said for said in map(_fault, events) if said), None)


def _fault(event: dict[str, Any]) -> str | None:
    """Return what isn't right about an event by CloudEvents 1.0, whose own attributes have lower-case names."""
    missing = [name for name in _REQUIRED if not isinstance(event.get(name), str) or not event[name]]
    unknown = [name for name in event if name not in _KNOWN and not _EXTENSION.fullmatch(name)]
    if missing or unknown:
        return f"attribute {(missing or unknown)[0]} is missing or has no such name"
    return None if event["specversion"] == "1.0" else "specversion isn't 1.0"


def _error(status: int, code: str, message: str) -> Answer:
    return json_answer(HTTPStatus(status), {"error": {"code": code, "message": message, "details": []}})
