"""Say in the words of the command line what AWS refused."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed


def explained_on_aws(error: Exception) -> Failed | None:
    """Return the error in the words of the command line, or None if it isn't one of AWS's."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        message = f"{error.operation_name}: {said.get('Code')}: {said.get('Message')}"
        return Failed(message, exit=Exit.REFUSED, next="Check --profile, --region and the role's permissions.")
    if isinstance(error, BotoCoreError):
        return Failed(str(error), exit=Exit.NOT_FOUND, next="Check --profile and --region, and that you are signed in.")
    return None
