"""Ask a deployment: the reference client of protocol version 1."""

from __future__ import annotations

import copy
import json
import logging
import uuid
from typing import TYPE_CHECKING, Final

from remediator.core.codes import parse_code
from remediator.core.messages import KEY, Request, show, sign
from remediator.service.records import Mode
from remediator.vendor.answers import read_answer, read_fixes, read_health, read_result
from remediator.vendor.clock import CorrectedClock, SystemClock, seconds_of
from remediator.vendor.errors import NotServed, TurnedAway, Unauthorized
from remediator.vendor.keyring import Keyring
from remediator.vendor.patience import Patience, Waiting
from remediator.vendor.replies import body_of
from remediator.vendor.transport import HttpTransport, Unsigned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from remediator.catalogue.spec import JSON
    from remediator.core.codes import Code
    from remediator.vendor.answers import Answer, FixCard, Health, Result
    from remediator.vendor.clock import Clock
    from remediator.vendor.deployment import Located
    from remediator.vendor.findings import Finding
    from remediator.vendor.keyring import Access
    from remediator.vendor.transport import Call, Reply, Transport

_LOG = logging.getLogger(__name__)
_FORBIDDEN: Final = 403
_SECRET_FIELDS: Final = ("remediation-code", "remediation-opening", "signature")


def new_key() -> str:
    """Return a fresh Idempotency-Key."""
    return str(uuid.uuid4())


