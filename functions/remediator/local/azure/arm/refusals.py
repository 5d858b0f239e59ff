"""Refuse as Resource Manager does: a code, a message, a status."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_TYPE: Final = {"Content-Type": "application/json; charset=utf-8"}


class ArmRefusal(Exception):  # noqa: N818 - named for what is the case
    """End a request with an error; nothing has changed."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = int(status)
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def reply(self) -> tuple[int, dict[str, str], bytes]:
        """Return the status, the headers and the body to answer with."""
        body = {"error": {"code": self.code, "message": self.message}}
        return self.status, JSON_TYPE | self.headers, json.dumps(body).encode()


def bad_request(code: str, message: str) -> ArmRefusal:
    """Return the refusal of what the request says."""
    return ArmRefusal(HTTPStatus.BAD_REQUEST, code, message)


def throttled(seconds: int) -> ArmRefusal:
    """Return the refusal of who comes too often."""
    message = f"The request is being throttled. Please try after '{seconds}' seconds."
    return ArmRefusal(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", message, {"Retry-After": str(seconds)})


def unauthorized(principal: str, operation: str, scope: str) -> ArmRefusal:
    """Return the refusal of who has no role that allows an operation."""
    message = (
        f"The client '{principal}' with object id '{principal}' does not have authorization to perform action "
        f"'{operation}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials."
    )
    return ArmRefusal(HTTPStatus.FORBIDDEN, "AuthorizationFailed", message)


def unlinked(principal: str, operation: str, scope: str, other: str) -> ArmRefusal:
    """Return the refusal of who may write a resource, but not join it to another one."""
    message = (
        f"The client '{principal}' with object id '{principal}' has permission to perform action on scope '{scope}'; "
        f"however, it does not have permission to perform action(s) '{operation}' on the linked scope(s) '{other}' or "
        "the linked scope(s) are invalid."
    )
    return ArmRefusal(HTTPStatus.FORBIDDEN, "LinkedAuthorizationFailed", message)
