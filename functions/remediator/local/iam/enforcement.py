"""Stand in front of moto: authenticate, decide, log and break every API call before moto sees it."""

from __future__ import annotations

import re
import socket
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import flask
from flask import Response
from flask import request as flask_request
from moto.core.responses import BaseResponse
from moto.core.utils import convert_to_flask_response
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from remediator.local.calls import Call, CallLog
from remediator.local.faults import Effect, Fault, Faults

from . import (
    additions,
    apicall,
    entities,
    identities,
    organization,
    replies,
    request_context,
    resource_policies,
    services,
)
from .check import Check
from .evaluator import Decision, Policies, Request, evaluate
from .hooks import run_all, wrap
from .policy import Malformed, Policy
from .principal import Principal, Refused
from .signature import Scope, authenticate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from moto.core.request import Request as MotoRequest

Witness: TypeAlias = "Callable[[Principal, apicall.ApiCall, str | None], None]"
"""Hears who called what, and the code of the refusal if it was refused."""

_NOT_AWS: Final = ("/moto-api", "/latest/", "/favicon.ico", "/static/")
# Where moto looks for a region before it looks at the signature.
_REGION_FOR_MOTO: Final = re.compile(r"(?:\bregion/|\.)([a-z]{2}(?:-[a-z]+)+-\d)\b")
# moto checks conditions and then writes, without a lock; these services promise that nothing comes between.
_ATOMIC: Final = {name: threading.RLock() for name in ("dynamodb", "secretsmanager")}


class Installation:
    """Hold what `install` hooked; `calls` and `faults` belong to it."""

    def __init__(self, gate: _Gate, undo: Sequence[Callable[[], None]]) -> None:
        self.calls = gate.calls
        self.faults = gate.faults
        self._gate = gate
        self._undo = undo

    @property
    def witness(self) -> Witness:
        """Return who is told of every call that was decided."""
        return self._gate.witness

    @witness.setter
    def witness(self, witness: Witness) -> None:
        self._gate.witness = witness

    def uninstall(self) -> None:
        """Take every hook off again."""
        run_all(self._undo)


def install(*, bypass: Collection[str], calls: CallLog | None = None, faults: Faults | None = None) -> Installation:
    """Enforce IAM on every request to moto's server in this process.

    Access keys in `bypass` (the administrator's) are authenticated and may do everything. moto's own checks are off:
    of bucket policies it reads no conditions.
    """
    global _installed  # noqa: PLW0603 - moto's classes are process-wide, and so is what hooks them
    if _installed is not None:
        raise RuntimeError("IAM enforcement is already installed in this process")
    gate = _Gate(frozenset(bypass), calls or CallLog(), faults or Faults())
    hooks = (additions.install, entities.install, identities.install, _hook_bucket, _hook_action)
    undo = [_forget_gate, *(hook() for hook in hooks), _hook_server(gate)]
    _installed = gate
    return Installation(gate, undo)


def authorize(
    principal: Principal,
    action: str,
    resource: str,
    context: Mapping[str, str | list[str]],
    resource_policy: Mapping[str, object] | None = None,
) -> None:
    """Raise `Refused` unless the principal may do this; without `resource_policy` the resource's own one is read."""
    policy = Policy.parse("the resource's", resource_policy) if resource_policy is not None else None
    gate = _installed or _Gate(frozenset(), CallLog(), Faults())
    decision = gate.decide(principal, Check(action, resource, context), policy)
    if not decision.allowed:
        raise Refused("AccessDenied", _sentence(principal, action, resource, decision.reason))


def _sentence(principal: Principal, action: str, resource: str, reason: str) -> str:
    return f"User: {principal.name} is not authorized to perform: {action} on resource: {resource} because {reason}"


