"""What checkov finds in the template is what was accepted, each finding with its reason, and nothing else."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.azure.deployment import ROOT, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCEPTED: list[dict[str, str]] = json.loads((ROOT / "infra" / "azure" / "accepted.json").read_bytes())
CHECKOV = ROOT / ".build" / "checkov" / "bin" / "checkov"
TYPES = {one["type"] for one in TEMPLATE["resources"]}


@dataclass(frozen=True)
class Finding:
    """Hold which check failed, and for which resource: its type and, as an expression, its name."""

    check: str
    type: str
    name: str

    def is_accepted_by(self, one: dict[str, str]) -> bool:
        return (self.check, self.type) == (one["check"], one["type"]) and one.get("named", "") in self.name


def failed(template: dict[str, Any], folder: Path) -> Iterator[Finding]:
    file = folder / "template.json"
    file.write_text(json.dumps(template))
    how = ("--framework", "arm", "--skip-download", "--compact", "--output", "json")
    command = [str(CHECKOV), *how, "--file", str(file)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LOG_LEVEL": "ERROR"}
    ran = subprocess.run(  # noqa: S603 - the one that `make checkov` installed
        command, capture_output=True, text=True, check=False, env=environment, cwd=folder
    )
    found = json.loads(ran.stdout)
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 40
    for one in found["results"]["failed_checks"]:
        kind, _, name = re.sub(r"(?<=/)(\w+)\.", r"\1 ", one["resource"], count=1).partition(" ")
        yield Finding(one["check_id"], kind, name)


@pytest.fixture(scope="module")
def checkov() -> None:
    if not CHECKOV.exists():
        pytest.skip("checkov isn't installed here; `make checkov` installs it apart from all else, and runs this")


@pytest.mark.usefixtures("checkov")
def test_checkov_finds_what_was_accepted_and_nothing_else(tmp_path: Path) -> None:
    found = list(failed(TEMPLATE, tmp_path))
    assert [one for one in found if not any(one.is_accepted_by(accepted) for accepted in ACCEPTED)] == []
    assert [accepted for accepted in ACCEPTED if not any(one.is_accepted_by(accepted) for one in found)] == []


@pytest.mark.usefixtures("checkov")
def test_checkov_notices_a_template_that_became_worse(tmp_path: Path) -> None:
    worse = copy.deepcopy(TEMPLATE)
    for one in worse["resources"]:
        if one["type"] == "Microsoft.Web/sites":
            one["properties"]["httpsOnly"] = False
        if one["type"] == "Microsoft.KeyVault/vaults":
            one["properties"]["enablePurgeProtection"] = False
    found = failed(worse, tmp_path)
    new = {one.check for one in found if not any(one.is_accepted_by(accepted) for accepted in ACCEPTED)}
    assert {"CKV_AZURE_14", "CKV_AZURE_110"} <= new


def test_what_was_accepted_has_a_reason_and_is_about_something_in_the_template() -> None:
    named = [(one["check"], one["type"], one.get("named", "")) for one in ACCEPTED]
    assert len(set(named)) == len(named)
    for one in ACCEPTED:
        assert one.keys() <= {"check", "type", "named", "reason"}
        assert len(one["reason"]) > 30
        assert one["type"] in TYPES
