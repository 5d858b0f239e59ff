"""Read and write the JSON of Key Vault's secrets; what isn't in the specification is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.vault.secrets import (
    LARGEST_VALUE,
    LONGEST_CONTENT_TYPE,
    LONGEST_TAG,
    MOST_TAGS,
    Problem,
    Version,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.azure.estate import Vault
    from remediator.local.azure.vault.secrets import Secret

_LONGEST_RETENTION: Final = 90
_TIMES: Final = {"nbf": "not_before", "exp": "expires"}


def new_version(body: bytes, now: int) -> Version:
    """Return the version that a set request makes; raises `Problem`."""
    document = _document(body, ("value", "contentType", "attributes", "tags"))
    value = document.get("value")
    if not isinstance(value, str):
        raise _bad("The parameter value is missing or isn't a string.")
    if len(value.encode()) > LARGEST_VALUE:
        raise _bad(f"The secret value is larger than {LARGEST_VALUE} bytes.")
    return Version(new_id(), value, now, now, **_changes(document))


def changes(body: bytes, now: int) -> dict[str, Any]:
    """Return what an update request changes in a version; raises `Problem`."""
    return {**_changes(_document(body, ("contentType", "attributes", "tags"))), "updated": now}


def bundle(vault: Vault, secret: Secret, version: Version) -> dict[str, Any]:
    """Return a version with its value."""
    return {"value": version.value, **item(vault, secret, version)}


def item(vault: Vault, secret: Secret, version: Version, *, versioned: bool = True) -> dict[str, Any]:
    """Return a version without its value."""
    identity = f"{vault.url}/secrets/{secret.name}"
    attributes: dict[str, Any] = {"enabled": version.enabled, "created": version.created, "updated": version.updated}
    attributes |= {"recoveryLevel": _recovery(vault), "recoverableDays": vault.retention_days}
    if version.not_before is not None:
        attributes["nbf"] = version.not_before
    if version.expires is not None:
        attributes["exp"] = version.expires
    document: dict[str, Any] = {"id": f"{identity}/{version.id}" if versioned else identity, "attributes": attributes}
    if version.content_type is not None:
        document["contentType"] = version.content_type
    if version.tags is not None:
        document["tags"] = dict(version.tags)
    return document


def deleted_item(vault: Vault, secret: Secret, *, versioned: bool) -> dict[str, Any]:
    """Return a deleted secret."""
    return {
        **item(vault, secret, secret.current, versioned=versioned),
        "recoveryId": f"{vault.url}/deletedsecrets/{secret.name}",
        "deletedDate": int(secret.deleted or 0),
        "scheduledPurgeDate": int(secret.purge),
    }


def _recovery(vault: Vault) -> str:
    """Return how deleted things come back: https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview."""
    level = "Recoverable" if vault.retention_days == _LONGEST_RETENTION else "CustomizedRecoverable"
    return level if vault.purge_protection else f"{level}+Purgeable"


def _document(body: bytes, known: tuple[str, ...]) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        raise _bad("The request body isn't JSON.") from None
    if not isinstance(document, dict):
        raise _bad("The request body isn't an object.")
    if unknown := sorted(document.keys() - set(known)):
        raise _bad(f"Property {unknown[0]} isn't known.")
    return document


def _changes(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if document.get("contentType") is not None:
        found["content_type"] = _content_type(document["contentType"])
    if document.get("tags") is not None:
        found["tags"] = _tags(document["tags"])
    return found | _attributes(document.get("attributes") or {})


def _attributes(attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(attributes, dict):
        raise _bad("Property attributes isn't an object.")
    if unknown := sorted(attributes.keys() - {"enabled", *_TIMES}):
        raise _bad(f"Property attributes.{unknown[0]} is read-only or isn't known.")
    found: dict[str, Any] = {}
    if attributes.get("enabled") is not None:
        if not isinstance(attributes["enabled"], bool):
            raise _bad("Property attributes.enabled isn't a boolean.")
        found["enabled"] = attributes["enabled"]
    for name, ours in _TIMES.items():
        if attributes.get(name) is not None:
            if type(attributes[name]) is not int:
                raise _bad(f"Property attributes.{name} isn't an integer.")
            found[ours] = attributes[name]
    return found


def _content_type(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if not isinstance(value, str) or len(value) > LONGEST_CONTENT_TYPE:
        raise _bad(f"Property contentType isn't a string of at most {LONGEST_CONTENT_TYPE} characters.")
    return value


def _tags(value: Any) -> dict[str, str]:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise _bad("Property tags isn't an object of strings.")
    if len(value) > MOST_TAGS:
        raise _bad(f"There are more than {MOST_TAGS} tags.")
    if any(len(part) > LONGEST_TAG for pair in value.items() for part in pair):
        raise _bad(f"A tag's name or value is longer than {LONGEST_TAG} characters.")
    return value


def _bad(message: str) -> Problem:
    return Problem(400, "BadParameter", message)
