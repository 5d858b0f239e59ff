"""Make clients of the tables, signed in as the function's own identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.data.tables import TableServiceClient

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient

VERSION = "2019-02-02"


def table(endpoint: str, name: str, credential: TokenCredential) -> TableClient:
    """Return the client of one table; calls give up after ten seconds and are tried three times more."""
    service = TableServiceClient(
        endpoint, credential=credential, api_version=VERSION, retry_total=3, connection_timeout=3, read_timeout=10
    )
    return service.get_table_client(name)
