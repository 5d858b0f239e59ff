"""One administrator, one tenant, one thing to install."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from remediator.azure_install.installation import Cloud, Installation
from remediator.azure_install.plan import Site, Wanted
from tests.infra.azure.deployment import (
    OPERATOR,
    OPERATOR_APP,
    READER,
    READER_APP,
    ROOT,
    SCOPE,
    SUBSCRIPTION,
    TENANT,
)
from tests.infra.azure.install.fake_azure import Credential, FakeAzure

if TYPE_CHECKING:
    from pathlib import Path

    from remediator.azure_install.deployments import Deployed
    from remediator.azure_install.installation import Done

SITE = Site(SUBSCRIPTION, "Remediation")
FIXES = ("azure.keyvault.enable-purge-protection", "azure.storage.require-https", "azure.storage.require-tls12")


@dataclass
class Administrator:
    """Install, as often as need be, into a fake that only this administrator changes."""

    packages: Path
    now: float = 1_800_000_000.0
    said: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.azure = FakeAzure(TENANT, lambda: self.now, {READER: READER_APP, OPERATOR: OPERATOR_APP})

    def cloud(self, site: Site = SITE) -> Cloud:
        return Cloud(
            Credential(),
            site,
            self.said.append,
            transport=self.azure.transport(),
            pause=self.pause,
            clock=lambda: self.now,
        )

    def pause(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def wanted(self, **changes: Any) -> Wanted:
        as_usual = Wanted(SITE, "westeurope", READER, OPERATOR, "ServicePrincipal", (SCOPE,), FIXES, {})
        return dataclasses.replace(as_usual, **changes)

    def install(self, **changes: Any) -> tuple[Deployed, list[Done]]:
        template = ROOT / "infra" / "azure" / "azuredeploy.json"
        return Installation(self.cloud(), self.wanted(**changes), template, self.packages).run()

    def standing(self) -> dict[str, Any]:
        """Return what stands, without the ids that Azure makes up and the keys that are drawn."""
        azure = self.azure
        names = {one["id"]: one["uniqueName"] for one in azure.applications.values()}
        apps = {one["appId"]: one["uniqueName"] for one in azure.applications.values()}
        who = {one["id"]: apps[one["appId"]] for one in azure.principals.values()}
        (secrets,) = azure.secrets.values()
        found = {
            "registrations": sorted(names.values()),
            "certificates": [len(one["keyCredentials"]) for one in azure.applications.values()],
            "principals": sorted(
                (who[one["id"]], one["appRoleAssignmentRequired"]) for one in azure.principals.values()
            ),
            "assigned": sorted((one["principalId"], one["appRoleId"]) for one in azure.assigned.values()),
            "groups": azure.groups,
            "deployments": sorted(azure.deployments),
            "stored": len({one["tags"]["thumbprint"] for one in secrets[-1:]}),
            "roles": {path: one["properties"]["permissions"] for path, one in azure.roles.items()},
            "grants": sorted(
                (
                    who[one["properties"]["principalId"]],
                    one["properties"]["roleDefinitionId"],
                    path.split("/providers/")[0],
                )
                for path, one in azure.grants.items()
            ),
            "packages": {path.rpartition("/")[2]: one["tags"] for path, one in azure.sites.items()},
        }
        return copy.deepcopy(found)


def made_packages(folder: Path) -> Path:
    for role in ("rotate", "remediate"):
        (folder / f"{role}.zip").write_bytes(f"package of {role}".encode())
    return folder


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return made_packages(tmp_path)


@pytest.fixture
def admin(packages: Path) -> Administrator:
    return Administrator(packages)
