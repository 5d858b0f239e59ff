"""Look at the evaluated template as an auditor would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.azure.evaluate import Place, evaluate

if TYPE_CHECKING:
    from infra.azure.evaluate import Evaluated, Resource

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE: dict[str, Any] = json.loads((ROOT / "infra" / "azure" / "azuredeploy.json").read_bytes())
SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
TENANT = "22222222-2222-4222-8222-222222222222"
READER = "33333333-3333-4333-8333-333333333333"
OPERATOR = "44444444-4444-4444-8444-444444444444"
READER_APP = "77777777-7777-4777-8777-777777777777"
OPERATOR_APP = "88888888-8888-4888-8888-888888888888"
APP = "55555555-5555-4555-8555-555555555555"
API = "66666666-6666-4666-8666-666666666666"
PLACE = Place(SUBSCRIPTION, "Remediation", "westeurope", TENANT)
SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop"
GIVEN = {
    "readerObjectId": READER,
    "readerAppId": READER_APP,
    "operatorObjectId": OPERATOR,
    "operatorAppId": OPERATOR_APP,
    "remediatorAppId": APP,
    "apiAudience": API,
    "scopes": [SCOPE],
    "fixes": ["azure.storage.require-https", "azure.webapp.require-https"],
}


def deployed(template: dict[str, Any] | None = None, **given: Any) -> Evaluated:
    return evaluate(template or TEMPLATE, {**GIVEN, **given}, PLACE)


def named(found: Evaluated, kind: str, part: str) -> Resource:
    """Return the one resource of a type whose name has a part."""
    (one,) = [one for one in found.of_type(kind) if part in one.id.rpartition("/")[2]]
    return one


def site(found: Evaluated, role: str) -> Resource:
    return named(found, "Microsoft.Web/sites", f"-{role}-")


def settings(found: Evaluated, role: str) -> dict[str, str]:
    return {one["name"]: one["value"] for one in site(found, role).body["properties"]["siteConfig"]["appSettings"]}
