"""Answer at *.table.core.windows.net: check token and roles, then let Azurite do it.

https://learn.microsoft.com/azure/storage/tables/authorize-access-azure-active-directory. Shared keys are refused, as by
accounts that forbid them; between here and Azurite there is one, which nobody else knows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
import uuid
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from remediator.local.azure.calls import Call
from remediator.local.azure.entra.first_party import STORAGE
from remediator.local.azure.entra.tokens import BadToken, Caller
from remediator.local.azure.exchange import Answer, Plan, Refused, Request, json_answer
from remediator.local.azure.front import NobodyThere
from remediator.local.azure.places import LOGIN, TABLES, TENANT
from remediator.local.azure.tables.azurite import NoStorage
from remediator.local.azure.tables.rights import Need, NotUnderstood, needs, redirected

if TYPE_CHECKING:
    from remediator.local.azure.entra.tokens import Mint
    from remediator.local.azure.estate import Estate, StorageAccount
    from remediator.local.azure.rbac.roles import Rbac
    from remediator.local.azure.tables.azurite import Azurite

_CHALLENGE: Final = (
    "WWW-Authenticate",
    f"Bearer authorization_uri=https://{LOGIN}/{TENANT}/oauth2/authorize resource_id=https://storage.azure.com",
)
_NOT_FORWARDED: Final = frozenset({"authorization", "connection", "content-length", "date", "host", "x-ms-date"})
_NOT_RETURNED: Final = frozenset({"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"})
_SECONDS: Final = 30


class Tables:
    """Serve the tables of every storage account of the estate."""

    def __init__(self, estate: Estate, mint: Mint, rbac: Rbac, azurite: Azurite) -> None:
        self._estate = estate
        self._mint = mint
        self._rbac = rbac
        self._azurite = azurite

    def ensure(self, account: StorageAccount, table: str) -> None:
        """Make a table as Resource Manager does; one that is there stays."""
        headers = {"content-type": "application/json", "accept": "application/json;odata=nometadata"}
        body = json.dumps({"TableName": table}).encode()
        host = account.tables_url.removeprefix("https://")
        answer = self._forwarded(account, Request(host, "POST", "/Tables", "/Tables", {}, headers, body))
        if answer.status not in {HTTPStatus.CREATED, HTTPStatus.CONFLICT}:
            raise NoStorage(f"the table {table} can't be made: {answer.status}")

    def plan(self, request: Request) -> Plan:
        """Authenticate, authorize and understand a request; raises `Refused`, or `NobodyThere`."""
        account = self._estate.storage_account(request.host.removesuffix(TABLES))
        if account is None:
            raise NobodyThere(request.host)
        what = f"{request.method} {request.path}"
        call = Call(time.time(), "tables", what, account.resource_id, origin=request.origin)
        caller = self._caller(request, call)
        call = Call(call.at, "tables", what, account.resource_id, caller.object_id, request.origin)
        try:
            wanted = needs(request.method, request.path, request.headers, request.body)
        except NotUnderstood as problem:
            answer = self.error(problem.status, problem.code, str(problem))
            raise Refused(answer, str(problem), call) from None
        checked = tuple(self._allowed(caller, account, need, call) for need in wanted)
        operation, resource = checked[0]
        call = Call(call.at, "tables", operation, resource, caller.object_id, request.origin, checked)
        return Plan(call, lambda: self._forwarded(account, request))

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an OData error."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        text = f"{message}\nRequestId:{uuid.uuid4()}\nTime:{moment}.0000000Z"
        document = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": text}}}
        return json_answer(status, document, ("x-ms-error-code", code), ("x-ms-version", "2019-02-02"))

    def throttled(self, seconds: int) -> Answer:
        """Return what Table Storage says under too much load: that it is busy, not that there were too many."""
        answer = self.error(503, "ServerBusy", "The server is busy.")
        return answer.having(("Retry-After", str(seconds)))

    def _caller(self, request: Request, call: Call) -> Caller:
        if request.headers.get("authorization", "").lower().startswith("sharedkey"):
            answer = self.error(
                403, "KeyBasedAuthenticationNotPermitted", "Key based authentication is not permitted on this account."
            )
            raise Refused(answer, "shared keys are forbidden", call)
        try:
            return self._mint.read(request.bearer, STORAGE.resources)
        except BadToken as bad:
            code = "NoAuthenticationInformation" if bad.what == "missing" else "InvalidAuthenticationInfo"
            message = (
                "Server failed to authenticate the request. Please refer to the information in the www-authenticate "
                "header."
            )
            answer = self.error(HTTPStatus.UNAUTHORIZED, code, message).having(_CHALLENGE)
            raise Refused(answer, f"the token is bad: {bad}", call) from None

    def _allowed(self, caller: Caller, account: StorageAccount, need: Need, call: Call) -> tuple[str, str]:
        """Return the first action, with its scope, of the first alternative that the caller's roles hold."""
        scope = f"{account.resource_id}/tableServices/default"
        if need.table is not None:
            scope = f"{scope}/tables/{need.table}"
        for alternative in need.alternatives:
            if all(self._rbac.allows(caller.object_id, action, scope, data=need.data) for action in alternative):
                return alternative[0], scope
        message = "This request is not authorized to perform this operation using this permission."
        answer = self.error(HTTPStatus.FORBIDDEN, "AuthorizationPermissionMismatch", message)
        action = need.alternatives[0][0]
        refused = Call(call.at, "tables", action, scope, call.principal, call.origin, ((action, scope),))
        raise Refused(answer, "no role allows it", refused)

    def _forwarded(self, account: StorageAccount, request: Request) -> Answer:
        azurite = self._azurite
        ours, theirs = account.tables_url, f"http://127.0.0.1:{azurite.port}/{account.name}"
        headers = _signed(azurite.key, account, request)
        target = f"/{account.name}{request.target}"
        connection = http.client.HTTPConnection("127.0.0.1", azurite.port, timeout=_SECONDS)
        try:
            connection.request(request.method, target, redirected(request.body, ours, theirs), headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        kept = tuple((name, value) for name, value in response.getheaders() if name.lower() not in _NOT_RETURNED)
        return Answer(response.status, body.replace(*_addresses(ours, theirs)), kept)


def _signed(key: bytes, account: StorageAccount, request: Request) -> dict[str, str]:
    """Return the headers to forward, signed with the one shared key.

    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """
    headers = {name: value for name, value in request.headers.items() if name not in _NOT_FORWARDED}
    date = formatdate(time.time(), usegmt=True)
    path = request.target.partition("?")[0]
    comp = f"?comp={request.query['comp']}" if "comp" in request.query else ""
    text = f"{date}\n/{account.name}/{account.name}{path}{comp}"
    signature = base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()
    return {**headers, "x-ms-date": date, "Authorization": f"SharedKeyLite {account.name}:{signature}"}


def _addresses(ours: str, theirs: str) -> tuple[bytes, bytes]:
    """Return how Azurite begins the address of its metadata, and how the account does."""
    begun = '"odata.metadata":"'
    return f"{begun}{theirs}/".encode(), f"{begun}{ours}/".encode()
