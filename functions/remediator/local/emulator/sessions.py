"""Give services inside the account sessions of the roles that trust them."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from moto.sts.models import sts_backends

from remediator.local.iam import Principal, Refused, authorize
from remediator.local.runtime.functions import Acting, Credentials, Unassumable

# Services' sessions outlast the role's MaxSessionDuration; a sandbox is replaced before its session ends.
SERVICE_SESSION_SECONDS: Final = 12 * 3600


def service_session(acting: Acting, name: str) -> Credentials:
    """Assume a role as an AWS service does, for one of the account's resources.

    Raises `Unassumable` if the role doesn't exist or its trust policy doesn't let this service in for that resource.
    """
    account = acting.role_arn.split(":")[4]
    context: dict[str, str | list[str]] = {"sts:RoleSessionName": name, "aws:SourceAccount": account}
    if acting.source_arn is not None:
        context["aws:SourceArn"] = acting.source_arn
    try:
        authorize(Principal.service(acting.service), "sts:AssumeRole", acting.role_arn, context)
    except Refused as refused:
        raise Unassumable(refused.reason) from refused
    session = sts_backends[account]["aws"].assume_role(
        region_name="us-east-1",
        role_session_name=name[:64],
        role_arn=acting.role_arn,
        policy="",
        duration=SERVICE_SESSION_SECONDS,
        external_id="",
    )
    expires = session.expiration.replace(tzinfo=UTC).timestamp()
    return Credentials(session.access_key_id, session.secret_access_key, session.session_token, expires)
