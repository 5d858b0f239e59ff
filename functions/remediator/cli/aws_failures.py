"""Say in the words of the command line what AWS refused."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnection

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed

_NOBODY = (NoCredentialsError, PartialCredentialsError, SSOError, TokenRetrievalError)
"""What the SDK says where nobody is signed in, or nobody any more."""


def explained_on_aws(error: Exception) -> Failed | None:
    """Return the error in the words of the command line, or None if it isn't one of AWS's."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        message = f"{error.operation_name}: {said.get('Code')}: {said.get('Message')}"
        return Failed(message, exit=Exit.REFUSED, next="Check --profile, --region and the role's permissions.")
    if isinstance(error, NoRegionError):
        return Failed(str(error), exit=Exit.USAGE, next="Name the deployment's --region.")
    if isinstance(error, _NOBODY):
        return Failed(str(error), exit=Exit.REFUSED, next="Sign in (`aws sso login`), or name a --profile that is.")
    if isinstance(error, NoConnection | HTTPClientError):
        return Failed(str(error), exit=Exit.NOT_FOUND, next="Check the network, the proxy and --region.")
    if isinstance(error, BotoCoreError):
        return Failed(str(error), exit=Exit.NOT_FOUND, next="Check --profile and --region.")
    return None
