"""Know who calls: an Entra token for our audience, validated here and not by the platform alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jwt

from remediator.service.requests import Principal, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.azure.settings import RemediateSettings

READER_ROLE: Final = "Remediation.Request"
OPERATOR_ROLE: Final = "Remediation.Operate"
"""The app roles of our API that a principal must have been assigned."""

STRANGER: Final = Principal(Role.STRANGER, "unknown")
LOGIN: Final = "https://login.microsoftonline.com"


class Callers:
    """Map a caller's unique id to a role: tenant pinned, object id and app role both required."""

    def __init__(self, settings: RemediateSettings) -> None:
        self._audience = settings.audience
        self._tenant = settings.tenant
        self._issuer = f"{LOGIN}/{settings.tenant}/v2.0"
        self._roles = {
            (settings.reader, READER_ROLE): Role.READER,
            (settings.operator, OPERATOR_ROLE): Role.OPERATOR,
        }
        self._keys = jwt.PyJWKClient(f"{LOGIN}/{settings.tenant}/discovery/v2.0/keys", timeout=5)

    def principal(self, authorization: str) -> Principal:
        """Return who the value of the Authorization header speaks for; a token that isn't good is a stranger's."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return STRANGER
        try:
            claims = self._claims(token)
        except jwt.PyJWTError:
            return STRANGER
        found = [self._roles.get((claims["oid"], role)) for role in claims["roles"]]
        role = next((one for one in found if one), Role.STRANGER)
        return Principal(role, claims["oid"])

    def _claims(self, token: str) -> Mapping[str, Any]:
        key = self._keys.get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=["RS256"],
            audience=self._audience,
            issuer=self._issuer,
            options={"require": ["aud", "exp", "iss", "nbf", "oid", "roles", "tid"]},
        )
        if claims["tid"] != self._tenant or not isinstance(claims["oid"], str) or not isinstance(claims["roles"], list):
            raise jwt.InvalidTokenError("the token isn't our tenant's")
        return claims
