"""Make a network security group that lets everybody in on one port, and ask its provider about overtaken writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from live.story import AS_IT_WAS, CLOSED
from live.verdicts import Making, Probe, Verdict, judged
from live.workshop import TAGS, Slow
from remediator.catalogue.azure.arm import Changed
from remediator.vendor import Finding

if TYPE_CHECKING:
    from live.azure.workshop import AzureWorkshop
    from remediator.azure_install.plan import Site

FIX: Final = "azure.network.close-port"
API: Final = "2021-05-01"
PORT: Final = 22
_RULE: Final[dict[str, Any]] = {
    "name": "everybody",
    "properties": {
        "access": "Allow",
        "direction": "Inbound",
        "priority": 200,
        "protocol": "Tcp",
        "sourceAddressPrefix": "Internet",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": str(PORT),
    },
}
_MADE_WITHIN: Final = 300.0


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """Hold where it is: in a resource group of its own, with no machine in it."""

    shop: AzureWorkshop
    site: Site

    @property
    def id(self) -> str:
        """Return its id."""
        return f"{self.site.group_id}/providers/Microsoft.Network/networkSecurityGroups/{self.shop.name('group')}"

    def make(self) -> Finding:
        """Make it, and return what a scanner would find."""
        self.shop.group(self.site)
        self.shop.say(f"creating network security group {self.shop.name('group')}")
        self.shop.client().put(self.id, self.body(), api=API)
        self.shop.until(lambda: self.shop.arm.get(f"{self.id}?api-version={API}") is not None, most=_MADE_WITHIN)
        return Finding(fix=FIX, target={"id": self.id}, parameters={"port": PORT})

    def body(self, **tags: str) -> dict[str, Any]:
        """Return it as it is written."""
        return {"location": self.shop.location, "tags": {**TAGS, **tags}, "properties": {"securityRules": [_RULE]}}

    def setting(self) -> str:
        """Return whether the port is open to everybody."""
        found = self.shop.arm.ask("GET", f"{self.id}?api-version={API}").body["properties"]["securityRules"]
        inbound = {one["name"]: one["properties"] for one in found}
        if inbound == {} or all(one["access"] == "Deny" for one in inbound.values()):
            return CLOSED
        kept = inbound.get(_RULE["name"], {})
        same = len(inbound) == 1 and all(kept.get(name) == value for name, value in _RULE["properties"].items())
        return AS_IT_WAS if same else f"{found}"

    def remove(self) -> None:
        """Leave it to the resource group's removal, which the workshop sees to."""


def if_match(shop: AzureWorkshop) -> Verdict:
    """Read a group twice, write it by one reading, and then by the other, which is overtaken."""
    group = SecurityGroup(shop, shop.site)
    try:
        group.make()
    except Slow as slow:
        return judged(f"the group to try it with is made {slow}", {}, holds=False)
    first, second = shop.client(), shop.client()
    for one in (first, second):
        one.get(group.id, api=API)
    first.put(group.id, group.body(by="first"), api=API)
    try:
        second.put(group.id, group.body(by="second"), api=API)
    except Changed as changed:
        return judged(f"an overtaken write is refused: {changed.code}", {"refused": changed.code}, holds=True)
    return judged("an overtaken write was TAKEN", {"refused": ""}, holds=False)


PROBES: Final = (
    Probe(
        "if-match",
        "a write of a network security group over somebody else's change is refused",
        Making(("1 resource group with a network security group",), 4),
        if_match,
    ),
)
