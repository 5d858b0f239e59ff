"""Offer Azure: probes, a subscription as who is signed in reaches it, and an installation to tell the story through."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from azure.identity import DefaultAzureCredential

from live.azure import directory, roles, security_group, stores
from live.azure.people import App
from live.azure.security_group import FIX, SecurityGroup
from live.azure.workshop import AzureWorkshop
from live.clouds import Demo
from live.story import Stage
from live.verdicts import Making
from remediator.azure_install.installation import Cloud, Installation
from remediator.azure_install.plan import Wanted
from remediator.local.azure.deployment import TEMPLATE, package
from remediator.operator.azure.office import AzureOffice
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.client import Client

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from live.verdicts import Probe

HOUR: Final = 1 / 730
"""Of a month, since what is kept for less costs as much as an hour."""

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

place: Final = "the subscription and its directory"
marks: Final = "a storage account's has no hyphens; resource groups and what is in them have the tags"
probes: Final[Sequence[Probe[AzureWorkshop]]] = (
    *directory.PROBES,
    *roles.PROBES,
    *stores.PROBES,
    *security_group.PROBES,
)
demo: Final = Demo(
    Making(
        (
            "1 resource group: 2 function apps, 2 vaults, 3 storage accounts, logs, 8 alert rules",
            "1 resource group with a network security group",
            "3 app registrations",
        ),
        40,
        {"alert_rule_month": 8 * HOUR, "vault_operation": 500, "table_transaction": 2_000, "workspace_gb": 0.05},
    ),
    "installs as `remediator azure install` does, plans, applies, looks, rolls back, tries what must be refused, and"
    " removes it all",
    "What the demo installs has the installer's names. Its vaults have no purge protection, unlike yours, so that"
    " nothing of them stays; Azure keeps a deleted log workspace, free and out of sight, for 14 days.",
)


def objection(asked: argparse.Namespace) -> str | None:
    """Return what the options lack, or None."""
    named = ("customer_profile", "vendor_profile", "region", "stack", "versions")
    foreign = [f"--{one.replace('_', '-')}" for one in named if getattr(asked, one)]
    if foreign:
        return f"{' and '.join(foreign)} means nothing on Azure"
    if not (asked.subscription and asked.location):
        return "name --subscription and --location"
    if not _GUID.fullmatch(asked.subscription):
        return f"--subscription {asked.subscription!r} is no GUID: `az account show --query id` prints it"
    return None


def workshop(asked: argparse.Namespace) -> AzureWorkshop:
    """Sign in as whoever is signed in."""
    logging.getLogger("azure.identity").setLevel(logging.ERROR)  # that a sign-in is refused is what probes ask about
    return AzureWorkshop(
        credential=DefaultAzureCredential(),
        subscription=asked.subscription,
        location=asked.location,
        run=secrets.token_hex(4),
        now=time.time,
        pause=time.sleep,
        say=(lambda _: None) if asked.json else lambda text: print(f"  {text}", file=sys.stderr),
    )


@contextmanager
def stage(shop: AzureWorkshop, _: argparse.Namespace) -> Iterator[Stage]:
    """Install into the run's own resource group, for an app of the run's as the vendor."""
    app = App.make(shop)
    vendor = app.signed_in()
    subject = SecurityGroup(shop, shop.beside("-target"))
    shop.group(subject.site)
    outputs = install(shop, app.registered.principal, subject)
    deployment = AzureDeployment.from_outputs(outputs)
    office = AzureOffice(shop.credential, shop.subscription, shop.site.group, transport=shop.transport)
    client = Client(deployment, AzureAccess(deployment, vendor), transport=shop.transport)
    yield Stage(client, office.client(), subject)


def install(shop: AzureWorkshop, reader: str, subject: SecurityGroup) -> dict[str, str]:
    """Install with the product's own installer, for one fix in one resource group; return the outputs."""
    site = shop.group()
    cloud = Cloud(shop.credential, site, shop.say, pause=shop.pause, clock=shop.now)
    wanted = Wanted(
        site=site,
        location=shop.location,
        reader=reader,
        operator=shop.me.id,
        operator_type=shop.me.kind,
        scopes=(subject.site.group_id,),
        fixes=(FIX,),
        settings={"accountAlias": "remediator live"},
    )
    with tempfile.TemporaryDirectory(prefix="packages-") as folder:
        template = Path(folder, "azuredeploy.json")
        template.write_text(json.dumps(passing(json.loads(TEMPLATE.read_bytes()))))
        deployed, _ = Installation(cloud, wanted, template, package(Path(folder))).run()
    return {name: str(value) for name, value in deployed.outputs.items()}


def passing(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template with vaults that can be purged: the customer's are kept for 90 days whatever happens."""
    for one in template["resources"]:
        if one["type"] == "Microsoft.KeyVault/vaults":
            del one["properties"]["enablePurgeProtection"]
            one["properties"]["softDeleteRetentionInDays"] = 7
    return template
