"""Reach a deployment on Azure: get a token from Entra, read the seed from Key Vault."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.keyvault.secrets import SecretClient

from remediator.core.errors import Malformed
from remediator.core.seeds import parse_record, vault_name_of
from remediator.vendor.errors import NoAccess, NoLiveSeed, NotServed, Unreachable
from remediator.vendor.keyring import Reading
from remediator.vendor.quiet import hush
from remediator.vendor.transport import Call

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from remediator.core.windows import Window
    from remediator.vendor.azure_deployment import AzureDeployment
    from remediator.vendor.transport import Unsigned

_LOG = logging.getLogger(__name__)
_API: Final = "7.4"
_BRIEF: Final = {"retry_total": 2, "connection_timeout": 10, "read_timeout": 30}


class AzureAccess:
    """Show a principal's token to the endpoint, and read the seed ring in Key Vault as the same principal.

    The credential keeps its tokens while they live. `more` goes to the SDK's client, such as its `transport`.
    """

    def __init__(self, deployment: AzureDeployment, credential: TokenCredential, **more: Any) -> None:  # noqa: ANN401 - as the SDK takes them
        hush()
        self._scope = deployment.scope
        self._credential = credential
        self._vault = SecretClient(deployment.seed_vault, credential, api_version=_API, **_BRIEF, **more)

    def authorize(self, call: Unsigned, now: float) -> Call:  # noqa: ARG002 - a token tells its own time
        """Return the call with the principal's bearer token, or raise `NoAccess`."""
        try:
            token = self._credential.get_token(self._scope).token
        except (HttpResponseError, ServiceRequestError, ServiceResponseError) as error:
            raise _refusal("Entra", error) from None
        headers = {**call.headers, **call.secrets, "authorization": f"Bearer {token}"}
        return Call(call.method, call.url, headers, call.body)

    def read(self, window: Window, now: float) -> Reading:  # noqa: ARG002 - a token tells its own time
        """Return the record in the window's slot; raise `NoAccess`, or `NoLiveSeed` where there is none."""
        name, dates = vault_name_of(window), []
        try:
            secret = self._vault.get_secret(
                name, raw_response_hook=lambda reply: dates.append(reply.http_response.headers.get("date"))
            )
        except ResourceNotFoundError:
            raise NoLiveSeed(f"the vault has no {name}: the rotator hasn't run yet, or has stopped") from None
        except (HttpResponseError, ServiceRequestError, ServiceResponseError) as error:
            raise _refusal("Key Vault", error) from None
        try:
            record = parse_record(secret.value or "")
        except Malformed:
            raise NoLiveSeed(f"{name} doesn't hold a seed record") from None
        _LOG.debug("read %s: the record of window %s", name, record.window)
        return Reading(record, dates[-1] if dates else None)


def _refusal(service: str, error: HttpResponseError | ServiceRequestError | ServiceResponseError) -> NotServed:
    """Return what a failure stands for. Of messages only the first line is shown: the rest is the service's own."""
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return Unreachable(f"no answer from {service}: {type(error).__name__}")
    said = str(error.message).partition("\n")[0]
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return NoAccess("Entra", "SignInFailed", said)
    code = getattr(error.error, "code", None) or str(error.status_code)
    return NoAccess(service, code, said)
