"""Say in the words of the command line what Azure refused."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from remediator.azure_install.apps import PublishingFailed
from remediator.azure_install.deployments import DeploymentFailed
from remediator.azure_install.rest import AzureRefused
from remediator.catalogue.azure.arm import ArmError
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed

_MISSING: Final = "Check --subscription and --resource-group, and every other id."
_RIGHTS: Final = "Check who you are signed in as: it takes the deployment's operator."
_ADMIN: Final = "It takes Owner on the subscription, and Application Administrator in the directory."
_LATER: Final = "Wait a minute, then run again: it goes on where it stopped."


def explained_on_azure(error: Exception) -> Failed | None:
    """Return the error in the words of the command line, or None if it isn't one of Azure's."""
    unanswered = _unanswered(error)
    if unanswered is not None:
        return Failed(
            f"no answer from Azure: {unanswered}",
            exit=Exit.NOT_FOUND,
            next="Check the network and the proxy; then run again.",
        )
    if isinstance(error, HttpResponseError):
        return _refused_by_sdk(error)
    if isinstance(error, ArmError | AzureRefused):
        return _refusal(error.status, str(error), _ADMIN if isinstance(error, AzureRefused) else _RIGHTS)
    if isinstance(error, DeploymentFailed | PublishingFailed):
        return Failed(str(error), exit=Exit.NOT_FIXED, next="Repair what is named, then run again: it goes on.")
    return None


def _unanswered(error: Exception) -> Exception | None:
    """Return what got lost on the way; where Entra didn't answer, the SDK says that nobody is signed in."""
    cause = error.__cause__ if isinstance(error, ClientAuthenticationError) else error
    return cause if isinstance(cause, ServiceRequestError | ServiceResponseError) else None


def _refused_by_sdk(error: HttpResponseError) -> Failed:
    """Judge by the status; of the message only the first line is shown, the rest is the service's own."""
    said = str(error.message).partition("\n")[0]
    if isinstance(error, ClientAuthenticationError):
        return Failed(said, exit=Exit.REFUSED, next="Sign in with `az login --tenant …`.")
    return _refusal(error.status_code or 0, said, _RIGHTS)


def _refusal(status: int, message: str, rights: str) -> Failed:
    if status == HTTPStatus.NOT_FOUND:
        return Failed(message, exit=Exit.NOT_FOUND, next=_MISSING)
    if status in (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS):
        return Failed(message, exit=Exit.NOT_NOW, next=_LATER)
    return Failed(message, exit=Exit.REFUSED, next=rights)
