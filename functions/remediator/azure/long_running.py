"""Tell what a response says of a long-running operation's progress.

Azure has three ways, by the age of the provider: an operation of its own (`Azure-AsyncOperation`), a place that answers
202 until it is done (`Location`), and the resource's own `provisioningState`. Source: ARM's resource provider contract,
"Asynchronous operations".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from remediator.catalogue.azure.arm import ArmError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.rest import HttpResponse

    from remediator.catalogue.spec import JSON

SUCCEEDED: Final = "succeeded"
FAILED: Final = frozenset({"failed", "canceled", "cancelled"})


class Sign(Enum):
    """Say by what the end of an operation is known."""

    STATUS = auto()
    LOCATION = auto()
    RESOURCE = auto()


@dataclass(frozen=True, slots=True)
class Poll:
    """Say where to look next, and for what."""

    url: str
    sign: Sign

    def after(self, response: HttpResponse, body: Mapping[str, JSON]) -> Poll | None:
        """Return where to look after this response, or None at the end; raise `ArmError` if the operation failed."""
        if self.sign is Sign.LOCATION:
            return self if response.status_code == HTTPStatus.ACCEPTED else None
        state = body.get("status") if self.sign is Sign.STATUS else _state(body)
        return self if _is_going_on(state, body) else None


def begun(response: HttpResponse, body: Mapping[str, JSON], resource: str) -> Poll | None:
    """Return where to look after a write was taken, or None if it is done; `resource` is what was written.

    Raises `ArmError` if the resource says at once that it failed.
    """
    status = response.headers.get("Azure-AsyncOperation")
    if status:
        return Poll(status, Sign.STATUS)
    place = response.headers.get("Location")
    if place and response.status_code == HTTPStatus.ACCEPTED:
        return Poll(place, Sign.LOCATION)
    return Poll(resource, Sign.RESOURCE) if _is_going_on(_state(body), body) else None


def _state(body: Mapping[str, JSON]) -> JSON:
    return (body.get("properties") or {}).get("provisioningState")


def _is_going_on(state: JSON, body: Mapping[str, JSON]) -> bool:
    """Tell whether a state isn't an end; a resource that has no state is done with."""
    if state is None or str(state).lower() == SUCCEEDED:
        return False
    if str(state).lower() in FAILED:
        error = body.get("error") or {}
        code = error.get("code") or f"Operation{state}"
        raise ArmError(str(code), str(error.get("message") or "The operation ended without success."), 0)
    return True
