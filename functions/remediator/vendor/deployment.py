"""Hold what a customer pastes into the vendor's console: where a deployment is, and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from remediator.core.seeds import RING
from remediator.vendor.errors import BadDeployment

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Located(Protocol):
    """Know where a deployment of any cloud answers."""

    @property
    def id(self) -> str:
        """Return the deployment's id."""

    def url(self, path: str) -> str:
        """Return the address of a path of the protocol, such as `/v1/fixes`."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Know one deployment on AWS. None of this is secret.

    `endpoint` is the function URL, `id` the deployment's id, `seed_secrets` the ARNs of the seed ring in slot order.
    """

    id: str
    region: str
    endpoint: str
    seed_secrets: tuple[str, ...]
    reader_role_arn: str
    external_id: str

    def __post_init__(self) -> None:
        if len(self.seed_secrets) != RING:
            raise BadDeployment(f"SeedSecrets names {len(self.seed_secrets)} secrets; a deployment has {RING}")
        require_private(self.endpoint)

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, str]) -> Deployment:
        """Read the stack's outputs, or raise `BadDeployment` naming what is missing."""
        try:
            return cls(
                id=outputs["Deployment"],
                region=outputs["Region"],
                endpoint=outputs["Endpoint"],
                seed_secrets=tuple(outputs["SeedSecrets"].split(",")),
                reader_role_arn=outputs["ReaderRoleArn"],
                external_id=outputs["ExternalId"],
            )
        except KeyError as missing:
            raise BadDeployment(f"the outputs lack {missing.args[0]}: is this a Remediator stack?") from None

    def url(self, path: str) -> str:
        """Return the address of a path of the protocol, such as `/v1/fixes`."""
        return self.endpoint.rstrip("/") + path


def require_private(endpoint: str) -> None:
    """Refuse to send codes where others can read them: TLS, or this machine itself."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    local = host in _LOOPBACK or host.endswith(".localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise BadDeployment("the endpoint isn't an https address: nothing is sent there")
