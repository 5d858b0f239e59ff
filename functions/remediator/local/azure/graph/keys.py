"""Take the certificates of an app registration, as Graph takes the collection `keyCredentials`: whole."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from remediator.local.azure.graph.documents import seconds
from remediator.local.azure.graph.problem import GraphProblem, bad

if TYPE_CHECKING:
    from remediator.local.azure.entra.directory import Application, Directory, Key

_KIND: Final = ("AsymmetricX509Cert", "Verify")


def keys_of(directory: Directory, app: Application | None, given: list[dict[str, Any]]) -> tuple[Key, ...]:
    """Return an app's keys after a write; raises `GraphProblem`.

    A key that is to stay is named by its `keyId`, with the certificate's bytes left out; one that isn't named goes.
    """
    known = {key.key_id: key for key in app.keys} if app else {}
    return tuple(_key(directory, known.get(one.get("keyId") or ""), one) for one in given)


def _key(directory: Directory, known: Key | None, given: dict[str, Any]) -> Key:
    if (given.get("type"), given.get("usage")) != _KIND:
        raise bad('The value for the property "usage" or "type" in one of your credentials is invalid.')
    certificate = _decoded(given["key"]) if given.get("key") is not None else None
    if known is not None:
        if certificate not in {None, known.certificate}:
            raise bad(f"Update to existing credential with KeyId '{known.key_id}' is not allowed.")
        return known
    if certificate is None:
        raise bad("The value for the property 'key' is missing in one of your credentials.")
    start, end = _validity(certificate, given)
    return directory.new_key(certificate, start, end, given.get("displayName"), given.get("keyId"))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise bad("Cannot convert the value of property 'key' to binary.") from None


def _validity(certificate: bytes, given: dict[str, Any]) -> tuple[float, float]:
    try:
        parsed = x509.load_der_x509_certificate(certificate)
    except ValueError:
        raise bad("Key credential key is invalid: it isn't an X.509 certificate.") from None
    first, last = parsed.not_valid_before_utc.timestamp(), parsed.not_valid_after_utc.timestamp()
    start = seconds(given["startDateTime"], "startDateTime") if given.get("startDateTime") else first
    end = seconds(given["endDateTime"], "endDateTime") if given.get("endDateTime") else last
    if start < first:
        raise GraphProblem(400, "KeyCredentialsInvalidStartDate", "Key credential start date is invalid.")
    if end > last or end <= start:
        raise GraphProblem(400, "KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
    return start, end
