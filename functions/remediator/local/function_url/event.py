"""Translate HTTP into a function's event and its result back: payload format version 2.0.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.local.iam import Principal

_TEXT: Final = re.compile(r"text/.*|application/(.*\+)?(json|xml|javascript|x-www-form-urlencoded)")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Hold a request as it came in: headers in order, path and query as sent."""

    identity: str
    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    received: float

    def header(self, name: str) -> str:
        """Return a header's values, joined by commas; empty if there is none."""
        return joined(self.headers).get(name, "")


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Hold an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class BadResult(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that what the function returned can't be an HTTP response: the caller gets 502."""


def joined(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return headers with names in lower case; one that came more than once has its values joined by commas."""
    together: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        together[key] = f"{together[key]},{value}" if key in together else value
    return together


def event_of(request: HttpRequest, api_id: str, principal: Principal | None) -> dict[str, Any]:
    """Return the event; `principal` is None for a URL that lets everybody in."""
    headers = joined(request.headers)
    cookies = headers.pop("cookie", None)
    text = _text(request.body, headers.get("content-type", ""))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": {**headers, **_added(request)},
        "requestContext": _context(request, api_id, principal),
        "isBase64Encoded": bool(request.body) and text is None,
    }
    if cookies is not None:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if request.query:
        event["queryStringParameters"] = joined_query(request.query)
    if request.body:
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
    return event


def joined_query(query: str) -> dict[str, str]:
    """Return the parameters of a query string, decoded; values of one name are joined by commas."""
    together: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        together[name] = f"{together[name]},{value}" if name in together else value
    return together


def reply_of(payload: bytes) -> HttpReply:
    """Return the response that a function's result means; raises `BadResult`."""
    try:
        result = json.loads(payload)
    except ValueError as error:
        raise BadResult("the result isn't JSON") from error
    if not isinstance(result, dict) or "statusCode" not in result:
        return HttpReply(200, (("Content-Type", "application/json"),), payload)
    status = result["statusCode"]
    if type(status) is not int or not 100 <= status <= 599:  # noqa: PLR2004 - what HTTP calls a status
        raise BadResult("statusCode isn't a status")
    headers = [(str(name), str(value)) for name, value in (result.get("headers") or {}).items()]
    if not all(_HEADER_NAME.fullmatch(name) and "\r" not in value and "\n" not in value for name, value in headers):
        raise BadResult("a header can't be sent")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    headers += [("Set-Cookie", str(cookie)) for cookie in result.get("cookies") or ()]
    return HttpReply(status, tuple(headers), _body(result))


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body") or ""
    if not isinstance(body, str):
        body = json.dumps(body)
    try:
        return base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode()
    except ValueError as error:
        raise BadResult("the body isn't base64") from error


def _text(body: bytes, content_type: str) -> str | None:
    """Return the body as text; None if it isn't of a textual type, or isn't UTF-8."""
    if not _TEXT.fullmatch(content_type.partition(";")[0].strip().lower()):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _added(request: HttpRequest) -> dict[str, str]:
    """Return the headers that the service adds. `https`: the real one speaks nothing else."""
    trace = f"Root=1-{int(request.received):08x}-{request.identity.replace('-', '')[:24]}"
    forwarded = {"x-forwarded-for": request.source_ip, "x-forwarded-port": "443", "x-forwarded-proto": "https"}
    return {**forwarded, "x-amzn-trace-id": trace}


def _context(request: HttpRequest, api_id: str, principal: Principal | None) -> dict[str, Any]:
    received = datetime.fromtimestamp(request.received, UTC)
    context: dict[str, Any] = {
        "accountId": principal.account if principal else "anonymous",
        "apiId": api_id,
        "domainName": request.header("host"),
        "domainPrefix": api_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
        "requestId": request.identity,
        "routeKey": "$default",
        "stage": "$default",
        "time": f"{received:%d/%b/%Y:%H:%M:%S +0000}",
        "timeEpoch": int(request.received * 1000),
    }
    if principal is not None:
        context["authentication"] = None
        context["authorizer"] = {
            "iam": {
                "accessKey": principal.access_key,
                "accountId": principal.account,
                "callerId": principal.unique_id,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": principal.name,
                "userId": principal.unique_id,
            }
        }
    return context
