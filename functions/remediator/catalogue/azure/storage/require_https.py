"""Refuse unencrypted requests to a storage account."""

from __future__ import annotations

from typing import ClassVar

from remediator.catalogue.azure.property import Property
from remediator.catalogue.azure.resources import STORAGE_ACCOUNT
from remediator.catalogue.spec import Example, Severity, allow, ids


class RequireHttps(Property):
    """Refuse unencrypted requests to a storage account.

    Requests over plain HTTP fail from then on, and so do mounts of file shares over SMB without encryption and over
    NFS. Static websites on a custom domain that is served without TLS stop working.
    """

    id = "azure.storage.require-https"
    target = STORAGE_ACCOUNT
    service = target.provider
    severity = Severity.HIGH
    path = ("properties", "supportsHttpsTrafficOnly")
    unset = False
    offending = (False,)
    wanted = True
    reads = allow("Microsoft.Storage/storageAccounts/read")
    writes = allow("Microsoft.Storage/storageAccounts/write")
    answers: ClassVar = {
        "cloudsploit": ids("storageAccountsHttps"),
        "defender": ids("1c5de8e1-f68d-6a17-e0d2-ec259c42768c"),
    }
    examples = (Example(broken=False, fixed=True),)
