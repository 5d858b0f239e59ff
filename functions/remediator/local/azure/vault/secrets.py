"""Hold secrets with all their versions: set, read, changed, deleted softly, recovered, purged.

https://learn.microsoft.com/azure/key-vault/secrets/about-secrets and .../general/soft-delete-overview
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST_VALUE: Final = 25_600
MOST_TAGS: Final = 15
LONGEST_TAG: Final = 256
LONGEST_CONTENT_TYPE: Final = 255
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Version:
    """Hold one version of a secret. Moments are whole Unix seconds."""

    id: str
    value: str
    created: int
    updated: int
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None
    tags: Mapping[str, str] | None = None


@dataclass(slots=True)
class Secret:
    """Hold a secret: versions in the order they came. There is no way to take a single one away."""

    name: str
    versions: dict[str, Version] = field(default_factory=dict)
    deleted: float | None = None
    purge: float = 0.0

    @property
    def current(self) -> Version:
        """Return the newest version."""
        return self.versions[next(reversed(self.versions))]


class Problem(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse an operation, as the vault's data plane says it."""

    def __init__(self, status: int, code: str, message: str, inner: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.inner = inner


class Secrets:
    """Hold the secrets of one vault; their names' case doesn't count. `now` is an argument everywhere; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._secrets: dict[str, Secret] = {}

    def put(self, name: str, version: Version) -> Version:
        """Add a version, which becomes the current one; raises `Problem` while the name is deleted."""
        with self._lock:
            secret = self._secrets.setdefault(name.lower(), Secret(name))
            if secret.deleted is not None:
                what = (
                    f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in "
                    "this state, the secret can only be recovered or purged."
                )
                raise Problem(409, "Conflict", what, "ObjectIsDeletedButRecoverable")
            secret.versions[version.id] = version
        return version

    def version(self, name: str, version_id: str) -> Version:
        """Return a version, the current one for an empty id; raises `Problem`."""
        with self._lock:
            secret = self.secret(name)
            if not version_id:
                return secret.current
            if version_id not in secret.versions:
                raise not_found(f"{name}/{version_id}")
            return secret.versions[version_id]

    def secret(self, name: str) -> Secret:
        """Return a secret that isn't deleted; raises `Problem`."""
        with self._lock:
            secret = self._secrets.get(name.lower())
            if secret is None or secret.deleted is not None:
                raise not_found(name)
            return secret

    def change(self, name: str, version_id: str, changes: Mapping[str, Any]) -> Version:
        """Change a version's attributes, never its value; raises `Problem`."""
        with self._lock:
            changed = replace(self.version(name, version_id), **changes)
            self._secrets[name.lower()].versions[changed.id] = changed
        return changed

    def delete(self, name: str, now: float, retention_days: int) -> Secret:
        """Delete a secret softly, with all its versions; raises `Problem`."""
        with self._lock:
            secret = self.secret(name)
            secret.deleted, secret.purge = now, now + retention_days * DAY
            return secret

    def deleted(self, name: str, now: float) -> Secret:
        """Return a deleted secret that shows already and isn't purged yet; raises `Problem`."""
        with self._lock:
            self._forget(now)
            secret = self._secrets.get(name.lower())
            if secret is None or secret.deleted is None or secret.deleted > now:
                raise not_found(name)
            return secret

    def recover(self, name: str, now: float) -> Secret:
        """Bring a deleted secret back; raises `Problem`."""
        with self._lock:
            secret = self.deleted(name, now)
            secret.deleted = None
            return secret

    def purge(self, name: str, now: float) -> None:
        """Forget a deleted secret for good; raises `Problem`."""
        with self._lock:
            self.deleted(name, now)
            del self._secrets[name.lower()]

    def all(self) -> Iterator[Secret]:
        """Yield the secrets that aren't deleted."""
        with self._lock:
            found = [one for one in self._secrets.values() if one.deleted is None]
        yield from found

    def all_deleted(self, now: float) -> Iterator[Secret]:
        """Yield the secrets that are deleted and not purged."""
        with self._lock:
            self._forget(now)
            found = [one for one in self._secrets.values() if one.deleted is not None and one.deleted <= now]
        yield from found

    def settle(self, now: float) -> None:
        """Let what was due happen: the vault purges by itself what has been deleted for long enough."""
        with self._lock:
            self._forget(now)

    def _forget(self, now: float) -> None:
        gone = [name for name, one in self._secrets.items() if one.deleted is not None and one.purge <= now]
        for name in gone:
            del self._secrets[name]


def new_id() -> str:
    """Return a version's id. Ids don't sort by date."""
    return secrets.token_hex(16)


def not_found(what: str) -> Problem:
    """Return the refusal of a secret that isn't there."""
    message = (
        f"A secret with (name/id) {what} was not found in this key vault. If you recently deleted this secret you may "
        "be able to recover it using the correct recovery command."
    )
    return Problem(404, "SecretNotFound", message)
