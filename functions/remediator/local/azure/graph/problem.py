"""Say no as Microsoft Graph says it: https://learn.microsoft.com/graph/errors."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from remediator.local.azure.exchange import json_answer

if TYPE_CHECKING:
    from remediator.local.azure.exchange import Answer


class GraphProblem(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse an operation."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def answer(self) -> Answer:
        """Return it as an answer."""
        return error(self.status, self.code, str(self))


def error(status: int, code: str, message: str) -> Answer:
    """Return an error in Graph's form."""
    request = str(uuid.uuid4())
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    inner = {"date": moment, "request-id": request, "client-request-id": request}
    return json_answer(status, {"error": {"code": code, "message": message, "innerError": inner}})


def bad(message: str) -> GraphProblem:
    """Return the refusal of a request that isn't well-formed, or whose values aren't."""
    return GraphProblem(400, "Request_BadRequest", message)


def missing(what: str) -> GraphProblem:
    """Return the refusal of an object that isn't there."""
    message = f"Resource '{what}' does not exist or one of its queried reference-property objects are not present."
    return GraphProblem(404, "Request_ResourceNotFound", message)
