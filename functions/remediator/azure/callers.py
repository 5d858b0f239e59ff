"""Know who calls: an Entra token for our audience, validated here and not by the platform alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jwt

from remediator.azure.signing_keys import SigningKeys
from remediator.service.requests import Principal, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.azure.settings import RemediateSettings

READER_ROLE: Final = "Remediation.Request"
OPERATOR_ROLE: Final = "Remediation.Operate"
"""The app roles of our API that a principal must have been assigned."""

STRANGER: Final = Principal(Role.STRANGER, "unknown")
REQUIRED: Final = ("aud", "azp", "exp", "iss", "nbf", "oid", "roles", "tid", "ver")
LOGIN: Final = "https://login.microsoftonline.com"


class Callers:
    """Map a caller to a role: tenant pinned; object id, the app that got the token, and app role all required.

    A service principal's app is its own. A person's is the one through which people may sign in to our API.
    """

    def __init__(self, settings: RemediateSettings) -> None:
        self._audience = settings.audience
        self._tenant = settings.tenant
        self._issuer = f"{LOGIN}/{settings.tenant}/v2.0"
        self._roles = {
            (settings.reader.lower(), settings.reader_app.lower(), READER_ROLE): Role.READER,
            (settings.operator.lower(), settings.operator_app.lower(), OPERATOR_ROLE): Role.OPERATOR,
        }
        self._keys = SigningKeys(f"{LOGIN}/{settings.tenant}/discovery/v2.0/keys")

    def principal(self, authorization: str) -> Principal:
        """Return who the value of the Authorization header speaks for; a token that isn't good is a stranger's.

        Raises `KeysUnavailable` where no token can be checked.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return STRANGER
        try:
            claims = self._claims(token)
        except jwt.PyJWTError:
            return STRANGER
        found = [self._roles.get((claims["oid"], claims["azp"], role)) for role in claims["roles"]]
        role = next((one for one in found if one), Role.STRANGER)
        return Principal(role, claims["oid"])

    def _claims(self, token: str) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        if (header.get("typ"), header.get("alg")) != ("JWT", "RS256"):
            raise jwt.InvalidTokenError("not a token of Entra's kind")
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys.key(str(header.get("kid"))).key,
            algorithms=["RS256"],
            audience=self._audience,
            issuer=self._issuer,
            options={"require": list(REQUIRED), "strict_aud": True},
        )
        if (claims["tid"], claims["ver"]) != (self._tenant, "2.0") or not _are_texts(claims):
            raise jwt.InvalidTokenError("the token isn't our tenant's, or has claims of another form")
        return claims


def _are_texts(claims: Mapping[str, Any]) -> bool:
    """Tell whether the claims that are looked up are texts, and the roles a list of them."""
    roles = claims["roles"]
    return isinstance(roles, list) and all(isinstance(one, str) for one in (claims["oid"], claims["azp"], *roles))
