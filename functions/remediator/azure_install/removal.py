"""Take an installation away, as far as it may go: the way in first, what proves what was done never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.azure_install.directory import API, REMEDIATOR
from remediator.azure_install.installation import APPS, Done
from remediator.azure_install.roles import custom_roles
from remediator.catalogue.registry import all_fixes

if TYPE_CHECKING:
    from remediator.azure_install.deployments import Deployed
    from remediator.azure_install.installation import Cloud

KEPT: Final = (
    "the receipts, in the table remediatorreceipts: they prove what was changed, and hold what a rollback needs",
    "both key vaults: purge protection keeps them and their names for 90 days even if you delete them",
    "the resource group with the stopped function apps: delete it yourself when you have the receipts",
)
"""What stays, and why."""


def uninstall(cloud: Cloud) -> list[Done]:
    """Stop the apps, remove roles and registrations; return what was done. Run again, it finds nothing to do."""
    deployed = cloud.deployments.current()
    report = _stop_apps(cloud, deployed)
    found = cloud.directory.registration(REMEDIATOR)
    principal = cloud.directory.principal(found["appId"]) if found else None
    fixes = [fix.id for fix in all_fixes("azure")]
    scopes = (deployed.parameters.get("scopes") if deployed else None) or [f"/subscriptions/{cloud.site.subscription}"]
    removed = cloud.roles.remove(principal["id"] if principal else None, custom_roles(cloud.site, fixes), scopes)
    report.append(_said(cloud, "roles", changed=removed))
    for kind in (REMEDIATOR, API):
        report.append(_said(cloud, f"{kind} app registration", changed=cloud.directory.remove(kind)))
    return report


def _stop_apps(cloud: Cloud, deployed: Deployed | None) -> list[Done]:
    names = (
        [str(deployed.outputs[name]) for name in reversed(APPS.values()) if name in deployed.outputs]
        if deployed
        else []
    )
    return [_said(cloud, app, changed=cloud.apps.stop(app)) for app in names]


def _said(cloud: Cloud, step: str, *, changed: bool) -> Done:
    cloud.say(f"{'removed' if changed else 'gone'}: {step}")
    return Done(step, changed)
