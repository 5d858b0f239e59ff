"""Refuse a request: the closed list of problems, in the form of RFC 9457."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON

NAMESPACE = "urn:remediator:problem:"


class Problem(Enum):
    """List every problem: name, status and title."""

    INVALID_REQUEST = (400, "The request isn't one that the protocol allows")
    UNAUTHORIZED = (401, "Code, opening or signature isn't live for this request")
    FORBIDDEN = (403, "This principal may not do this")
    REFUSED = (403, "The deployment's policy refuses every finding of the request")
    NOT_FOUND = (404, "There is nothing here that this principal may see")
    METHOD_NOT_ALLOWED = (405, "The path doesn't take this method")
    KEY_REUSED = (409, "The Idempotency-Key was used for another request")
    IN_PROGRESS = (409, "The remediation is still running")
    TOO_LARGE = (413, "The body is larger than 1 MiB")
    UNSUPPORTED_MEDIA_TYPE = (415, "The body isn't plain application/json")
    FROZEN = (423, "The customer has frozen the deployment")
    TOO_MANY_REQUESTS = (429, "This principal has used up its window")
    INTERNAL_ERROR = (500, "The remediator failed; the same request under the same key goes on")
    GATE_UNAVAILABLE = (503, "The gate can't be passed now; the fault isn't the caller's")

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.value[0]

    @property
    def title(self) -> str:
        """Return the problem's title, which never varies."""
        return self.value[1]

    @property
    def type(self) -> str:
        """Return the problem's type, a URN."""
        return NAMESPACE + self.name.lower()


class Refused(Exception):  # noqa: N818 - errors are named for what is the case
    """Answer with a problem. `detail` is for the caller and holds nothing that was presented as a secret."""

    def __init__(
        self,
        problem: Problem,
        detail: str | None = None,
        *,
        retry_after: int | None = None,
        extra: Mapping[str, JSON] | None = None,
    ) -> None:
        super().__init__(problem.name)
        self.problem = problem
        self.detail = detail
        self.retry_after = retry_after
        self.extra = dict(extra or {})

    def body(self) -> dict[str, JSON]:
        """Return the problem document."""
        document = {"type": self.problem.type, "title": self.problem.title, "status": self.problem.status}
        return document | ({"detail": self.detail} if self.detail else {}) | self.extra
