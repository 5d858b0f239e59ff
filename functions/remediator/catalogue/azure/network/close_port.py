"""Close a port of a network security group to the internet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from remediator.catalogue.azure.network import examples, findings, rules
from remediator.catalogue.azure.network.closing import close
from remediator.catalogue.azure.resources import NETWORK_SECURITY_GROUP
from remediator.catalogue.errors import Overtaken
from remediator.catalogue.spec import Fix, Severity, allow, allow_on_all, parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.catalogue.azure.arm import Arm
    from remediator.catalogue.azure.network.rules import Rule
    from remediator.catalogue.spec import JSON, Target

PORT_NUMBER: Final = "(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

READ_ONLY: Final = frozenset(
    {"defaultSecurityRules", "flowLogs", "networkInterfaces", "provisioningState", "resourceGuid", "subnets"}
)
"""What of a group's properties only Azure writes."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Say which ports to close."""

    port: int = parameter("The port to close.", type="integer", minimum=0, maximum=rules.TOP)
    protocol: str = parameter("Its protocol.", default="tcp", type="string", enum=["tcp", "udp"])
    also: Sequence[str] = parameter(
        "More ports to close, such as `udp/53`, where one finding is about several.",
        default=(),
        type="array",
        maxItems=30,
        uniqueItems=True,
        items={"type": "string", "pattern": f"^(tcp|udp)/{PORT_NUMBER}$"},
    )


class ClosePort(Fix["Arm", "list[Rule]", Ports]):
    """Close a port of a network security group to the internet.

    New connections from the internet to the port are refused; those that stand may live on. A rule for a range is
    narrowed to the ports around, so that they stay open; addresses, service tags and application security groups that
    are named keep their access. A rule for all protocols becomes one for each protocol that Azure's networks carry.

    A rule for any source (`*`) lets in neighbours and health probes as well: where a rule behind it would deny those
    the port, they get rules of their own. `0.0.0.0/0` and `::/0` are taken at their word, and private addresses in them
    lose the port with the rest, unless another rule lets them in. Where the rules leave no priorities for the pieces,
    one rule that denies the internet the port is put before the offending one, which makes room for it if need be.
    """

    id = "azure.network.close-port"
    target = NETWORK_SECURITY_GROUP
    service = target.provider
    severity = Severity.HIGH
    asynchronous = True
    parameters = Ports
    reads = allow("Microsoft.Network/networkSecurityGroups/read")
    writes = (
        *allow("Microsoft.Network/networkSecurityGroups/write"),
        *allow_on_all(
            "Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action",
            "Microsoft.Network/locations/operations/read",
        ),
    )
    answers: ClassVar = {"cloudsploit": findings.CLOUDSPLOIT}
    examples = examples.EXAMPLES

    def read(self, client: Arm, target: Target) -> list[Rule]:
        """Return the customer's inbound rules, by priority; Azure's own aren't looked at, nor those for what leaves."""
        return _rules(client.get(target.id, api=self.target.api), "Inbound")

    def desired(self, current: list[Rule], parameters: Ports) -> list[Rule]:
        """Return the rules without the ports, for the internet.

        Raises `NotApplicable` if they leave no priority that would be needed.
        """
        left = current
        for port in (f"{parameters.protocol}/{parameters.port}", *parameters.also):
            protocol, _, number = port.partition("/")
            left = close(left, protocol, int(number))
        return left

    def write(self, client: Arm, target: Target, before: list[Rule], after: list[Rule]) -> None:
        """PUT the group as it is but for these rules: all at once, or not at all if somebody changed it since.

        One rule at a time would need a priority that is free at every step, and leave the group half done if one
        failed.
        """
        group = client.get(target.id, api=self.target.api)
        if _rules(group, "Inbound") != before:
            raise Overtaken("the rules aren't those that were looked at")
        kept = {name: value for name, value in group["properties"].items() if name not in READ_ONLY}
        tags = {"tags": group["tags"]} if group.get("tags") else {}
        written = {"securityRules": [*after, *_rules(group, "Outbound")]}
        body = {"location": group["location"], **tags, "properties": kept | written}
        client.put(target.id, body, api=self.target.api)


def _rules(group: Mapping[str, JSON], direction: str) -> list[Rule]:
    found = [_plain(rule) for rule in group["properties"].get("securityRules") or ()]
    return sorted((rule for rule in found if rule["properties"]["direction"] == direction), key=rules.priority)


def _plain(rule: Mapping[str, Any]) -> Rule:
    """Return a rule without what Azure adds, and without the forms of addresses and ports that it leaves empty."""
    filled = {name: value for name, value in rule["properties"].items() if value not in (None, "", [])}
    return {
        "name": rule["name"],
        "properties": {name: _named(value) for name, value in filled.items() if name != "provisioningState"},
    }


def _named(value: JSON) -> JSON:
    """Return references to other resources by their ids alone."""
    if isinstance(value, list):
        return [{"id": one["id"]} if isinstance(one, dict) else one for one in value]
    return value
