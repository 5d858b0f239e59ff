"""Answer at management.azure.com: authenticate, then let roles be served here and resources by their own part."""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from remediator.local.azure.arm.refusals import ArmRefusal, throttled, unauthorized
from remediator.local.azure.calls import Call
from remediator.local.azure.entra.first_party import MANAGEMENT
from remediator.local.azure.entra.tokens import BadToken, Caller
from remediator.local.azure.exchange import Answer, Plan, Refused, Request
from remediator.local.azure.places import TENANT
from remediator.local.azure.rbac.documents import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.arm.embedded import EmbeddedArm
    from remediator.local.azure.entra.tokens import Mint
    from remediator.local.azure.rbac.roles import Rbac
    from remediator.local.azure.rbac.service import Authorization
    from remediator.local.azure.resources.removal import Removal
    from remediator.local.azure.resources.service import Resources

_CHALLENGE: Final = f'Bearer authorization_uri="https://login.windows.net/{TENANT}", error="invalid_token"'
_BAD_TOKENS: Final = {
    "missing": ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
    "audience": (
        "InvalidAuthenticationTokenAudience",
        "The access token has been obtained for wrong audience or resource '{found}'.",
    ),
    "expired": ("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."),
    "issuer": ("InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer '{found}'."),
}


class Asked(Protocol):
    """Hold what a request is about: one operation, on one scope."""

    @property
    def operation(self) -> str:
        """Return the operation that the caller needs a right to."""

    @property
    def scope(self) -> str:
        """Return what the operation is done on."""


class Management:
    """Serve one subscription's control plane."""

    def __init__(  # noqa: PLR0913, PLR0917 - one per part
        self,
        mint: Mint,
        rbac: Rbac,
        authorization: Authorization,
        resources: Resources,
        removal: Removal,
        arm: EmbeddedArm,
    ) -> None:
        self._mint = mint
        self._rbac = rbac
        self._authorization = authorization
        self._resources = resources
        self._removal = removal
        self._arm = arm

    def plan(self, request: Request) -> Plan:
        """Authenticate, authorize and understand a request; raises `Refused`."""
        what = f"{request.method} {request.path}"
        call = Call(time.time(), "arm", what, request.path, origin=request.origin)
        caller = self._caller(request, call)
        call = Call(call.at, "arm", what, request.path, caller.object_id, request.origin)
        try:
            asked = self._authorization.understand(request)
            if asked is not None:
                return self._own(asked, caller, call, lambda: self._authorization.perform(asked))
            deployed = self._resources.understand(request)
            if deployed is not None:
                may = partial(self._rbac.allows, caller.object_id)
                return self._own(deployed, caller, call, lambda: self._resources.perform(deployed, may))
            removed = self._removal.understand(request)
            if removed is not None:
                return self._own(removed, caller, call, lambda: self._removal.perform(removed))
            return self._about_targets(request, caller, call)
        except Unfit as unfit:
            raise Refused(_answer(_refusal(unfit)), str(unfit), call) from None
        except ArmRefusal as refusal:
            raise Refused(_answer(refusal), refusal.code, call) from None

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an error in Resource Manager's form."""
        return _answer(ArmRefusal(status, code, message))

    def throttled(self, seconds: int) -> Answer:
        """Return Resource Manager's answer to too many requests."""
        return _answer(throttled(seconds))

    def _caller(self, request: Request, call: Call) -> Caller:
        try:
            return self._mint.read(request.bearer, MANAGEMENT.resources)
        except BadToken as bad:
            code, message = _BAD_TOKENS.get(bad.what, ("InvalidAuthenticationToken", "The access token is invalid."))
            headers = {"WWW-Authenticate": _CHALLENGE}
            refusal = ArmRefusal(HTTPStatus.UNAUTHORIZED, code, message.format(found=bad.found), headers)
            raise Refused(_answer(refusal), f"the token is bad: {bad}", call) from None

    def _own(self, asked: Asked, caller: Caller, call: Call, perform: Callable[[], Answer]) -> Plan:
        """Plan what is served here."""
        needed = (asked.operation, asked.scope or "/")
        own = Call(call.at, "arm", *needed, caller.object_id, call.origin, (needed,))
        if not self._rbac.allows(caller.object_id, *needed):
            raise Refused(_answer(unauthorized(caller.object_id, *needed)), "no role allows it", own)
        return Plan(own, lambda: _performed(perform))

    def _about_targets(self, request: Request, caller: Caller, call: Call) -> Plan:
        parts = (request.method, request.path, request.query, request.headers, request.body)
        needed = self._arm.understand(*parts).operations
        own = Call(call.at, "arm", *needed[0], caller.object_id, call.origin, tuple(needed))

        def carry_out() -> Answer:
            status, headers, body = self._arm.handle(*parts, caller.object_id)
            return Answer(int(status), body, tuple(headers.items()))

        if not all(self._rbac.allows(caller.object_id, action, scope) for action, scope in needed):
            raise Refused(carry_out(), "no role allows it", own)
        return Plan(own, carry_out)


def _performed(perform: Callable[[], Answer]) -> Answer:
    try:
        return perform()
    except Unfit as unfit:
        return _answer(_refusal(unfit))
    except ArmRefusal as refusal:
        return _answer(refusal)


def _refusal(unfit: Unfit) -> ArmRefusal:
    return ArmRefusal(unfit.status, unfit.code, str(unfit))


def _answer(refusal: ArmRefusal) -> Answer:
    status, headers, body = refusal.reply()
    return Answer(status, body, tuple(headers.items()))
