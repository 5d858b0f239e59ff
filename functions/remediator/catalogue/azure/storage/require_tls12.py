"""Refuse requests to a storage account over TLS older than 1.2."""

from __future__ import annotations

from typing import ClassVar

from remediator.catalogue.azure.property import Property
from remediator.catalogue.azure.resources import STORAGE_ACCOUNT
from remediator.catalogue.spec import Example, Severity, allow, ids


class RequireTls12(Property):
    """Refuse requests to a storage account over TLS older than 1.2.

    Clients that speak no TLS 1.2 get an error: old .NET Framework and Java applications, Windows before 8.1 and
    appliances are the usual ones. An account that demands more already stays as it is. Azure has retired TLS 1.0 and
    1.1 for storage, so going back may have no effect, or be refused.
    """

    id = "azure.storage.require-tls12"
    target = STORAGE_ACCOUNT
    service = target.provider
    severity = Severity.MEDIUM
    path = ("properties", "minimumTlsVersion")
    unset = "TLS1_0"
    offending = ("TLS1_0", "TLS1_1")
    wanted = "TLS1_2"
    reads = allow("Microsoft.Storage/storageAccounts/read")
    writes = allow("Microsoft.Storage/storageAccounts/write")
    answers: ClassVar = {"cloudsploit": ids("storageAccountsTlsVersion")}
    examples = (
        Example(broken="TLS1_0", fixed="TLS1_2", others=("TLS1_1",)),
        Example(broken="TLS1_1", fixed="TLS1_2", others=("TLS1_0",)),
    )
