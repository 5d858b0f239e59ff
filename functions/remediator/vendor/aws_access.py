"""Reach a deployment on AWS: assume its role, read its seed ring."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from remediator.core.errors import Malformed
from remediator.core.seeds import parse_record, slot_of
from remediator.vendor.errors import NoAccess, NoLiveSeed, NotServed, Unreachable
from remediator.vendor.keyring import Reading
from remediator.vendor.quiet import hush
from remediator.vendor.sigv4 import Credentials, authorize

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef

    from remediator.core.windows import Window
    from remediator.vendor.deployment import Deployment
    from remediator.vendor.transport import Call, Unsigned

_LOG = logging.getLogger(__name__)
_RENEW_BEFORE: Final = 300
"""Renew a session this many seconds before its end."""

_CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=10, read_timeout=30)


@dataclass(frozen=True, slots=True)
class Role:
    """Name a role to assume; the reader's needs the external id. `session_name` appears in the customer's trail."""

    arn: str
    external_id: str | None = None
    session_name: str = "remediator-vendor"


class AwsAccess:
    """Assume a role with a session's credentials, keep it while it lives, read the seed ring with it.

    Without a role the session's own credentials are used. `endpoint_url` is for accounts that aren't AWS's.
    """

    def __init__(
        self, deployment: Deployment, session: boto3.Session, role: Role | None, *, endpoint_url: str | None = None
    ) -> None:
        hush()
        self._deployment = deployment
        self._session = session
        self._role = role
        self._endpoint_url = endpoint_url
        self._held: Credentials | None = None
        self._secrets: SecretsManagerClient | None = None

    def credentials(self, now: float) -> Credentials:
        """Return credentials that are live at `now`, or raise `NoAccess`."""
        if self._held is None or now > self._held.expires_at - _RENEW_BEFORE:
            self._held = self._assumed(self._role) if self._role else self._own()
            self._secrets = None
        return self._held

    def authorize(self, call: Unsigned, now: float) -> Call:
        """Return the call with AWS's signature, or raise `NoAccess`."""
        return authorize(call, self.credentials(now), region=self._deployment.region, now=now)

    def read(self, window: Window, now: float) -> Reading:
        """Return the record in the window's slot; raise `NoAccess`, or `NoLiveSeed` where there is none."""
        slot, client = slot_of(window), self._reader(now)
        try:
            value = client.get_secret_value(SecretId=self._deployment.seed_secrets[slot])
        except client.exceptions.ResourceNotFoundException:
            raise NoLiveSeed(f"slot {slot} of the seed ring is empty: the rotator hasn't run yet") from None
        except (ClientError, BotoCoreError) as error:
            raise _refusal("Secrets Manager", error) from None
        try:
            record = parse_record(value["SecretString"])
        except (Malformed, KeyError):
            raise NoLiveSeed(f"slot {slot} of the seed ring doesn't hold a seed record") from None
        _LOG.debug("read slot %s of the seed ring: the record of window %s", slot, record.window)
        return Reading(record, value["ResponseMetadata"]["HTTPHeaders"].get("date"))

    def _assumed(self, role: Role) -> Credentials:
        asked: AssumeRoleRequestTypeDef = {"RoleArn": role.arn, "RoleSessionName": role.session_name}
        if role.external_id is not None:
            asked["ExternalId"] = role.external_id
        try:
            client = self._session.client(
                "sts", region_name=self._deployment.region, endpoint_url=self._endpoint_url, config=_CONFIG
            )
            given = client.assume_role(**asked)["Credentials"]
        except (ClientError, BotoCoreError) as error:
            raise _refusal("STS", error) from None
        _LOG.debug("assumed %s", role.arn)
        return Credentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"].timestamp()
        )

    def _own(self) -> Credentials:
        found = self._session.get_credentials()
        if found is None:
            raise NoAccess("the SDK", "NoCredentials", "no credentials found: name a profile, or sign in")
        frozen = found.get_frozen_credentials()
        if frozen.access_key is None or frozen.secret_key is None:
            raise NoAccess("the SDK", "PartialCredentials", "the credentials found lack a key")
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    def _reader(self, now: float) -> SecretsManagerClient:
        held = self.credentials(now)
        if self._secrets is None:
            self._secrets = self._session.client(
                "secretsmanager",
                region_name=self._deployment.region,
                endpoint_url=self._endpoint_url,
                aws_access_key_id=held.access_key,
                aws_secret_access_key=held.secret_key,
                aws_session_token=held.token,
                config=_CONFIG,
            )
        return self._secrets


def reader_access(
    deployment: Deployment, session: boto3.Session | None = None, *, endpoint_url: str | None = None
) -> AwsAccess:
    """Reach a deployment as its vendor: the session's principal is the one that the reader role trusts."""
    role = Role(deployment.reader_role_arn, deployment.external_id)
    return AwsAccess(deployment, session or boto3.Session(), role, endpoint_url=endpoint_url)


def _refusal(service: str, error: ClientError | BotoCoreError) -> NotServed:
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return NoAccess(service, said.get("Code", "Unknown"), said.get("Message", "no reason given"))
    if isinstance(error, NoConnection | HTTPClientError):
        return Unreachable(f"no answer from {service}: {type(error).__name__}")
    return NoAccess(service, type(error).__name__, str(error))
