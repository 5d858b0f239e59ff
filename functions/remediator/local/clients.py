"""Make SDK clients for the embedded account; the service models are read once."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from remediator.local.cloudformation.resource import Client
    from remediator.local.runtime.functions import Credentials

_MAKING = threading.Lock()


@lru_cache(maxsize=1)
def _session() -> botocore.session.Session:
    return botocore.session.Session()


class Clients:
    """Make clients of every service with one set of credentials, each once."""

    def __init__(self, endpoint: str, region: str, credentials: Credentials, *, attempts: int = 3) -> None:
        self.region = region
        self._attempts = attempts
        self.endpoint = endpoint
        self.credentials = credentials
        self._made: dict[str, BaseClient] = {}

    def client(self, service: str) -> BaseClient:
        """Return a client of one service."""
        with _MAKING:  # a session isn't safe to share between threads that make clients
            if service not in self._made:
                self._made[service] = _session().create_client(
                    service,
                    region_name=self.region,
                    endpoint_url=self.endpoint,
                    aws_access_key_id=self.credentials.access_key,
                    aws_secret_access_key=self.credentials.secret_key,
                    aws_session_token=self.credentials.token or None,
                    config=Config(
                        retries={"mode": "standard", "total_max_attempts": self._attempts}, max_pool_connections=32
                    ),
                )
            return self._made[service]


class ServiceClients:
    """Reach the services of one account, as whoever deploys a stack there."""

    def __init__(self, clients: Clients, account: str) -> None:
        self._clients = clients
        self.region = clients.region
        self.account = account

    def client(self, service: str) -> Client:
        """Return a client of one service."""
        return cast("Client", self._clients.client(service))
