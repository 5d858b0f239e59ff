"""Answer at graph.microsoft.com, and hold each caller to the app roles that its token shows.

https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.calls import Call
from remediator.local.azure.entra import first_party
from remediator.local.azure.entra.tokens import BadToken, Caller
from remediator.local.azure.exchange import Answer, Plan, Refused, Request
from remediator.local.azure.graph.operations import Asked, Operations
from remediator.local.azure.graph.problem import GraphProblem, bad, error

if TYPE_CHECKING:
    from remediator.local.azure.entra.directory import Directory
    from remediator.local.azure.entra.tokens import Mint

_READ: Final = frozenset(
    {
        first_party.APPLICATION_READ,
        first_party.APPLICATION_WRITE,
        first_party.APPLICATION_WRITE_OWNED,
        first_party.DIRECTORY_READ,
    }
)
_WRITE: Final = frozenset({first_party.APPLICATION_WRITE, first_party.APPLICATION_WRITE_OWNED})
_ASSIGN: Final = frozenset({first_party.ASSIGNMENT_WRITE})
_ID: Final = r"(?:/(?P<id>[0-9a-fA-F-]{36})|\(appId='(?P<app_id>[0-9a-fA-F-]{36})'\))"
_NAME: Final = r"\(uniqueName='(?P<name>[^']+)'\)"


@dataclass(frozen=True, slots=True)
class Route:
    """Hold a kind of request: which method of `Operations` does it, and which app roles allow it."""

    method: str
    path: re.Pattern[str]
    operation: str
    roles: frozenset[str]


def _routes(*lines: tuple[str, str, str, frozenset[str]]) -> tuple[Route, ...]:
    return tuple(
        Route(method, re.compile("/v1\\.0" + path), operation, roles) for method, path, operation, roles in lines
    )


_ASSIGNMENT: Final = r"(?:/(?P<assignment>[\w-]+))"
_DELETED: Final = r"/directory/deletedItems"
ROUTES: Final = _routes(
    ("GET", "/applications", "list_applications", _READ),
    ("POST", "/applications", "create_application", _WRITE),
    ("GET", f"/applications{_ID}", "get_application", _READ),
    ("PATCH", f"/applications{_ID}", "update_application", _WRITE),
    ("GET", f"/applications{_NAME}", "get_application", _READ),
    ("PATCH", f"/applications{_NAME}", "upsert_application", _WRITE),
    ("DELETE", f"/applications{_ID}", "delete_application", _WRITE),
    ("POST", f"/applications{_ID}/addPassword", "add_password", _WRITE),
    ("POST", f"/applications{_ID}/removePassword", "remove_password", _WRITE),
    ("GET", f"{_DELETED}/microsoft\\.graph\\.application", "list_deleted", _READ),
    ("DELETE", f"{_DELETED}/(?P<id>[0-9a-fA-F-]{{36}})", "purge_application", _WRITE),
    ("POST", f"{_DELETED}/(?P<id>[0-9a-fA-F-]{{36}})/restore", "restore_application", _WRITE),
    ("GET", "/servicePrincipals", "list_principals", _READ),
    ("POST", "/servicePrincipals", "create_principal", _WRITE),
    ("GET", f"/servicePrincipals{_ID}", "get_principal", _READ),
    ("PATCH", f"/servicePrincipals{_ID}", "update_principal", _WRITE),
    ("DELETE", f"/servicePrincipals{_ID}", "delete_principal", _WRITE),
    ("GET", f"/servicePrincipals{_ID}/appRoleAssignedTo", "list_assigned_to", _READ),
    ("POST", f"/servicePrincipals{_ID}/appRoleAssignedTo", "assign_as_resource", _ASSIGN),
    ("DELETE", f"/servicePrincipals{_ID}/appRoleAssignedTo{_ASSIGNMENT}", "unassign", _ASSIGN),
    ("GET", f"/servicePrincipals{_ID}/appRoleAssignments", "list_assignments", _READ),
    ("POST", f"/servicePrincipals{_ID}/appRoleAssignments", "assign_as_principal", _ASSIGN),
    ("DELETE", f"/servicePrincipals{_ID}/appRoleAssignments{_ASSIGNMENT}", "unassign", _ASSIGN),
)


class Graph:
    """Serve one tenant's directory."""

    def __init__(self, directory: Directory, mint: Mint) -> None:
        self._directory = directory
        self._mint = mint

    def plan(self, request: Request) -> Plan:
        """Authenticate, authorize and understand a request; raises `Refused`."""
        what = f"{request.method} {request.path}"
        call = Call(time.time(), "graph", what, request.path, origin=request.origin)
        caller = self._caller(request, call)
        call = Call(call.at, "graph", what, request.path, caller.object_id, request.origin)
        try:
            route, parts = _understood(request)
            _permit(caller, route)
            document = _document(request)
        except GraphProblem as problem:
            raise Refused(problem.answer(), str(problem), call) from None
        asked = Asked(caller, request.query, parts, document, request.headers.get("prefer", ""))
        operations = Operations(self._directory, asked)
        call = Call(call.at, "graph", route.operation, request.path, caller.object_id, request.origin)
        return Plan(call, lambda: _performed(operations, route))

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an error in Graph's form."""
        return error(status, code, message)

    def throttled(self, seconds: int) -> Answer:
        """Return Graph's answer to too many requests."""
        answer = error(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests.")
        return answer.having(("Retry-After", str(seconds)))

    def _caller(self, request: Request, call: Call) -> Caller:
        try:
            return self._mint.read(request.bearer, first_party.GRAPH.resources)
        except BadToken as bad_token:
            messages = {
                "missing": "Access token is empty.",
                "audience": "Access token validation failure. Invalid audience.",
                "expired": "Lifetime validation failed, the token is expired.",
            }
            message = messages.get(bad_token.what, "Access token validation failure.")
            answer = error(HTTPStatus.UNAUTHORIZED, "InvalidAuthenticationToken", message)
            raise Refused(answer, f"the token is bad: {bad_token}", call) from None


def _understood(request: Request) -> tuple[Route, dict[str, str | None]]:
    for route in ROUTES:
        match = route.path.fullmatch(request.path)
        if match is not None and request.method == route.method:
            return route, match.groupdict()
    raise bad(f"Resource not found for the segment in '{request.method} {request.path}': the embedded Graph lacks it.")


def _permit(caller: Caller, route: Route) -> None:
    if not caller.roles & route.roles:
        message = "Insufficient privileges to complete the operation."
        raise GraphProblem(403, "Authorization_RequestDenied", message)


def _document(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise bad("A content type of application/json is needed.")
    try:
        document = json.loads(request.body)
    except ValueError:
        raise bad("Unable to read JSON request payload.") from None
    if not isinstance(document, dict):
        raise bad("Unable to read JSON request payload.")
    return document


def _performed(operations: Operations, route: Route) -> Answer:
    try:
        answer: Answer = getattr(operations, route.operation)()
    except GraphProblem as problem:
        return problem.answer()
    return answer
