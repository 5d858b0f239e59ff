"""Tell success from failure in a reply, and name the failure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from remediator.vendor.errors import NotServed, Refused, TurnedAway, Unintelligible, class_of

if TYPE_CHECKING:
    from remediator.catalogue.spec import JSON
    from remediator.vendor.transport import Reply

_OK = 200
_QUOTED = 200
"""How many characters of an answer that isn't ours are quoted."""


def body_of(reply: Reply) -> dict[str, JSON]:
    """Return the body of a reply of success, or raise what the reply says is the case."""
    if reply.status != _OK:
        raise error_of(reply)
    return _object(reply.body)


def error_of(reply: Reply) -> NotServed:
    """Return the error that a reply of failure stands for."""
    if not reply.headers.get("content-type", "").startswith("application/problem+json"):
        return TurnedAway(reply.status, _said(reply.body))
    problem = _object(reply.body)
    if not isinstance(problem.get("type"), str) or not isinstance(problem.get("title"), str):
        raise Unintelligible("the problem has no type or no title")
    return _refusal(reply, problem)


def _refusal(reply: Reply, problem: dict[str, JSON]) -> Refused:
    return class_of(problem["type"])(reply.status, problem, _retry_after(reply))


def _retry_after(reply: Reply) -> int | None:
    """Return the seconds of `Retry-After`; a date there, which we never send, counts as none."""
    text = reply.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _object(body: bytes) -> dict[str, JSON]:
    try:
        document = json.loads(body)
    except ValueError:
        raise Unintelligible("the answer isn't JSON") from None
    if not isinstance(document, dict):
        raise Unintelligible("the answer isn't a JSON object")
    return document


def _said(body: bytes) -> str:
    """Return what the function URL says, which is `{"Message": …}` where IAM refuses."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        document = None
    said = (document.get("Message") or document.get("message")) if isinstance(document, dict) else None
    text = said if isinstance(said, str) else body.decode("utf-8", "replace")
    return "".join(character for character in text[:_QUOTED] if character.isprintable()) or "nothing"
