"""Keep resource groups and deployments, and carry deployments out."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.refusals import ArmRefusal
from remediator.local.azure.places import LOCATION, subscription_id
from remediator.local.azure.rbac.roles import covers
from remediator.local.azure.resources.evaluation import evaluated
from remediator.local.azure.resources.templates import demand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.azure.resources.evaluation import Wanted
    from remediator.local.azure.resources.making import Maker

_SECRETS: Final = frozenset({"securestring", "secureobject"})
_OUTPUTS: Final = {str: "String", bool: "Bool", int: "Int", list: "Array", dict: "Object"}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Hold a deployment's request, understood: what it wants, and how it will be shown."""

    wanted: tuple[Wanted, ...]
    document: dict[str, Any]


class Groups:
    """Hold the subscription's resource groups. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: dict[str, dict[str, Any]] = {}

    def put(self, name: str, document: Mapping[str, Any]) -> bool:
        """Make a group; return whether it is new. Raises `ArmRefusal`."""
        if unknown := sorted(document.keys() - {"location", "tags"}):
            what = f"The request content was invalid: could not find member '{unknown[0]}'."
            raise ArmRefusal(400, "InvalidRequestContent", what)
        if not isinstance(document.get("location"), str):
            raise ArmRefusal(400, "LocationRequired", "The location property is required for this definition.")
        with self._lock:
            new = name.lower() not in self._groups
            self._groups[name.lower()] = {
                "id": f"{subscription_id()}/resourceGroups/{name}",
                "name": name,
                "type": "Microsoft.Resources/resourceGroups",
                "location": document["location"],
                "tags": dict(document.get("tags") or {}),
                "properties": {"provisioningState": "Succeeded"},
            }
        return new

    def get(self, name: str) -> dict[str, Any]:
        """Return a group; raises `ArmRefusal`."""
        with self._lock:
            if name.lower() not in self._groups:
                raise ArmRefusal(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
            return dict(self._groups[name.lower()])

    def all(self) -> list[dict[str, Any]]:
        """Return every group."""
        with self._lock:
            return [dict(one) for one in self._groups.values()]

    def forget_below(self, scope: str) -> None:
        """Forget the group that a scope names."""
        with self._lock:
            self._groups.pop(scope.rpartition("/")[2].lower(), None)


class Deployments:
    """Hold the deployments' records, and carry new ones out. Thread-safe."""

    def __init__(self, groups: Groups, maker: Maker) -> None:
        self._groups = groups
        self._maker = maker
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, Any]] = {}

    def understand(self, path: str, group: str, name: str, document: Mapping[str, Any]) -> Deployment:
        """Return what a deployment wants; raises `ArmRefusal`."""
        self._groups.get(group)
        properties = document.get("properties")
        if not isinstance(properties, dict) or properties.get("mode") != "Incremental":
            raise ArmRefusal(400, "InvalidRequestContent", "A deployment needs properties, and the mode Incremental.")
        template, parameters = properties.get("template"), properties.get("parameters") or {}
        if not isinstance(template, dict):
            raise ArmRefusal(400, "InvalidRequestContent", "A deployment needs a template.")
        wanted, outputs = evaluated(template, {key: one["value"] for key, one in parameters.items()}, group)
        for one in wanted:
            demand(one.type, one.api, one.body)
        shown = {
            "provisioningState": "Accepted",
            "correlationId": str(uuid.uuid4()),
            "timestamp": datetime.fromtimestamp(time.time(), UTC).isoformat(),
            "mode": "Incremental",
            "parameters": _shown(template.get("parameters", {}), parameters),
            "outputs": {key: {"type": _OUTPUTS[type(one)], "value": one} for key, one in outputs.items()},
        }
        record = {"id": path, "name": name, "type": "Microsoft.Resources/deployments", "properties": shown}
        return Deployment(tuple(wanted), {**record, "tags": dict(document.get("tags") or {}), "location": LOCATION})

    def carry_out(self, deployment: Deployment, allowed: Callable[[str, str], bool]) -> dict[str, Any]:
        """Make everything; return the record as it began. `allowed` says whether an action may be done on a scope."""
        began = {**deployment.document, "properties": dict(deployment.document["properties"])}
        del began["properties"]["outputs"]
        ended = {**deployment.document, "properties": dict(deployment.document["properties"])}
        try:
            for wanted in deployment.wanted:
                _require(f"{wanted.type}/write", wanted.id, allowed)
                self._maker.make(wanted)
            ended["properties"]["provisioningState"] = "Succeeded"
        except ArmRefusal as refusal:
            details = [{"code": refusal.code, "message": refusal.message}]
            error = {"code": "DeploymentFailed", "message": "At least one resource failed.", "details": details}
            ended["properties"] |= {"provisioningState": "Failed", "error": error}
            del ended["properties"]["outputs"]
        with self._lock:
            self._records[str(ended["id"]).lower()] = ended
        return began

    def get(self, path: str) -> dict[str, Any]:
        """Return a deployment's record; raises `ArmRefusal`."""
        with self._lock:
            if path.lower() not in self._records:
                name = path.rpartition("/")[2]
                raise ArmRefusal(404, "DeploymentNotFound", f"Deployment '{name}' could not be found.")
            return self._records[path.lower()]

    def forget(self, path: str) -> bool:
        """Delete a record; return whether there was one. What was deployed stays."""
        with self._lock:
            return self._records.pop(path.lower(), None) is not None

    def forget_below(self, scope: str) -> None:
        """Forget the records of what was deployed in a scope."""
        with self._lock:
            for path in [path for path in self._records if covers(scope, path)]:
                del self._records[path]


def _require(action: str, scope: str, allowed: Callable[[str, str], bool]) -> None:
    if not allowed(action, scope):
        what = f"There is no authorization to perform action '{action}' over '{scope}'."
        raise ArmRefusal(403, "AuthorizationFailed", what)


def _shown(declared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as a record shows them: a secret's type alone."""
    shown: dict[str, Any] = {}
    for name, one in declared.items():
        if str(one["type"]).lower() in _SECRETS:
            shown[name] = {"type": one["type"]}
        elif name in given:
            shown[name] = {"type": one["type"], "value": given[name]["value"]}
        elif "defaultValue" in one:
            shown[name] = {"type": one["type"], "value": one["defaultValue"]}
    return shown