class _Gate:
    """Decide over every request to the server."""

    def __init__(self, bypass: frozenset[str], calls: CallLog, faults: Faults) -> None:
        self.bypass = bypass
        self.calls = calls
        self.faults = faults
        self.witness: Witness = lambda *_: None

    def handle(self, request: MotoRequest, proceed: Callable[[], Response]) -> Response:
        """Answer a request: by moto if it may, else with its service's refusal."""
        if request.path.startswith(_NOT_AWS):
            return proceed()
        if self.faults.latency_seconds:
            time.sleep(self.faults.latency_seconds)
        body = apicall.body_of(request.environ)
        scope = None
        try:
            scope = apicall.scope_or_none(request)
            principal = _authenticated(request, scope, body)
            call = apicall.read(request, scope, principal.account, body)
            record = self._judge(principal, call)
        except Refused as refused:
            return _refusal(request, scope, refused.code, refused.reason)
        flask.g.authorized_operation = call.operation
        fault = self.faults.strike(record)
        if fault:
            return self._broken(fault, request, call, record, proceed)
        answer = _atomically(call, proceed)
        self.witness(principal, call, None if answer.status_code < HTTPStatus.BAD_REQUEST else "ClientException")
        return answer

    def _judge(self, principal: Principal, call: apicall.ApiCall) -> Call:
        checks = services.checks(call)
        check, decision = self._first_refusal(principal, call, checks)
        record = Call(
            at=time.time(),
            principal_arn=principal.name,
            access_key=principal.access_key,
            service=call.service,
            operation=call.operation,
            action=check.action,
            resource=check.resource,
            allowed=decision.allowed,
            reason=decision.reason,
            checked=tuple((each.action, each.resource) for each in checks),
        )
        self.calls.record(record)
        if not decision.allowed:
            self.witness(principal, call, "AccessDenied")
            raise Refused("AccessDenied", _sentence(principal, check.action, check.resource, decision.reason))
        return record

    def _first_refusal(
        self, principal: Principal, call: apicall.ApiCall, checks: list[Check]
    ) -> tuple[Check, Decision]:
        first = checks[0] if checks else Check(f"{call.service}:{call.operation}")
        outcome = Decision(True, "everybody may")
        for number, check in enumerate(checks):
            context = {**request_context.of_call(call), **check.context}
            decision = self.decide(principal, Check(check.action, check.resource, context), None)
            if not decision.allowed:
                return check, decision
            if number == 0:
                outcome = decision
        return first, outcome

    def decide(self, principal: Principal, check: Check, policy: Policy | None) -> Decision:
        """Decide one check by the principal's policies, the resource's, and the clock."""
        if principal.access_key in self.bypass:
            return Decision(True, "the administrator's key is not limited")
        delay = self.faults.propagation_seconds
        account = resource_policies.owner(check.resource, principal.account)
        own: dict[str, str | Sequence[str]] = {} if check.resource == "*" else {"aws:ResourceAccount": account}
        context = {**request_context.of_principal(principal, delay), **own, **check.context}
        try:
            policies = _policies(principal, policy or resource_policies.policy_of(check, delay=delay), delay)
        except Malformed as malformed:
            return Decision(False, str(malformed))
        return evaluate(Request(principal, check.action, check.resource, account, context), policies)

    def _broken(
        self,
        fault: Fault,
        request: MotoRequest,
        call: apicall.ApiCall,
        record: Call,
        proceed: Callable[[], Response],
    ) -> Response:
        if fault.effect in (Effect.THROTTLE, Effect.ERROR):
            code = "ThrottlingException" if fault.effect is Effect.THROTTLE else fault.code
            return _reply(
                replies.refusal(
                    code, "Injected.", model=call.model, protocol=call.protocol, status=fault.status or None
                )
            )
        if fault.effect is not Effect.CRASH_BEFORE:
            _atomically(call, proceed)
        if fault.effect is not Effect.LOSE_REPLY:
            if self.faults.kill is None:
                raise RuntimeError("a crash was injected, but nobody said how to kill a function")
            self.faults.kill(record.access_key)
        return _no_reply(request)


_installed: _Gate | None = None


def _forget_gate() -> None:
    global _installed  # noqa: PLW0603 - see install
    _installed = None


def _hook_server(gate: _Gate) -> Callable[[], None]:
    def enforced(original: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - moto's
        # The proxy's own object: moto's application makes its requests of moto's class.
        request = cast("MotoRequest", flask_request._get_current_object())  # type: ignore[attr-defined] # noqa: SLF001
        return gate.handle(request, lambda: original(*args, **kwargs))

    return wrap(convert_to_flask_response, "__call__", enforced)


def _hook_action() -> Callable[[], None]:
    return wrap(BaseResponse, "_get_action", _as_authorized)


def _as_authorized(read: Callable[[BaseResponse], str], response: BaseResponse) -> str:
    # moto reads the operation out of whatever looks like a form, even a JSON body with "&Action=" in its text. It must
    # read all the same: it finds the parameters in the path on the way.
    found = read(response)
    return flask.g.get("authorized_operation", found) if flask.has_app_context() else found


def _hook_bucket() -> Callable[[], None]:
    return wrap(FakeBucket, "get_permission", lambda *_: PermissionResult.PERMITTED)


def _authenticated(request: MotoRequest, scope: Scope | None, body: bytes) -> Principal:
    _check_moto_agrees(request, scope)
    if scope is None:
        if "HTTP_X_AMZ_TARGET" in request.environ or request.method == "POST":
            raise Refused("MissingAuthenticationToken", "Request is missing Authentication Token")
        return Principal.anonymous()
    return authenticate(request.method, request.raw_url, dict(request.headers), body, service=scope.service)


def _check_moto_agrees(request: MotoRequest, scope: Scope | None) -> None:
    """Refuse what moto would understand otherwise than it was signed: another account, region, service."""
    if "x-moto-account-id" in request.headers:
        raise Refused("AccessDenied", "an account is chosen by its keys, not by a header of moto's")
    if scope is None:
        return
    if scope.presigned and (scope.service != "s3" or "Authorization" in request.headers):
        raise Refused("AccessDenied", "only S3's requests may be signed in their query, and then only there")
    names = f"{request.host} {request.headers.get('User-Agent', '')}"
    if any(region != scope.region for region in _REGION_FOR_MOTO.findall(names)):
        raise Refused("AccessDenied", f"the request is signed for {scope.region}, and names another region to moto")


def _policies(principal: Principal, resource: Policy | None, delay: float) -> Policies:
    if not principal.account:
        return Policies(resource=resource)
    found = entities.entity(principal.arn, delay)
    session = principal.session_policy
    return Policies(
        identity=found.identity_policies() if found else (),
        resource=resource,
        boundary=found.boundary_policy() if found else None,
        session=Policy.parse("of the session", session) if session is not None else None,
        control=organization.policies_of(principal.account),
    )


def _atomically(call: apicall.ApiCall, proceed: Callable[[], Response]) -> Response:
    lock = _ATOMIC.get(call.model)
    if lock is None:
        return proceed()
    with lock:
        return proceed()


def _refusal(request: MotoRequest, scope: Scope | None, code: str, reason: str) -> Response:
    service = scope.service if scope else "s3"
    model = apicall.model_of(request, service, b"")
    return _reply(replies.refusal(code, reason, model=model, protocol=apicall.protocol_of(request, service)))


def _reply(reply: replies.Reply) -> Response:
    status, headers, body = reply
    return Response(body, status=status, headers=headers)


def _no_reply(request: MotoRequest) -> Response:
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)
