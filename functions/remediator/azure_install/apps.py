"""Upload the function apps' packages, and start the rotator."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final

from remediator.azure_install.rest import ARM, AzureRefused, Rest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import HttpTransport

    from remediator.azure_install.plan import Site

SITES: Final = "api-version=2024-04-01"
TAGS: Final = "api-version=2021-04-01"
PACKAGE: Final = "remediator-package"
"""The tag of an app that holds the digest of the package it runs; a new deployment of the template takes it away."""

PAUSE: Final = 10.0
PATIENCE: Final = 90
SUCCEEDED: Final = 4
FAILED: Final = 3
"""What the publishing service calls the end of a build."""

ROTATE: Final = "rotate_window"


class PublishingFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that an app's package was refused, or its requirements couldn't be installed."""


class Apps:
    """Publish to the function apps of one installation."""

    def __init__(
        self,
        arm: Rest,
        site: Site,
        credential: TokenCredential,
        *,
        transport: HttpTransport[Any, Any] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._arm = arm
        self._site = site
        self._credential = credential
        self._transport = transport
        self._pause = pause

    def published(self, app: str) -> str:
        """Return the digest of the package that an app runs, or nothing."""
        found = self._arm.get(f"{self._path(app)}?{SITES}")
        return str(((found or {}).get("tags") or {}).get(PACKAGE, ""))

    def publish(self, app: str, package: Path) -> bool:
        """Upload a package unless the app runs it already, and wait for Azure to build it."""
        content = package.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if self.published(app) == digest:
            return False
        scm = Rest(self._credential, f"https://{app}.scm.azurewebsites.net", audience=ARM, transport=self._transport)
        begun = scm.ask("POST", "/api/publish?RemoteBuild=true&Deployer=remediator", content=content).body
        self._built(scm, app, begun if isinstance(begun, str) else "latest")
        tags = {"operation": "Merge", "properties": {"tags": {PACKAGE: digest}}}
        self._arm.ask("PATCH", f"{self._path(app)}/providers/Microsoft.Resources/tags/default?{TAGS}", tags)
        return True

    def start_rotator(self, app: str) -> bool:
        """Start the rotator at once; tell whether Azure took it. It starts by itself within five minutes anyway."""
        try:
            self._arm.ask("POST", f"{self._path(app)}/hostruntime/admin/functions/{ROTATE}?{SITES}", {"input": ""})
        except AzureRefused:
            return False
        return True

    def stop(self, app: str) -> bool:
        """Stop an app, and tell whether it ran."""
        found = self._arm.get(f"{self._path(app)}?{SITES}")
        if found is None or found["properties"].get("state") == "Stopped":
            return False
        self._arm.ask("POST", f"{self._path(app)}/stop?{SITES}")
        return True

    def start(self, app: str) -> bool:
        """Start an app that was stopped, and tell whether it was."""
        found = self._arm.get(f"{self._path(app)}?{SITES}")
        if found is None or found["properties"].get("state") != "Stopped":
            return False
        self._arm.ask("POST", f"{self._path(app)}/start?{SITES}")
        return True

    def _built(self, scm: Rest, app: str, build: str) -> None:
        for _ in range(PATIENCE):
            found = scm.get(f"/api/deployments/{build}")
            status = (found or {}).get("status")
            if status == SUCCEEDED:
                return
            if status is not None and (status == FAILED or status > SUCCEEDED or status < 0):
                raise PublishingFailed(f"{app}: the build ended with {status}: {(found or {}).get('status_text', '')}")
            self._pause(PAUSE)
        raise PublishingFailed(f"{app}: the build is still running; run again later")

    def _path(self, app: str) -> str:
        return f"{self._site.group_id}/providers/Microsoft.Web/sites/{app}"
