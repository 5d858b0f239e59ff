"""Install: one step after the other, each of which looks first, so that a run repairs whatever an earlier one left."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from remediator.azure.callers import OPERATOR_ROLE, READER_ROLE
from remediator.azure_install.apps import Apps
from remediator.azure_install.credential import CredentialKeeper
from remediator.azure_install.deployments import Deployments, deployed_or_refused
from remediator.azure_install.directory import API, AZURE_CLI, REMEDIATOR, Directory
from remediator.azure_install.rest import ARM, GRAPH, Rest
from remediator.azure_install.roles import Roles, custom_roles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import HttpTransport

    from remediator.azure_install.deployments import Deployed
    from remediator.azure_install.plan import Site, Wanted

APPS: Final = {"rotate": "RotateApp", "remediate": "RemediateApp"}
"""Package → the output that names its app."""


@dataclass(frozen=True, slots=True)
class Done:
    """Report a step."""

    step: str
    changed: bool
    detail: str = ""


@dataclass(slots=True)
class Cloud:
    """Hold the services that an installation is made of, as one signed-in principal reaches them."""

    credential: TokenCredential
    site: Site
    say: Callable[[str], None]
    transport: HttpTransport[Any, Any] | None = None
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    arm: Rest = field(init=False)
    directory: Directory = field(init=False)
    deployments: Deployments = field(init=False)
    roles: Roles = field(init=False)
    apps: Apps = field(init=False)

    def __post_init__(self) -> None:
        self.arm = Rest(self.credential, ARM, transport=self.transport)
        graph = Rest(self.credential, GRAPH, transport=self.transport)
        self.directory = Directory(graph, self.site, self.pause)
        self.deployments = Deployments(self.arm, self.site, self.say, self.pause)
        self.roles = Roles(self.arm, self.site)
        self.apps = Apps(self.arm, self.site, self.credential, transport=self.transport, pause=self.pause)

    def keeper(self, deployed: Deployed) -> CredentialKeeper:
        """Return the keeper of the credential."""
        vault = self.vault_id(str(deployed.outputs["CredentialVault"]))
        return CredentialKeeper(self.arm, self.directory, self.deployments, vault=vault, clock=self.clock)

    def vault_id(self, url: str) -> str:
        """Return the id of the installation's vault at an address."""
        name = url.removeprefix("https://").partition(".")[0]
        return f"{self.site.group_id}/providers/Microsoft.KeyVault/vaults/{name}"

    def installed(self) -> Deployed:
        """Return the finished installation, or raise `AzureRefused`."""
        return deployed_or_refused(self.deployments.current(), self.site)


class Installation:
    """Install what is wanted, and report each step as it is done."""

    def __init__(self, cloud: Cloud, wanted: Wanted, template: Path, packages: Path) -> None:
        self._cloud = cloud
        self._wanted = wanted
        self._template = template
        self._packages = packages
        self._report: list[Done] = []

    def run(self) -> tuple[Deployed, list[Done]]:
        """Take all steps, and return the deployment and what was done."""
        cloud, wanted = self._cloud, self._wanted
        apps = self._caller_apps()
        self._note("resource group", changed=cloud.deployments.ensure_group(wanted.location))
        api = self._registration(API, assigned_only=True)
        callers = {READER_ROLE: wanted.reader, OPERATOR_ROLE: wanted.operator}
        self._note("callers", changed=cloud.directory.assign(api["principal"], callers))
        remediator = self._registration(REMEDIATOR, assigned_only=False)
        deployed = self._deploy(apps | {"apiAudience": api["app"], "remediatorAppId": remediator["app"]})
        self._take_seeds_away(deployed)
        made = cloud.keeper(deployed).ensure()
        self._note("credential", changed=made)
        roles = custom_roles(wanted.site, wanted.fixes)
        changed = cloud.roles.ensure(remediator["principal"], roles, wanted.scopes)
        self._note("roles", changed=changed, detail=f"{len(roles)} in {len(wanted.scopes)} scopes")
        published = [self._publish(role, str(deployed.outputs[name])) for role, name in APPS.items()]
        if made or any(published):
            started = cloud.apps.start_rotator(str(deployed.outputs["RotateApp"]))
            detail = "started" if started else "starts by itself within five minutes"
            self._note("rotator", changed=started, detail=detail)
        return deployed, self._report

    def _registration(self, kind: str, *, assigned_only: bool) -> Mapping[str, str]:
        found, made = self._cloud.directory.ensure_registration(kind)
        principal, changed = self._cloud.directory.ensure_principal(found["appId"], assigned_only=assigned_only)
        self._note(f"{kind} app registration", changed=made or changed, detail=found["appId"])
        return {"app": found["appId"], "principal": principal["id"]}

    def _caller_apps(self) -> dict[str, str]:
        """Return whose tokens are the callers': a service principal's own app, or the one that people sign in with."""
        wanted, directory = self._wanted, self._cloud.directory
        operator = AZURE_CLI if wanted.operator_type == "User" else directory.app_of(wanted.operator)
        return {"readerAppId": directory.app_of(wanted.reader), "operatorAppId": operator}

    def _deploy(self, apps: Mapping[str, str]) -> Deployed:
        wanted = self._wanted
        given = {
            **wanted.settings,
            "location": wanted.location,
            "deployment": self._deployment_id(),
            "readerObjectId": wanted.reader,
            "operatorObjectId": wanted.operator,
            "operatorPrincipalType": wanted.operator_type,
            **apps,
            "scopes": list(wanted.scopes),
            "fixes": list(wanted.fixes),
        }
        deployed, changed = self._cloud.deployments.deploy(json.loads(self._template.read_bytes()), given)
        self._note("deployment", changed=changed, detail=str(deployed.outputs.get("Deployment", "")))
        return deployed

    def _take_seeds_away(self, deployed: Deployed) -> None:
        """Take what an earlier installation let the vendor read: a template leaves what it doesn't name any more."""
        if deployed.outputs.get("Delivery") == "manual":
            seeds = self._cloud.vault_id(str(deployed.outputs["SeedVault"]))
            changed = self._cloud.roles.withdraw(self._wanted.reader, seeds)
            self._note("seeds", changed=changed, detail="for the operator alone")

    def _deployment_id(self) -> str:
        """Return the id that this installation has had from its first run on."""
        met = self._cloud.deployments.current()
        known = met.parameters.get("deployment") if met else None
        return str(known or uuid.uuid4())

    def _publish(self, role: str, app: str) -> bool:
        changed = self._cloud.apps.publish(app, self._packages / f"{role}.zip")
        changed |= self._cloud.apps.start(app)
        self._note(f"{role} package", changed=changed, detail=app)
        return changed

    def _note(self, step: str, *, changed: bool, detail: str = "") -> None:
        self._report.append(Done(step, changed, detail))
        self._cloud.say(f"{'done' if changed else 'stands'}: {step}{f' ({detail})' if detail else ''}")
