"""Say what happened to a stack, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from remediator.local.cloudformation.resource import Missing
from remediator.local.cloudformation.values import Invalid

# What a template or a service can make go wrong with one resource; everything else is a defect of ours.
FAILURES: Final = (BotoCoreError, ClientError, Invalid, Missing, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Event:
    """Hold one line of a stack's history."""

    logical_id: str
    physical_id: str
    type_name: str
    status: str
    reason: str | None = None


class Failed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say which resource couldn't be made or changed, and why."""

    def __init__(self, logical_id: str, reason: str) -> None:
        super().__init__(f"{logical_id}: {reason}")
        self.logical_id = logical_id
        self.reason = reason


def explain(error: Exception) -> str:
    """Return what CloudFormation says of an error."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        text = f"{answer.get('Message')} ({answer.get('Code')}, Status Code: {status})"
        return f"Resource handler returned message: {text}"
    if isinstance(error, KeyError):
        return f"required key [{error.args[0]}] not found"
    return str(error)


def summary(verb: str, failure: Failed | Invalid) -> str:
    """Return what the stack says of a failure that ended an operation."""
    if isinstance(failure, Failed):
        return f"The following resource(s) failed to {verb}: [{failure.logical_id}]. {failure.reason}"
    return str(failure)
