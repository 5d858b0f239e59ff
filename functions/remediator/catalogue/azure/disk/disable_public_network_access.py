"""Forbid exporting a managed disk over the internet."""

from __future__ import annotations

from typing import ClassVar

from remediator.catalogue.azure.property import Property
from remediator.catalogue.azure.resources import DISK
from remediator.catalogue.spec import Example, Severity, allow, allow_on_all, ids


class DisablePublicNetworkAccess(Property):
    """Forbid exporting a managed disk over the internet.

    Links for downloading or uploading the disk's content (shared access signatures) don't work from the internet any
    more, nor do backup and migration tools that use them from outside. The virtual machine that the disk is attached to
    notices nothing; exports over a private link (disk access) work as before.
    """

    id = "azure.disk.disable-public-network-access"
    target = DISK
    service = target.provider
    severity = Severity.MEDIUM
    asynchronous = True
    path = ("properties", "publicNetworkAccess")
    unset = "Enabled"
    offending = ("Enabled",)
    wanted = "Disabled"
    reads = allow("Microsoft.Compute/disks/read")
    writes = (
        *allow("Microsoft.Compute/disks/write"),
        *allow_on_all("Microsoft.Compute/locations/diskOperations/read"),
    )
    answers: ClassVar = {"defender": ids("f635fb12-4c7f-e9a8-5ed1-c005728ea849")}
    examples = (Example(broken="Enabled", fixed="Disabled"),)
