"""Make access tokens, and judge them as the services do.

https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from remediator.local.azure.places import LOGIN, TENANT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.local.azure.entra.directory import ServicePrincipal

LIFETIME: Final = 3_599
"""Seconds that an app's token lives; the real one lets it live 60 to 90 minutes."""

MANAGED_IDENTITY_LIFETIME: Final = 86_399
"""Seconds that a managed identity's token lives."""

BY_SECRET: Final = "1"  # noqa: S105 - the claim's word for it
BY_CERTIFICATE: Final = "2"
_EARLY: Final = 300
"""Seconds before now from which a token is valid, as Entra has it."""


def issuers(tenant: str) -> tuple[str, str]:
    """Return whom a tenant's tokens of version 1 and of version 2 say they are by."""
    return f"https://sts.windows.net/{tenant}/", f"https://{LOGIN}/{tenant}/v2.0"


ISSUER_V1, ISSUER_V2 = issuers(TENANT)


@dataclass(frozen=True, slots=True)
class Caller:
    """Hold whom a token speaks for."""

    object_id: str
    app_id: str
    roles: frozenset[str]


class BadToken(Exception):  # noqa: N818 - errors are named for what is the case
    """Say what is wrong with a token: `missing`, `malformed`, `signature`, `expired`, `issuer` or `audience`."""

    def __init__(self, what: str, found: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.found = found


@dataclass(frozen=True, slots=True)
class Audience:
    """Hold for which resource a token is: its `aud` claim, the version it asks for, the roles that were assigned."""

    value: str
    version: int
    roles: Sequence[str]


class Mint:
    """Hold the tenant's signing keys. The newest signs; older ones still verify until `forget_old_keys`."""

    def __init__(self) -> None:
        self._keys = [_first_key()]

    def roll_keys(self) -> None:
        """Begin to sign with a new key."""
        self._keys.append(_new_key())

    def forget_old_keys(self) -> None:
        """Publish the newest key alone: tokens that older ones signed verify no more."""
        self._keys = self._keys[-1:]

    def key_set(self) -> dict[str, Any]:
        """Return the public keys as a JWK set."""
        return {"keys": [_published(key_id, key) for key_id, key in self._keys]}

    def token(
        self,
        subject: ServicePrincipal,
        audience: Audience,
        credential: str,
        lifetime: int = LIFETIME,
        *,
        tenant: str = TENANT,
    ) -> str:
        """Sign an access token for an app acting as itself; all tenants' tokens are signed by the same keys."""
        now = int(time.time())
        first, second = issuers(tenant)
        claims: dict[str, Any] = {
            "aud": audience.value,
            "iss": second if audience.version > 1 else first,
            "iat": now - _EARLY,
            "nbf": now - _EARLY,
            "exp": now + lifetime,
            "oid": subject.object_id,
            "sub": subject.object_id,
            "tid": tenant,
            "idtyp": "app",
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0" if audience.version > 1 else "1.0",
        }
        if audience.version > 1:
            claims |= {"azp": subject.app_id, "azpacr": credential}
        else:
            claims |= {"appid": subject.app_id, "appidacr": credential, "idp": first}
        if audience.roles:
            claims["roles"] = list(audience.roles)
        if subject.resource_id is not None:
            claims["xms_mirid"] = subject.resource_id
        key_id, key = self._keys[-1]
        return jwt.encode(claims, key, "RS256", headers={"kid": key_id, "x5t": key_id})

    def read(self, token: str | None, audiences: Sequence[str]) -> Caller:
        """Return whom a token for one of these resources speaks for, or raise `BadToken`."""
        claims = self._verified(token)
        if claims["iss"] != ISSUER_V1:
            raise BadToken("issuer", str(claims["iss"]))
        if str(claims["aud"]).rstrip("/") not in audiences:
            raise BadToken("audience", str(claims["aud"]))
        return Caller(claims["oid"], claims.get("appid") or claims["azp"], frozenset(claims.get("roles", ())))

    def _verified(self, token: str | None) -> dict[str, Any]:
        if not token:
            raise BadToken("missing")
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = next((key for known, key in self._keys if known == key_id), None)
            if key is None:
                raise BadToken("signature")
            required: Any = {"require": ["aud", "exp", "iss", "nbf", "oid", "tid"], "verify_aud": False}
            claims: dict[str, Any] = jwt.decode(token, key.public_key(), algorithms=["RS256"], options=required)
        except jwt.InvalidSignatureError:
            raise BadToken("signature") from None
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
            raise BadToken("expired") from None
        except jwt.PyJWTError:
            raise BadToken("malformed") from None
        return claims


def _new_key() -> tuple[str, rsa.RSAPrivateKey]:
    return secrets.token_urlsafe(20), rsa.generate_private_key(public_exponent=65537, key_size=2048)


# A key takes a tenth of a second to make, and clouds in one process come one after the other.
_first_key = cache(_new_key)


def _published(key_id: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    public: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    numbers = {name: public[name] for name in ("kty", "n", "e")}
    return {**numbers, "use": "sig", "kid": key_id, "x5t": key_id, "issuer": ISSUER_V2}


def trace() -> dict[str, str]:
    """Return the ids that Entra puts in its answers."""
    moment = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    return {"timestamp": moment, "trace_id": str(uuid.uuid4()), "correlation_id": str(uuid.uuid4())}


def thumbprints(certificate: bytes) -> tuple[bytes, bytes]:
    """Return a certificate's SHA-256 and SHA-1 thumbprints: assertions name it by one of them."""
    return hashlib.sha256(certificate).digest(), hashlib.sha1(certificate, usedforsecurity=False).digest()
