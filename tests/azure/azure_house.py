"""A deployment on the embedded Azure whose functions run in this process, where each of their requests can be the last.

Installed by our own installer: template, roles, identities and credential are the real ones. Only the function apps'
workers are left out.
"""

from __future__ import annotations

import functools
import json
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import azure.functions as func
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableServiceClient
from azure.identity import ClientSecretCredential

from remediator.azure import remediate_function, rotate_function, windows_table
from remediator.azure.seed_ring import KeyVaultRing, name_of
from remediator.core.gate import keys_of
from remediator.core.messages import Request, sign
from remediator.core.seeds import SeedRecord
from remediator.core.windows import PERIOD, Window, window_at
from remediator.local.azure.deployment import TARGETS
from remediator.local.azure.places import SUBSCRIPTION, TENANT
from tests.service.world import Crash, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pytest
    from azure.data.tables import TableClient

    from remediator.core.gate import WindowKeys
    from remediator.core.seeds import Seed
    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.vault.secrets import Secret

TABLES = (windows_table.CONTROL_TABLE, windows_table.WINDOWS_TABLE, windows_table.RECEIPTS_TABLE)
MIDDLE = 120
"""Seconds into its window at which every test begins."""

KEY = "11111111-2222-3333-4444-555555555555"
HTTPS = "azure.storage.require-https"
SERVICES = {
    ".table.core.windows.net": "tables",
    ".vault.azure.net": "vault",
    ".eventgrid.azure.net": "events",
    "login.microsoftonline.com": "entra",
}


@dataclass
class Wire(Steps):
    """Every request that the functions send; at the one that a test chose they die, fail, or something happens.

    Who died sends nothing any more, not even from a `finally`.
    """

    armed: bool = False
    meanwhile_at: int | None = None
    meanwhile: Callable[[], object] = lambda: None
    breaking: str | None = None
    dead: bool = False
    shown: list[str] = field(default_factory=list)
    """The tokens that a broken request showed."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        if self.dead:
            raise Crash("before")
        if len(self.taken) + 1 == self.meanwhile_at:
            self.meanwhile_at = None
            with self.quiet():
                self.meanwhile()
        try:
            with super().step(name):
                yield
        except Crash:
            self.dead = True
            raise

    @contextmanager
    def counting(self, **chosen: Any) -> Iterator[list[str]]:
        """Count from one on, and let happen what was chosen."""
        self.taken.clear()
        for name, value in chosen.items():
            setattr(self, name, value)
        self.armed = True
        try:
            yield self.taken
        finally:
            self.armed = self.dead = False
            self.crash_before = self.crash_after = self.meanwhile_at = self.breaking = None

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Send without being counted."""
        self.armed = False
        try:
            yield
        finally:
            self.armed = True

    def attach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Come between the SDKs and the network; what is asked of loopback is the apps' own identity endpoint."""
        send = RequestsTransport.send

        def watched(transport: Any, request: Any, **more: Any) -> Any:
            if not self.armed or urlsplit(request.url).hostname == "127.0.0.1":
                return send(transport, request, **more)
            name = step_of(request.method, request.url)
            with self.step(name):
                answered = send(transport, request, **more)
                if name == self.breaking:
                    self.shown.append(str(request.headers.get("Authorization", "")).partition(" ")[2])
                    sent = request.data or request.content
                    raise Broken(f"{request.url} {request.headers} {sent!r} {answered.internal_response.content!r}")
                return answered

        monkeypatch.setattr(RequestsTransport, "send", watched)


class Broken(Exception):  # noqa: N818 - errors are named for what is the case
    """What the worst SDK raises: with all that it sent and all that it got in its message."""


def step_of(method: str, url: str) -> str:
    """Return a request's name, such as `vault GET seed` or `arm PATCH storageAccounts`."""
    parts = urlsplit(url)
    service = next((one for name, one in SERVICES.items() if str(parts.hostname).endswith(name)), "arm")
    path = [part for part in parts.path.split("/") if part]
    what = path[{"tables": 0, "vault": 1, "entra": -1, "events": -1, "arm": -2}[service]].partition("(")[0]
    return f"{service} {method} {'seed' if what.startswith('seed-') else what}"


