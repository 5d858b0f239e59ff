"""Deploy templates, and read what was deployed."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from remediator.azure_install.plan import DEPLOYMENT
from remediator.azure_install.rest import AzureRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.azure_install.plan import Site
    from remediator.azure_install.rest import Rest

API: Final = "api-version=2021-04-01"
PAUSE: Final = 10.0
PATIENCE: Final = 360
"""Looks at a deployment before it is left to go on alone: an hour."""

INPUTS: Final = "remediator-inputs"
"""The tag of a deployment that holds the digest of what it was made from."""

RUNNING: Final = ("Accepted", "Running", "Creating", "Updating", "Created", "Ready")


class DeploymentFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that Azure gave a deployment up, and why."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """Hold a deployment: its state, what it was given, what it said."""

    state: str
    inputs: str
    parameters: Mapping[str, Any]
    outputs: Mapping[str, Any]


class Deployments:
    """Deploy to one resource group."""

    def __init__(
        self,
        arm: Rest,
        site: Site,
        say: Callable[[str], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._arm = arm
        self._site = site
        self._say = say
        self._pause = pause

    def group(self) -> Mapping[str, Any] | None:
        """Return the resource group, or None."""
        found: Mapping[str, Any] | None = self._arm.get(f"{self._site.group_id}?{API}")
        return found

    def ensure_group(self, location: str) -> bool:
        """Make the resource group, and tell whether it wasn't there."""
        if self.group() is not None:
            return False
        self._arm.ask("PUT", f"{self._site.group_id}?{API}", {"location": location})
        return True

    def current(self, name: str = DEPLOYMENT) -> Deployed | None:
        """Return a deployment, whatever its state, or None."""
        found = self._arm.get(self._path(name))
        if found is None:
            return None
        properties = found["properties"]
        return Deployed(
            state=properties["provisioningState"],
            inputs=(found.get("tags") or {}).get(INPUTS, ""),
            parameters={key: one.get("value") for key, one in (properties.get("parameters") or {}).items()},
            outputs={key: one["value"] for key, one in (properties.get("outputs") or {}).items()},
        )

    def deploy(self, template: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[Deployed, bool]:
        """Deploy unless exactly this is deployed; join a deployment of the same that is still running."""
        inputs = hashlib.sha256(json.dumps([template, given], sort_keys=True).encode()).hexdigest()
        met = self.current()
        same = met is not None and met.inputs == inputs
        if met is not None and same and met.state == "Succeeded":
            return met, False
        if not (met is not None and same and met.state in RUNNING):
            self._put(DEPLOYMENT, template, given, {INPUTS: inputs})
        return self._finished(DEPLOYMENT), True

    def put_secretly(self, name: str, template: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Deploy what has secret parameters, which the template declares as `securestring`, and wait."""
        self._put(name, template, given, {})
        self._finished(name)

    def forget(self, name: str) -> None:
        """Delete a deployment's record, if there is one, as soon as it has ended; what it deployed stays."""
        found = self.current(name)
        for _ in range(PATIENCE):
            if found is None or found.state not in RUNNING:
                break
            self._pause(PAUSE)
            found = self.current(name)
        if found is not None:
            self._arm.delete(self._path(name))

    def _put(self, name: str, template: Mapping[str, Any], given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        parameters = {key: {"value": value} for key, value in given.items()}
        properties = {"mode": "Incremental", "template": template, "parameters": parameters}
        self._arm.ask("PUT", self._path(name), {"properties": properties, "tags": tags})

    def _finished(self, name: str) -> Deployed:
        for turn in range(PATIENCE):
            found = self.current(name)
            if found is None:
                raise DeploymentFailed(f"the deployment {name} is gone")
            if found.state == "Succeeded":
                return found
            if found.state not in RUNNING:
                raise DeploymentFailed(f"the deployment {name} ended as {found.state}: {self._reason(name)}")
            if turn % 6 == 0:
                self._say(f"deployment {name}: {found.state.lower()}")
            self._pause(PAUSE)
        raise DeploymentFailed(f"the deployment {name} is still running; run again to wait on")

    def _reason(self, name: str) -> str:
        error = self._arm.ask("GET", self._path(name)).body["properties"].get("error") or {}
        reasons = [f"{one.get('code')}: {one.get('message')}" for one in [error, *(error.get("details") or ())]]
        return "; ".join(reasons)

    def _path(self, name: str) -> str:
        return f"{self._site.group_id}/providers/Microsoft.Resources/deployments/{name}?{API}"


def deployed_or_refused(found: Deployed | None, site: Site) -> Deployed:
    """Return a deployment that has succeeded, or raise `AzureRefused` as Azure would for what isn't there."""
    if found is None or found.state != "Succeeded":
        raise AzureRefused("GET", 404, "NotInstalled", f"there is no finished installation in {site.group}")
    return found
