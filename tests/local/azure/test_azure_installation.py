"""What is installed survives a crash of its rotator, and can be taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from azure.identity import ClientSecretCredential

from remediator.azure_install.installation import Cloud
from remediator.azure_install.plan import Site
from remediator.azure_install.removal import uninstall
from remediator.local.azure.deployment import GROUP
from remediator.local.azure.faults import Match
from remediator.local.azure.places import SUBSCRIPTION, TENANT

if TYPE_CHECKING:
    from remediator.local.azure.cloud import EmbeddedAzure

pytestmark = pytest.mark.xdist_group("embedded Azure's deployment")


def test_a_killed_rotation_is_made_good_by_the_next(cloud: EmbeddedAzure) -> None:
    cloud.deploy()
    cloud.rotate()
    cloud.clock.shift(900)
    set_secret = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
    cloud.faults.crash_after(Match(operation=set_secret, origin=f"{cloud.outputs['RotateApp']}/*", nth=2))
    (killed,) = cloud.apps.fire(cloud.outputs["RotateApp"])
    assert killed.outcome.status == "exit"
    cloud.faults.clear()
    cloud.clock.shift(121)  # the lease of the one that was killed ends
    assert cloud.rotate().outcome.status == "success"


def test_what_was_installed_is_removed_again(cloud: EmbeddedAzure) -> None:
    cloud.deploy()
    credential = ClientSecretCredential(TENANT, cloud.identities.admin.client_id, cloud.identities.admin.secret)
    installed = Cloud(credential, Site(SUBSCRIPTION, GROUP), lambda _: None)
    assert all(done.changed for done in uninstall(installed))
    assert not any(done.changed for done in uninstall(installed))
    with pytest.raises(requests.ConnectionError):
        requests.get(cloud.outputs["Endpoint"], timeout=30)
