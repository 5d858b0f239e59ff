"""Answer at *.scm.azurewebsites.net: take the packages of function apps.

https://learn.microsoft.com/azure/azure-functions/functions-deployment-technologies#one-deploy
"""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from remediator.local.azure.calls import Call
from remediator.local.azure.entra.first_party import MANAGEMENT
from remediator.local.azure.entra.tokens import BadToken
from remediator.local.azure.exchange import Answer, Plan, Refused, Request, json_answer
from remediator.local.azure.front import NobodyThere
from remediator.local.azure.places import PUBLISHING

if TYPE_CHECKING:
    from remediator.local.azure.entra.tokens import Mint
    from remediator.local.azure.rbac.roles import Rbac
    from remediator.local.azure.resources.sites import Site, SiteKeeper

ACTION: Final = "Microsoft.Web/sites/publish/Action"
_BUILD: Final = re.compile(r"/api/deployments/([\w-]+)")
_QUERY: Final = frozenset({"RemoteBuild", "Deployer"})


class Publishing:
    """Serve the publishing hosts of every site."""

    def __init__(self, sites: SiteKeeper, mint: Mint, rbac: Rbac) -> None:
        self._sites = sites
        self._mint = mint
        self._rbac = rbac

    def plan(self, request: Request) -> Plan:
        """Authenticate, authorize and understand a request; raises `Refused`, or `NobodyThere`."""
        site = self._sites.named(request.host.removesuffix(PUBLISHING))
        if site is None:
            raise NobodyThere(request.host)
        call = Call(time.time(), "publishing", f"{request.method} {request.path}", site.id, origin=request.origin)
        try:
            caller = self._mint.read(request.bearer, MANAGEMENT.resources)
        except BadToken as bad:
            raise Refused(Answer(HTTPStatus.UNAUTHORIZED), f"the token is bad: {bad}", call) from None
        call = Call(call.at, "publishing", ACTION, site.id, caller.object_id, request.origin, ((ACTION, site.id),))
        if not self._rbac.allows(caller.object_id, ACTION, site.id):
            raise Refused(Answer(HTTPStatus.FORBIDDEN), "no role allows it", call)
        if (request.method, request.path) == ("POST", "/api/publish") and request.query.keys() <= _QUERY:
            return Plan(call, lambda: self._publish(site, request))
        match = _BUILD.fullmatch(request.path)
        if request.method == "GET" and match is not None:
            return Plan(call, lambda: self._build(site, match[1]))
        raise Refused(Answer(HTTPStatus.NOT_FOUND), "unknown operation", call)

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an error as text."""
        return Answer(status, f"{code}: {message}".encode(), (("Content-Type", "text/plain; charset=utf-8"),))

    def throttled(self, seconds: int) -> Answer:
        """Return the answer to too many requests."""
        return Answer(HTTPStatus.TOO_MANY_REQUESTS, headers=(("Retry-After", str(seconds)),))

    def _publish(self, site: Site, request: Request) -> Answer:
        if request.headers.get("content-type") != "application/zip":
            return self.error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", "a zip is expected")
        return json_answer(HTTPStatus.ACCEPTED, self._sites.publish(site, request.body).id)

    def _build(self, site: Site, identity: str) -> Answer:
        build = self._sites.build(site, identity)
        if build is None:
            return Answer(HTTPStatus.NOT_FOUND)
        document = {"id": build.id, "status": build.status, "status_text": build.text, "complete": True}
        return json_answer(HTTPStatus.OK, document)
