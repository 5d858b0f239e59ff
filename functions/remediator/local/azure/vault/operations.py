"""Carry out the operations on one vault's secrets."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from remediator.local.azure.exchange import NO_CONTENT, Answer, json_answer
from remediator.local.azure.vault.documents import bundle, changes, deleted_item, item, new_version
from remediator.local.azure.vault.secrets import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from remediator.local.azure.estate import Vault
    from remediator.local.azure.exchange import Request
    from remediator.local.azure.faults import Delays
    from remediator.local.azure.vault.secrets import Secrets

PAGE: Final = 25


class Operations:
    """Hold one request on its way through; each method takes a secret's name and a version's id."""

    def __init__(self, vault: Vault, secrets: Secrets, request: Request, delays: Delays) -> None:
        self._vault = vault
        self._secrets = secrets
        self._request = request
        self._delays = delays
        self._secrets.settle(time.time())

    def set(self, name: str, _: str) -> Answer:
        """Add a version."""
        version = self._secrets.put(name, new_version(self._request.body, int(time.time())))
        return _ok(bundle(self._vault, self._secrets.secret(name), version))

    def get(self, name: str, version_id: str) -> Answer:
        """Return a version with its value; that it has expired, or isn't valid yet, is for the reader to heed."""
        version = self._secrets.version(name, version_id)
        if not version.enabled:
            raise Problem(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return _ok(bundle(self._vault, self._secrets.secret(name), version))

    def update(self, name: str, version_id: str) -> Answer:
        """Change a version's attributes."""
        version = self._secrets.change(name, version_id, changes(self._request.body, int(time.time())))
        return _ok(item(self._vault, self._secrets.secret(name), version))

    def versions(self, name: str, _: str) -> Answer:
        """List the versions of a secret, in no order of time."""
        secret = self._secrets.secret(name)
        found = sorted(secret.versions.values(), key=lambda version: version.id)
        return self._page(item(self._vault, secret, version) for version in found)

    def list(self, _: str, __: str) -> Answer:
        """List the secrets."""
        found = sorted(self._secrets.all(), key=lambda secret: secret.name)
        return self._page(item(self._vault, one, one.current, versioned=False) for one in found)

    def delete(self, name: str, _: str) -> Answer:
        """Delete a secret softly."""
        when = time.time() + self._delays.deletions
        secret = self._secrets.delete(name, when, self._vault.retention_days)
        return _ok(deleted_item(self._vault, secret, versioned=True))

    def get_deleted(self, name: str, _: str) -> Answer:
        """Return a deleted secret, without its value."""
        return _ok(deleted_item(self._vault, self._secrets.deleted(name, time.time()), versioned=True))

    def list_deleted(self, _: str, __: str) -> Answer:
        """List the deleted secrets."""
        found = sorted(self._secrets.all_deleted(time.time()), key=lambda secret: secret.name)
        return self._page(deleted_item(self._vault, one, versioned=False) for one in found)

    def recover(self, name: str, _: str) -> Answer:
        """Bring a deleted secret back."""
        secret = self._secrets.recover(name, time.time())
        return _ok(item(self._vault, secret, secret.current))

    def purge(self, name: str, _: str) -> Answer:
        """Forget a deleted secret for good, if the vault allows it."""
        self._secrets.deleted(name, time.time())
        if self._vault.purge_protection:
            what = (
                'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault '
                "service will automatically purge it after the retention period has passed.\r\n"
                f"Vault: {self._vault.name};location={self._vault.location}"
            )
            raise Problem(403, "Forbidden", what)
        self._secrets.purge(name, time.time())
        return NO_CONTENT

    def _page(self, documents: Iterable[dict[str, Any]]) -> Answer:
        every = list(documents)
        query = self._request.query
        size, start = query.get("maxresults", str(PAGE)), query.get("$skiptoken", "0")
        if not (size.isdecimal() and start.isdecimal() and 1 <= int(size) <= PAGE):
            raise Problem(400, "BadParameter", f"maxresults must be between 1 and {PAGE}.")
        end = int(start) + int(size)
        following = urlencode({"api-version": query["api-version"], "$skiptoken": end, "maxresults": size})
        link = f"{self._vault.url}{self._request.path}?{following}" if end < len(every) else None
        return _ok({"value": every[int(start) : end], "nextLink": link})


def _ok(document: dict[str, Any]) -> Answer:
    return json_answer(HTTPStatus.OK, document)
