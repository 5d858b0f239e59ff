"""Deploy to the embedded cloud as a customer would: the project's packages, its template, its installer."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from azure.identity import ClientSecretCredential

from remediator.azure_install.installation import Cloud, Installation
from remediator.azure_install.plan import Site, Wanted
from remediator.catalogue.registry import all_fixes
from remediator.local.azure.places import LOCATION, SUBSCRIPTION, TENANT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.azure.apps.app import Invocation
    from remediator.local.azure.apps.host import AppHost
    from remediator.local.azure.identities import Identities

ROOT: Final = Path(__file__).resolve().parents[4]
TEMPLATE: Final = ROOT / "infra" / "azure" / "azuredeploy.json"
GROUP: Final = "remediation"
TARGETS: Final = "shop"
"""The resource group whose resources may be repaired."""

ROTATE_APP: Final = "RotateApp"
_IMPATIENT: Final = 0.05


class RotationFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say why a rotation that was asked for didn't succeed."""


class PackagingFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say why the function apps couldn't be packaged."""


@dataclass(frozen=True, slots=True)
class Order:
    """Say what is to be installed, where that isn't the rule: all fixes, in one resource group.

    `packages` is a folder with the packages; by default they are built anew.
    """

    scopes: tuple[str, ...] = (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{TARGETS}",)
    fixes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    packages: Path | None = None


def install(identities: Identities, order: Order, say: Callable[[str], None]) -> dict[str, str]:
    """Install, or bring the installation up to date; return the deployment's outputs."""
    admin = identities.admin
    site = Site(SUBSCRIPTION, GROUP)
    cloud = Cloud(
        ClientSecretCredential(TENANT, admin.client_id, admin.secret),
        site,
        say,
        pause=lambda seconds: time.sleep(min(seconds, _IMPATIENT)),
    )
    wanted = Wanted(
        site=site,
        location=LOCATION,
        reader=identities.vendor.object_id,
        operator=identities.operator.object_id,
        operator_type="ServicePrincipal",
        scopes=order.scopes,
        fixes=order.fixes or tuple(sorted(fix.id for fix in all_fixes("azure"))),
        settings=order.settings,
    )
    with TemporaryDirectory(prefix="packages-") as built:
        packages = order.packages or package(Path(built))
        deployed, _ = Installation(cloud, wanted, TEMPLATE, packages).run()
    return {name: str(value) for name, value in deployed.outputs.items()}


def package(folder: Path) -> Path:
    """Build the function apps' packages; raises `PackagingFailed`."""
    command = [sys.executable, "-m", "infra.azure.package", "--output", str(folder)]
    built = subprocess.run(  # noqa: S603 - the project's own command
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if built.returncode != 0:
        raise PackagingFailed(built.stderr[-2000:])
    return folder


def rotate(apps: AppHost, app: str) -> Invocation:
    """Fire the rotator's timer now, and wait; raises `RotationFailed`."""
    (invocation,) = apps.fire(app)
    if invocation.outcome.status != "success":
        raise RotationFailed(f"{invocation.outcome.status}: {invocation.outcome.message}")
    return invocation


def describe_outputs(outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the outputs under the names that clients in other languages look for."""
    if "Endpoint" not in outputs:
        return {}
    return {
        "endpoint_url": outputs["Endpoint"],
        "audience": outputs["Audience"],
        "scope": f"{outputs['Audience']}/.default",
        "seed_vault_url": outputs["SeedVault"],
        "deployment": outputs["Deployment"],
        "resource_group": GROUP,
        "target_resource_group": TARGETS,
    }
