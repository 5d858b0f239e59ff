"""Make the people and companies that exist before anything is deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from moto.iam.models import iam_backends

from remediator.local.runtime.functions import Credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

CUSTOMER_ACCOUNT: Final = "111122223333"
VENDOR_ACCOUNT: Final = "444455556666"
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold a user and its key, which doesn't expire."""

    arn: str
    credentials: Credentials

    def describe(self) -> dict[str, str]:
        """Return the key as the arguments of a boto3 session."""
        return {
            "aws_access_key_id": self.credentials.access_key,
            "aws_secret_access_key": self.credentials.secret_key,
        }


@dataclass(frozen=True, slots=True)
class Identities:
    """Hold who there is: the customer's administrator and operator, and the vendor in an account of its own."""

    admin: Identity
    operator: Identity
    vendor: Identity


def make_identities() -> Identities:
    """Make the three users. Only the administrator may do anything; the others may ask STS for a role."""
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    return Identities(
        admin=_user(CUSTOMER_ACCOUNT, "admin", [{"Effect": "Allow", "Action": "*", "Resource": "*"}]),
        operator=_user(CUSTOMER_ACCOUNT, "operator", [assume]),
        vendor=_user(VENDOR_ACCOUNT, "vendor-cloud", [assume]),
    )


def _user(account: str, name: str, statements: Sequence[dict[str, Any]]) -> Identity:
    backend = iam_backends[account]["aws"]
    user = backend.create_user("us-east-1", user_name=name, path="/", tags=None)
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    backend.put_user_policy(name, "own", json.dumps(document))
    key = backend.create_access_key(user_name=name, prefix="AKIA")
    return Identity(user.arn, Credentials(key.access_key_id, key.secret_access_key, "", _NEVER))
