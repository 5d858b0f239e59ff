"""Name what is the case when a request isn't served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON


class NotServed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say why a request wasn't served. No message holds a secret.

    `key` is the Idempotency-Key, where one was sent: the same request under it is the same remediation, so it can be
    sent again without fear.
    """

    key: str | None = None


class BadDeployment(NotServed):
    """What is known of the deployment isn't usable."""


class Unreachable(NotServed):
    """No answer came: the network, TLS or a time limit."""


class NoAccess(NotServed):
    """The cloud refused the caller before the endpoint was asked: `service` and `code` are the cloud's own words."""

    def __init__(self, service: str, code: str, message: str) -> None:
        super().__init__(f"{service} says {code}: {message}")
        self.service = service
        self.code = code


class NoLiveSeed(NotServed):
    """The ring shows no seed for the window that is live: the rotator has stopped, or hasn't run yet."""


class Unintelligible(NotServed):
    """The answer isn't one that the protocol allows."""


class TurnedAway(NotServed):
    """The function URL answered in the remediator's place: IAM doesn't let this principal or this signature through."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the function URL answered {status}: {message}")
        self.status = status


class Refused(NotServed):
    """The remediator answered with a problem of RFC 9457: `document`."""

    def __init__(self, status: int, document: Mapping[str, JSON], retry_after: int | None) -> None:
        self.status = status
        self.document = document
        self.retry_after = retry_after
        """Seconds to wait before the same request makes sense, where the answer says so."""
        super().__init__(f"{self.title} ({self.detail})" if self.detail else self.title)

    @property
    def problem(self) -> str:
        """Return the problem's type, a URN."""
        return str(self.document["type"])

    @property
    def title(self) -> str:
        """Return what the problem is, the same words for each of its type."""
        return str(self.document["title"])

    @property
    def detail(self) -> str | None:
        """Return what is the case this time, where the answer says so."""
        return self.document.get("detail")


class InvalidRequest(Refused):
    """The request isn't one that the protocol allows."""


class Unauthorized(Refused):
    """Code, opening or signature isn't live for this request; the clock was corrected and it was tried again."""


class Forbidden(Refused):
    """This principal may not do this."""


class RefusedByPolicy(Refused):
    """The deployment's policy refuses every finding of the request: `document` says for each of them why."""


class NotFound(Refused):
    """There is nothing here that this principal may see."""


class MethodNotAllowed(Refused):
    """The path doesn't take this method."""


class KeyReused(Refused):
    """The Idempotency-Key was used for another request, or by another caller."""


class InProgress(Refused):
    """The remediation is still running, and patience has ended: ask again later, under the same key."""


class TooLarge(Refused):
    """The body is larger than the remediator takes: send fewer findings at a time."""


class UnsupportedMediaType(Refused):
    """The body isn't plain JSON."""


class Frozen(Refused):
    """The customer has frozen the deployment."""


class TooManyRequests(Refused):
    """This principal has used up its window, and patience has ended."""


class InternalError(Refused):
    """The remediator failed; the same request under the same key goes on from there."""


class GateUnavailable(Refused):
    """The gate can't be passed now, and patience has ended; the fault isn't the caller's."""


_CLASSES: dict[str, type[Refused]] = {
    Problem.INVALID_REQUEST.type: InvalidRequest,
    Problem.UNAUTHORIZED.type: Unauthorized,
    Problem.FORBIDDEN.type: Forbidden,
    Problem.REFUSED.type: RefusedByPolicy,
    Problem.NOT_FOUND.type: NotFound,
    Problem.METHOD_NOT_ALLOWED.type: MethodNotAllowed,
    Problem.KEY_REUSED.type: KeyReused,
    Problem.IN_PROGRESS.type: InProgress,
    Problem.TOO_LARGE.type: TooLarge,
    Problem.UNSUPPORTED_MEDIA_TYPE.type: UnsupportedMediaType,
    Problem.FROZEN.type: Frozen,
    Problem.TOO_MANY_REQUESTS.type: TooManyRequests,
    Problem.INTERNAL_ERROR.type: InternalError,
    Problem.GATE_UNAVAILABLE.type: GateUnavailable,
}


def class_of(problem: str) -> type[Refused]:
    """Return the error of a problem's type; one that this version doesn't know is a plain `Refused`."""
    return _CLASSES.get(problem, Refused)
