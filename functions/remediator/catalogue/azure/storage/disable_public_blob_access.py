"""Forbid anonymous access to the blobs of a storage account."""

from __future__ import annotations

from typing import ClassVar

from remediator.catalogue.azure.property import Property
from remediator.catalogue.azure.resources import STORAGE_ACCOUNT
from remediator.catalogue.spec import Example, Severity, allow, ids


class DisablePublicBlobAccess(Property):
    """Forbid anonymous access to the blobs of a storage account.

    Whatever a container says, nobody reads its blobs without a right to: links to public images, downloads and feeds
    that are served straight from the account break. The containers keep their own settings, which count again after a
    rollback.
    """

    id = "azure.storage.disable-public-blob-access"
    target = STORAGE_ACCOUNT
    service = target.provider
    severity = Severity.HIGH
    path = ("properties", "allowBlobPublicAccess")
    unset = True
    offending = (True,)
    wanted = False
    reads = allow("Microsoft.Storage/storageAccounts/read")
    writes = allow("Microsoft.Storage/storageAccounts/write")
    answers: ClassVar = {"defender": ids("51fd8bb1-0db4-bbf1-7e2b-cfcba7eb66a6")}
    examples = (Example(broken=True, fixed=False),)
