"""Both sides of a deployment on the embedded Azure, written from the protocol and not from our own client."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from remediator.azure.seed_ring import name_of
from remediator.core.gate import keys_of
from remediator.core.messages import Request, sign
from remediator.core.seeds import parse_record
from remediator.core.windows import window_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.core.gate import WindowKeys
    from remediator.local.azure.cloud import EmbeddedAzure


@dataclass
class Side:
    """One principal of the tenant, as its own programs see it."""

    azure: EmbeddedAzure
    whose: str

    @property
    def described(self) -> dict[str, Any]:
        return self.azure.describe()

    @property
    def credential(self) -> ClientSecretCredential:
        mine = self.described[f"{self.whose}_credentials"]
        return ClientSecretCredential(mine["tenant_id"], mine["client_id"], mine["client_secret"])

    def keys(self) -> WindowKeys:
        vault = SecretClient(self.described["seed_vault_url"], self.credential, api_version="7.4")
        return keys_of(parse_record(str(vault.get_secret(name_of(window_at(time.time()))).value)))

    def post(
        self,
        body: Mapping[str, Any],
        *,
        path: str = "/v1/remediations",
        key: str | None = None,
        keys: WindowKeys | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        raw, key = json.dumps(body).encode(), key or str(uuid.uuid4())
        signed = sign(Request("POST", path, raw, key), keys or self.keys(), created=int(time.time()))
        fields = signed | {"content-type": "application/json"} | self._bearer(token) | dict(headers or {})
        answer = requests.post(self._url(path), data=raw, headers=fields, timeout=60)
        return answer.status_code, answer.json()

    def get(self, path: str, *, token: str | None = None) -> tuple[int, dict[str, Any]]:
        answer = requests.get(self._url(path), headers=self._bearer(token), timeout=60)
        return answer.status_code, answer.json()

    def _bearer(self, token: str | None) -> dict[str, str]:
        if token == "":
            return {}
        return {"authorization": f"Bearer {token or self.credential.get_token(self.described['scope']).token}"}

    def _url(self, path: str) -> str:
        return str(self.described["endpoint_url"]).rstrip("/") + path


def named(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    """Return the status and the problem's name."""
    return answer[0], str(answer[1].get("type", "")).rpartition(":")[2]


def outcomes(answer: tuple[int, dict[str, Any]]) -> list[str]:
    """Return the status's results, in order."""
    return [result["outcome"] for result in answer[1]["results"]]
