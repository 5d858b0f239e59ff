"""Keep deleted key vaults, and what was in them, until their retention ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.azure.resources import KEY_VAULT
from remediator.catalogue.spec import Example, NoParameters, OneWay, Severity, allow, ids

if TYPE_CHECKING:
    from remediator.catalogue.azure.arm import Arm
    from remediator.catalogue.spec import Target

State: TypeAlias = dict[str, Any]
"""`enableSoftDelete` and `enablePurgeProtection`: the second needs the first."""

PROTECTED: Final = {"enableSoftDelete": True, "enablePurgeProtection": True}


class EnablePurgeProtection(OneWay["Arm", State, NoParameters]):
    """Keep deleted key vaults and their contents until retention ends.

    Nobody, Microsoft included, can destroy the vault, or a key, secret or certificate in it, before the retention of 7
    to 90 days is over, and none of their names is free before. Scripts that delete a vault and create it anew fail, or
    must recover it. Where soft delete is off, it is switched on as well, which protection needs.
    """

    id = "azure.keyvault.enable-purge-protection"
    target = KEY_VAULT
    service = target.provider
    severity = Severity.MEDIUM
    why = "Azure never switches purge protection off again, nor soft delete: only waiting ends it."
    reads = allow("Microsoft.KeyVault/vaults/read")
    writes = allow("Microsoft.KeyVault/vaults/write")
    answers: ClassVar = {"defender": ids("4ed62ae4-5072-f9e7-8d94-51c76c48159a")}
    examples = (
        Example(
            broken={"enableSoftDelete": False, "enablePurgeProtection": False},
            fixed=PROTECTED,
            others=({"enableSoftDelete": True, "enablePurgeProtection": False},),
        ),
        Example(broken={"enableSoftDelete": True, "enablePurgeProtection": False}, fixed=PROTECTED),
    )

    def read(self, client: Arm, target: Target) -> State:
        """Return both switches; Azure shows none that was never set."""
        properties = client.get(target.id, api=self.target.api)["properties"]
        return {name: properties.get(name) is True for name in PROTECTED}

    def desired(self, current: State, parameters: NoParameters) -> State:  # noqa: ARG002 - takes none
        """Return both switched on."""
        return current | PROTECTED

    def write(self, client: Arm, target: Target, before: State, after: State) -> None:
        """PATCH the switches that differ."""
        switched = {name: after[name] for name in PROTECTED if before[name] != after[name]}
        client.patch(target.id, {"properties": switched}, api=self.target.api)
