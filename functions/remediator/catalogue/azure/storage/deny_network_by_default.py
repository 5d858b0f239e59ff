"""Admit only networks that a rule names to a storage account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.azure.property import dug, nested
from remediator.catalogue.azure.resources import EXAMPLE, STORAGE_ACCOUNT
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, allow_on_all, ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from remediator.catalogue.azure.arm import Arm
    from remediator.catalogue.spec import JSON, Target

State: TypeAlias = dict[str, Any]
"""`defaultAction`, `bypass`, and the rules of each kind, sorted, without what Azure says of their progress."""

PATH: Final = ("properties", "networkAcls")
RULES: Final = ("ipRules", "resourceAccessRules", "virtualNetworkRules")
NO_RULES: Final = {name: list[Any]() for name in RULES}
SUBNET: Final = f"{EXAMPLE}/Microsoft.Network/virtualNetworks/example/subnets/apps"
SOME_RULES: Final = {
    "ipRules": [{"value": "203.0.113.0/24", "action": "Allow"}],
    "resourceAccessRules": [
        {
            "tenantId": "00000000-0000-0000-0000-0000000000aa",
            "resourceId": f"{EXAMPLE}/Microsoft.Synapse/workspaces/example",
        }
    ],
    "virtualNetworkRules": [{"id": SUBNET, "action": "Allow"}],
}


class DenyNetworkByDefault(Fix["Arm", State, NoParameters]):
    """Admit only networks that a rule names to a storage account.

    Everybody who reaches the account over its public endpoint without a rule for them loses access at once, whatever
    key or token they bring: people in the portal and with Storage Explorer, build agents, applications and functions
    outside the subnets that are named, other tenants' services, Azure services that aren't exempt. Look at who calls
    the account first.

    All rules and exemptions that there are stay; private endpoints work as before. Who is meant to have access needs a
    rule for a subnet or an address before this is applied.
    """

    id = "azure.storage.deny-network-by-default"
    target = STORAGE_ACCOUNT
    service = target.provider
    severity = Severity.HIGH
    reads = allow("Microsoft.Storage/storageAccounts/read")
    writes = (
        *allow("Microsoft.Storage/storageAccounts/write"),
        *allow_on_all("Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"),
    )
    answers: ClassVar = {
        "cloudsploit": ids("networkAccessDefaultAction"),
        "defender": ids("45d313c3-3fca-5040-035f-d61928366d31"),
    }
    examples = (
        Example(
            broken={"defaultAction": "Allow", "bypass": "AzureServices", **NO_RULES},
            fixed={"defaultAction": "Deny", "bypass": "AzureServices", **NO_RULES},
            others=({"defaultAction": "Deny", "bypass": "None", **NO_RULES},),
        ),
        Example(
            broken={"defaultAction": "Allow", "bypass": "Logging, Metrics", **SOME_RULES},
            fixed={"defaultAction": "Deny", "bypass": "Logging, Metrics", **SOME_RULES},
            others=(
                {"defaultAction": "Allow", "bypass": "Logging, Metrics", **SOME_RULES, "ipRules": []},
                {"defaultAction": "Deny", "bypass": "Logging, Metrics", **SOME_RULES, "virtualNetworkRules": []},
            ),
        ),
    )

    def read(self, client: Arm, target: Target) -> State:
        """Return the account's network rules; Azure's defaults stand for what isn't there."""
        found = dug(client.get(target.id, api=self.target.api), PATH) or {}
        return {
            "defaultAction": found.get("defaultAction", "Allow"),
            "bypass": found.get("bypass", "AzureServices"),
            **{name: _sorted(found.get(name) or []) for name in RULES},
        }

    def desired(self, current: State, parameters: NoParameters) -> State:  # noqa: ARG002 - takes none
        """Return the same rules, with nobody admitted besides."""
        return current | {"defaultAction": "Deny"}

    def write(self, client: Arm, target: Target, before: State, after: State) -> None:  # noqa: ARG002 - sent whole
        """PATCH the rules as a whole: Azure drops those that aren't sent."""
        client.patch(target.id, nested(PATH, after), api=self.target.api)


def _sorted(rules: Iterable[Mapping[str, JSON]]) -> list[dict[str, JSON]]:
    plain = [{name: value for name, value in rule.items() if name != "state"} for rule in rules]
    return sorted(plain, key=json.dumps)