class Client:
    """Ask one deployment, as the principal that `access` reaches it as.

    Every method raises a `NotServed`. Those that change something take an Idempotency-Key of the caller's choice, so
    that a caller that lost its answer can ask again; without one a fresh one is made.
    """

    def __init__(  # noqa: PLR0913 - what touches the world can be replaced, each by itself
        self,
        deployment: Located,
        access: Access,
        *,
        transport: Transport | None = None,
        clock: Clock | None = None,
        new_key: Callable[[], str] = new_key,
        patience: Patience | None = None,
    ) -> None:
        self._deployment = deployment
        self._access = access
        self._transport = transport or HttpTransport()
        self._clock = CorrectedClock(clock or SystemClock())
        self._keyring = Keyring(deployment.id, access, self._clock)
        self._new_key = new_key
        self._patience = patience or Patience()
        self._code: Code | None = None

    def told(self, code: str) -> Client:
        """Return a client that shows a code which the customer's operator passed on; raise `Malformed`.

        It reads no seed, and a plan and an apply are all that it can ask for. A refused code isn't tried again, since
        the third closes the window.
        """
        told = copy.copy(self)
        told._code = parse_code(code)  # noqa: SLF001 - of the same class
        return told

    def plan(self, findings: Iterable[Finding], *, key: str | None = None) -> Answer:
        """Show what applying the findings would change; nothing is written."""
        return self._remediate(Mode.PLAN, findings, key)

    def apply(self, findings: Iterable[Finding], *, key: str | None = None) -> Answer:
        """Repair the findings. What a deadline cut off is asked for again, until nothing more is begun."""
        return self._remediate(Mode.APPLY, findings, key)

    def get(self, remediation: str) -> Answer:
        """Look at a remediation of one's own; the operator sees every one."""
        return read_answer(self._get(_path(remediation)))

    def finding(self, remediation: str, index: int) -> Result:
        """Look at one finding of a remediation, with its states however large."""
        return read_result(self._get(_path(remediation, f"/findings/{index}")))

    def refresh(self, remediation: str, findings: Iterable[int] | None = None, *, key: str | None = None) -> Answer:
        """Read again what is pending or unverified in a remediation: all of it, or these indexes."""
        return self._post(_path(remediation, "/refresh"), _selection(findings), key)

    def roll_back(self, remediation: str, findings: Iterable[int] | None = None, *, key: str | None = None) -> Answer:
        """Write back what was there before a remediation: all of it, or these indexes."""
        return self._post(_path(remediation, "/rollback"), _selection(findings), key)

    def fixes(self) -> tuple[FixCard, ...]:
        """Return the fixes that the deployment enables, as it describes them."""
        return read_fixes(self._get("/v1/fixes"))

    def health(self) -> Health:
        """Return what the deployment says of itself."""
        return read_health(self._get("/v1/health"))

    def skew(self) -> float | None:
        """Return by how many seconds the endpoint's clock is ahead of this machine's; None if its reply has no date."""
        reply = self._transport.send(self._call(Request("GET", "/v1/health", b"", "")))
        shown = seconds_of(reply.headers.get("date"))
        return None if shown is None else shown - self._clock.own()

    def _remediate(self, mode: Mode, findings: Iterable[Finding], key: str | None) -> Answer:
        body = {"mode": mode.value, "findings": [finding.document() for finding in findings]}
        return self._post("/v1/remediations", body, key)

    def _post(self, path: str, document: Mapping[str, JSON], key: str | None) -> Answer:
        body = json.dumps(document, separators=(",", ":")).encode()
        request = Request("POST", path, body, _valid(key or self._new_key()))
        try:
            return self._persist(request)
        except NotServed as error:
            error.key = request.key
            raise

    def _persist(self, request: Request) -> Answer:
        """Send the request until nothing is `not_started`, or until sending it begins nothing more."""
        answer = read_answer(self._served(request))
        stalls = 0
        while answer.unstarted and stalls < self._patience.stalls:
            before, answer = answer, read_answer(self._served(request))
            if answer.unstarted >= before.unstarted:
                stalls += 1
                self._clock.sleep(2.0**stalls)
        return answer

    def _get(self, path: str) -> dict[str, JSON]:
        return self._served(Request("GET", path, b"", ""))

    def _served(self, request: Request) -> dict[str, JSON]:
        """Exchange until there is an answer of success: the clock is corrected once, the rest is patience."""
        waiting = Waiting(self._patience, self._clock)
        corrected = False
        while True:
            reply = None
            try:
                reply = self._transport.send(self._call(request))
                _LOG.debug("%s %s %s: %s", request.method, request.path, request.key, reply.status)
                return body_of(reply)
            except NotServed as error:
                if reply and not corrected and self._corrects(reply, error):
                    corrected = True
                else:
                    waiting.wait(error)

    def _corrects(self, reply: Reply, error: NotServed) -> bool:
        """Take the reply's time if it may be what was wrong; tell whether the same request may fare better now."""
        moved = self._clock.correct(reply.headers.get("date"))
        if isinstance(error, Unauthorized):
            self._keyring.forget()
            return self._code is None
        return moved and isinstance(error, TurnedAway) and error.status == _FORBIDDEN

    def _call(self, request: Request) -> Call:
        """Sign with the keys of now: a later attempt has a new code, under the same key and with the same body."""
        signed, now = self._signed(request)
        open_fields = {name: value for name, value in signed.items() if name not in _SECRET_FIELDS}
        secrets = {name: value for name, value in signed.items() if name in _SECRET_FIELDS}
        url = self._deployment.url(request.path)
        call = Unsigned(request.method, url, {"accept": "application/json", **open_fields}, secrets, request.body)
        return self._access.authorize(call, now)

    def _signed(self, request: Request) -> tuple[dict[str, str], float]:
        """Return the fields of the second lock, which only requests that change something have."""
        if request.method == "GET":
            return {}, self._clock.now()
        if self._code is not None:
            return {"content-type": "application/json", **show(request, self._code)}, self._clock.now()
        keys, now = self._keyring.live()
        return {"content-type": "application/json", **sign(request, keys, created=int(now))}, now


def _path(remediation: str, verb: str = "") -> str:
    return f"/v1/remediations/{_valid(remediation)}{verb}"


def _valid(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError("an Idempotency-Key, which is a remediation's id, is 16 to 64 letters, digits and hyphens")
    return key


def _selection(findings: Iterable[int] | None) -> dict[str, JSON]:
    return {} if findings is None else {"findings": sorted(set(findings))}