@dataclass
class House:
    """The deployment, both its functions, and the vendor."""

    cloud: EmbeddedAzure
    wire: Wire = field(default_factory=Wire)

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give the functions their settings and identities, and forget what they remember."""
        sites = [self.cloud.services.sites.named(self.cloud.outputs[name]) for name in ("RotateApp", "RemediateApp")]
        held = [identity for site in sites if site for identity in site.identities]
        for name, value in self.cloud.sign_in_here(*held).items():
            monkeypatch.setenv(name, value)
        for module, site in zip((rotate_function, remediate_function), sites, strict=True):
            assert site is not None
            forget(module)
            for name, value in site.settings.items():
                monkeypatch.setenv(name, value)
            module._settings()
        self.wire.attach(monkeypatch)

    def reset(self) -> None:
        """Begin anew in the middle of a later window: nothing staged, nothing recorded."""
        now = time.time()
        self.cloud.clock.shift(window_at(now).not_after + PERIOD + MIDDLE - now)
        for name in TABLES:
            self._service.delete_table(name)
            self._service.create_table(name)
        secrets = self.seeds
        for secret in list(secrets.all()):
            secrets.delete(secret.name, 0, 0)
        secrets.settle(time.time())

    @functools.cached_property
    def _service(self) -> TableServiceClient:
        admin = self.cloud.identities.admin
        account = self.cloud.estate.storage_account(
            str(urlsplit(self.cloud.outputs["TablesEndpoint"]).hostname).split(".")[0]
        )
        assert account is not None
        self.cloud.rbac.assign(admin.object_id, "Storage Table Data Contributor", account.resource_id)
        return TableServiceClient(account.tables_url, credential=self.signed_in(admin))

    def table(self, name: str) -> TableClient:
        """Return a table as an administrator sees it."""
        return self._service.get_table_client(name)

    def signed_in(self, identity: Any) -> ClientSecretCredential:
        return ClientSecretCredential(TENANT, identity.client_id, identity.secret)

    @property
    def seeds(self) -> Any:
        """Return what the seed vault holds, past its data plane."""
        return self._vault("SeedVault")

    @property
    def credentials(self) -> Any:
        """Return what the credential vault holds, past its data plane."""
        return self._vault("CredentialVault")

    def _vault(self, output: str) -> Any:
        vault = self.cloud.estate.vault(first_label(self.cloud.outputs[output]))
        assert vault is not None
        return self.cloud.services.vaults.secrets(vault)

    @property
    def deployment(self) -> str:
        return str(self.cloud.outputs["Deployment"])

    @property
    def remediator(self) -> str:
        """Return the object id of the app registration's principal, which holds the write roles."""
        app = remediate_function._settings().app_id
        found = self.cloud.directory.principal_of(app)
        assert found is not None
        return str(found.object_id)

    def pass_time(self, seconds: float) -> None:
        self.cloud.clock.shift(seconds)

    def seed(self, window: Window) -> Seed:
        """Return the seed that the vault shows now."""
        found = KeyVaultRing(rotate_function._vault(self.cloud.outputs["SeedVault"]), self.deployment).read(window)
        assert found is not None
        return found

    def keys(self, window: Window | None = None) -> WindowKeys:
        window = window or window_at(time.time())
        return keys_of(SeedRecord(self.deployment, window, self.seed(window)))

    def versions(self, window: Window) -> int:
        """Return how many versions the window's secret has."""
        secret: Secret = self.seeds.secret(name_of(window))
        return len(secret.versions)

    def entities(self, name: str, partition: str | None = None) -> dict[str, Any]:
        """Return the entities of a table, or of one of its partitions, by their rows."""
        found = self.table(name).list_entities()
        return {one["RowKey"]: one for one in found if partition in {None, one["PartitionKey"]}}

    def rotate(self) -> None:
        rotate_function.rotate()

    def target(self) -> str:
        """Return a new storage account of the customer's that answers without encryption."""
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{TARGETS}"
        name = f"{group}/providers/Microsoft.Storage/storageAccounts/s{uuid.uuid4().hex[:16]}"
        self.cloud.arm.add(name)
        return name

    def encrypted(self, target: str) -> bool:
        return bool(self.cloud.arm.resource(target)["properties"]["supportsHttpsTrafficOnly"])

    def request(self, body: Any, **more: Any) -> func.HttpRequest:
        """Return a signed request of the vendor's."""
        with_defaults = {"path": "/v1/remediations", "key": KEY, "keys": None, "created": None, "who": "vendor"} | more
        raw, path = json.dumps(body).encode(), str(with_defaults["path"])
        keys = with_defaults["keys"] or self.keys()
        created = int(with_defaults["created"] or time.time())
        signed = sign(Request("POST", path, raw, str(with_defaults["key"])), keys, created=created)
        token = self.token(str(with_defaults["who"]))
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"} | dict(signed)
        headers |= more.get("headers", {})
        return func.HttpRequest(method="POST", url=f"https://app{path}", headers=headers, body=raw)

    def token(self, who: str = "vendor") -> str:
        identity = getattr(self.cloud.identities, who)
        return self.signed_in(identity).get_token(f"{self.cloud.outputs['Audience']}/.default").token

    def answer(self, request: func.HttpRequest) -> Answered:
        return Answered.of(remediate_function.answer(request))

    def post(self, body: Any, **more: Any) -> Answered:
        return self.answer(self.request(body, **more))

    def new_instance(self) -> None:
        """Let the platform answer with another instance of the app, which remembers nothing."""
        remediate_function._endpoint.cache_clear()
        remediate_function._endpoint()


@dataclass(frozen=True)
class Answered:
    status: int
    body: Any
    headers: Mapping[str, str]

    @classmethod
    def of(cls, response: func.HttpResponse) -> Answered:
        return cls(response.status_code, json.loads(response.get_body()), dict(response.headers))

    @property
    def outcomes(self) -> list[str]:
        return [result["outcome"] for result in self.body["results"]]

    @property
    def problem(self) -> str:
        return str(self.body.get("type", "")).rpartition(":")[2]


def asking(*targets: str, mode: str = "apply") -> dict[str, Any]:
    return {"mode": mode, "findings": [{"fix": HTTPS, "target": {"id": target}} for target in targets]}


def first_label(url: str) -> str:
    return str(urlsplit(url).hostname).partition(".")[0]


def forget(module: Any) -> None:
    """Forget what a function's module has cached."""
    for one in vars(module).values():
        if hasattr(one, "cache_clear") and one.__module__ == module.__name__:
            one.cache_clear()
