"""Hold the keys that the tenant signs tokens with, as Entra publishes them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FRESH: Final = 300.0
"""How long a set of keys is good, in seconds; a key that Entra has withdrawn isn't honoured for longer."""

PAUSE: Final = 10.0
"""Seconds between two fetches at least, so that tokens with made-up key ids can't make us flood Entra."""

TIMEOUT: Final = 5.0


class KeysUnavailable(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that nobody's token can be checked now: Entra's published keys can't be had. Never the caller's fault."""


class UnknownKey(jwt.InvalidTokenError):
    """Say that the tenant publishes no key of this id."""


class SigningKeys:
    """Fetch the keys when they are needed; a new key is looked for when a token names it. Serves several threads."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=TIMEOUT)
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._fetching = threading.Lock()

    def key(self, identity: str) -> jwt.PyJWK:
        """Return the key of an id, or raise `UnknownKey`; `KeysUnavailable` where that can't be told."""
        with self._fetching:
            now = self._clock()
            if (identity not in self._keys or self._is_old(now)) and now - self._tried >= PAUSE:
                self._fetch(now)
            if self._is_old(now):
                raise KeysUnavailable("Entra's signing keys can't be fetched")
            if identity not in self._keys:
                raise UnknownKey("the tenant publishes no such key")
            return self._keys[identity]

    def _is_old(self, now: float) -> bool:
        return now - self._fetched >= FRESH

    def _fetch(self, now: float) -> None:
        """Replace the keys; where that fails, what there is stays as good as it is."""
        self._tried = now
        try:
            found = self._client.get_signing_keys()
        except (jwt.PyJWTError, ValueError, OSError):
            return
        self._keys = {str(one.key_id): one for one in found}
        self._fetched = now
