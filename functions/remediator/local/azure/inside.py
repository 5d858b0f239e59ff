"""Put this process into the embedded cloud: its names resolve, its certificates are trusted, all else is shut out."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from remediator.local.azure.functions_worker.guard import Guard


def trust(authority: Path) -> dict[str, str]:
    """Return the environment in which clients of any kind trust the cloud's certificates."""
    file = str(authority)
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    return dict.fromkeys(names, file)


class Inside:
    """Guard this process's look-ups, and set its environment, while it is entered."""

    def __init__(self, guard: Guard, authority: Path) -> None:
        self._guard = guard
        # A proxy of the developer's own would be asked for the names instead of us.
        self._environment: Mapping[str, str] = {**trust(authority), "NO_PROXY": "*", "no_proxy": "*"}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        before = {name: os.environ.get(name) for name in self._environment}
        os.environ.update(self._environment)
        self._stack.callback(_restore, before)
        self._stack.enter_context(self._guard)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
