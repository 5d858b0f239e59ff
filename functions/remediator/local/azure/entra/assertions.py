"""Judge what an app proves its identity with: a client secret, or an assertion that its certificate's key signed.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials; error codes and texts:
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import base64
import hmac
import time
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography import x509

from remediator.local.azure.entra.tokens import BY_CERTIFICATE, BY_SECRET, thumbprints
from remediator.local.azure.places import LOGIN, TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.azure.entra.directory import Application, Key

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS: Final = ("PS256", "RS256")
_AUDIENCES: Final = (
    f"https://{LOGIN}/{TENANT}/oauth2/v2.0/token",
    f"https://{LOGIN}/{TENANT}/oauth2/token",
    f"https://{LOGIN}/{TENANT}/v2.0",
)


class NotProven(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse to sign an app in. `code` is the number after AADSTS, `error` OAuth's word for it."""

    def __init__(self, code: int, message: str, error: str = "invalid_client", status: int = 401) -> None:
        super().__init__(message)
        self.code = code
        self.error = error
        self.status = status


def prove(app: Application, form: Mapping[str, str]) -> str:
    """Return by what kind of credential an app proved its identity, or raise `NotProven`."""
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise NotProven(7000214, "The value of 'client_assertion_type' isn't supported.", "invalid_request", 400)
        _assertion(app, form["client_assertion"])
        return BY_CERTIFICATE
    if "client_secret" in form:
        _secret(app, form["client_secret"])
        return BY_SECRET
    what = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    raise NotProven(7000218, what)


def _secret(app: Application, given: str) -> None:
    now = time.time()
    met = [one for one in app.passwords if hmac.compare_digest(one.secret.encode(), given.encode())]
    if not met or met[0].usable_from > now or met[0].start > now:
        what = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{app.app_id}'."
        )
        raise NotProven(7000215, what)
    if met[0].end <= now:
        raise NotProven(7000222, f"The provided client secret keys for app '{app.app_id}' are expired.")


def _assertion(app: Application, assertion: str) -> None:
    try:
        header = jwt.get_unverified_header(assertion)
        unverified: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise NotProven(50027, "JWT token is invalid or malformed.", "invalid_request", 400) from None
    if unverified.get("sub") != app.app_id or unverified.get("iss") != app.app_id:
        _foreign(app, header, unverified)
    if unverified.get("aud") not in _AUDIENCES:
        raise NotProven(700023, "Client assertion audience claim does not match Realm issuer.")
    _verified(assertion, _key(app, header))


def _foreign(app: Application, header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Refuse an assertion that isn't by the app itself: no app here has a federated credential."""
    if "x5t" in header or "x5t#S256" in header:
        what = "Client assertion application identifier doesn't match 'client_id' parameter."
        raise NotProven(700021, what)
    what = (
        "No matching federated identity record found for presented assertion subject "
        f"'{claims.get('sub')}' on application '{app.app_id}'."
    )
    raise NotProven(700213, what)


def _key(app: Application, header: Mapping[str, Any]) -> Key:
    """Return the app's key that the assertion's header names by thumbprint."""
    named = [_decoded(header[name]) for name in ("x5t#S256", "x5t") if header.get(name)]
    now = time.time()
    usable = [key for key in app.keys if key.usable_from <= now]
    for key in usable:
        if set(named) & set(thumbprints(key.certificate)):
            if not key.start <= now < key.end:
                raise _unregistered(app, named[0], "The key was found, but it isn't valid at this time.")
            return key
    raise _unregistered(app, named[0] if named else b"", "The key was not found.")


def _unregistered(app: Application, thumbprint: bytes, reason: str) -> NotProven:
    what = (
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - {reason}, Thumbprint of key used by client: '{thumbprint.hex().upper()}', "
        f"application '{app.app_id}'.]"
    )
    return NotProven(700027, what)


def _verified(assertion: str, key: Key) -> None:
    public: Any = x509.load_der_x509_certificate(key.certificate).public_key()
    options: Any = {"require": ["aud", "exp", "iss", "jti", "sub"], "verify_aud": False}
    try:
        jwt.decode(assertion, public, algorithms=_ALGORITHMS, options=options)
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        what = "Client assertion is not within its valid time range."
        raise NotProven(700024, what) from None
    except jwt.InvalidSignatureError:
        raise NotProven(700027, "Client assertion failed signature validation.") from None
    except jwt.PyJWTError:
        raise NotProven(50027, "JWT token is invalid or malformed.", "invalid_request", 400) from None


def _decoded(thumbprint: object) -> bytes:
    text = str(thumbprint)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
