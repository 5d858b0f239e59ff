"""Make on Azure what a probe needs, in one resource group and in the directory, and find what any run left there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

import jwt
from azure.core.exceptions import AzureError

from live.azure import remains
from live.workshop import PREFIX, TAGS, Workshop
from remediator.azure.arm_client import ArmClient, ArmError
from remediator.azure_install.apps import PublishingFailed
from remediator.azure_install.deployments import DeploymentFailed, Deployments
from remediator.azure_install.plan import Site
from remediator.azure_install.rest import ARM, GRAPH, AzureRefused, Rest
from remediator.azure_install.roles import API as AUTHORIZATION
from remediator.local.azure.deployment import PackagingFailed
from remediator.vendor.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azure.core.credentials import TokenCredential

    from live.workshop import Leftover

GROUPS: Final = "api-version=2021-04-01"
SPREADS_WITHIN: Final = 600.0
"""Seconds within which a role counts, or its removal does: what Microsoft documents."""

HOUR: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Person:
    """Hold who is signed in: object id, tenant, and `User` or `ServicePrincipal`."""

    id: str
    tenant: str
    kind: str


@dataclass(kw_only=True)
class AzureWorkshop(Workshop):
    """Hold the subscription, as who is signed in reaches it."""

    refusals: ClassVar = (AzureRefused, AzureError, ArmError, DeploymentFailed, PackagingFailed, PublishingFailed)

    credential: TokenCredential
    subscription: str
    location: str
    transport: HttpTransport = field(default_factory=HttpTransport)
    """What carries requests to a deployment's endpoint."""
    arm: Rest = field(init=False)
    graph: Rest = field(init=False)

    def __post_init__(self) -> None:
        self.arm = Rest(self.credential, ARM)
        self.graph = Rest(self.credential, GRAPH)

    @cached_property
    def me(self) -> Person:
        """Return who is signed in, by the token that Resource Manager is shown."""
        token = self.credential.get_token(ArmClient.SCOPE).token
        claims = jwt.decode(token, options={"verify_signature": False})
        kind = "ServicePrincipal" if claims.get("idtyp") == "app" else "User"
        return Person(claims["oid"], claims["tid"], kind)

    @property
    def site(self) -> Site:
        """Return the run's own resource group, as the installer names it."""
        return self.beside("")

    def beside(self, what: str) -> Site:
        """Return another resource group of the run's."""
        return Site(self.subscription, f"{PREFIX}{self.run}{what}")

    def group(self, site: Site | None = None) -> Site:
        """Make a resource group of the run's, or find it made."""
        wanted = site or self.site
        self.say(f"creating resource group {wanted.group}")
        self.arm.ask("PUT", f"{wanted.group_id}?{GROUPS}", {"location": self.location, "tags": TAGS})
        return wanted

    def deploy(self, resources: list[Mapping[str, Any]]) -> None:
        """Deploy resources into the run's group."""
        site = self.group()
        template = {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "resources": resources,
        }
        self.say(f"creating {', '.join(str(one['name']) for one in resources)}")
        Deployments(self.arm, site, self.say, self.pause).put_secretly(self.name("probe"), template, {})

    def let_me(self, role: str, scope: str) -> None:
        """Give who is signed in a role of Azure's own on something."""
        properties = {
            "roleDefinitionId": f"/subscriptions/{self.subscription}{remains.DEFINITIONS}/{role}",
            "principalId": self.me.id,
            "principalType": self.me.kind,
        }
        name = self.site.id_of("mine", scope, role, self.me.id)
        self.arm.ask("PUT", f"{scope}{remains.ASSIGNMENTS}/{name}?{AUTHORIZATION}", {"properties": properties})

    def client(self, credential: TokenCredential | None = None) -> ArmClient:
        """Return the product's own client of Resource Manager."""
        chosen = credential or self.credential
        return ArmClient(chosen, deadline=self.now() + HOUR, clock=self.now, sleep=self.pause)

    def leftovers(self) -> Iterator[Leftover]:
        """Yield everything that any run made and hasn't removed, in the order of removal."""
        yield from remains.remains(self)
