"""Count what a rotation and each fix ask of Azure, at the embedded one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azure.identity import ClientSecretCredential

from remediator.azure.arm_client import ArmClient
from remediator.core.windows import PERIOD
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.mess import make_mess, paths
from remediator.vendor import Client
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.azure.identities import Identity
    from remediator.vendor import Finding

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Hold how often each service was asked. `fixes` has, by fix, the requests to ARM of a repair: read, write, read.

    `request` has what is asked besides, in a request that repairs one finding.
    """

    first_rotation: Mapping[str, int]
    rotation: Mapping[str, int]
    idle_rotation: Mapping[str, int]
    request: Mapping[str, int]
    fixes: Mapping[str, int]


def count() -> Counts:
    """Deploy, rotate three times, and repair each finding of a mess in a request of its own."""
    with EmbeddedAzure() as azure:
        azure.deploy()
        first = _rotated(azure)
        azure.clock.shift(PERIOD)
        writing, idle = _rotated(azure), _rotated(azure)
        described = azure.describe()
        group = f"/subscriptions/{described['subscription_id']}/resourceGroups/{described['target_resource_group']}"
        for path in paths(group):
            azure.arm.add(path)
        admin = ArmClient(_credential(azure.identities.admin), deadline=azure.clock.now() + _DAY)
        offences = make_mess(admin, group).offences
        vendor = _vendor(azure)
        vendor.health()  # whatever is fetched once in the life of a worker is fetched now
        repaired = {str(one.finding.fix): _repaired(azure, vendor, one.finding) for one in offences}
    beside = Counter(repaired[min(repaired)])
    del beside["arm"]
    return Counts(first, writing, idle, dict(beside), {fix: found["arm"] for fix, found in repaired.items()})


def _rotated(azure: EmbeddedAzure) -> dict[str, int]:
    mark = azure.calls.mark()
    azure.rotate()
    return _asked(azure, mark)


def _repaired(azure: EmbeddedAzure, vendor: Client, finding: Finding) -> dict[str, int]:
    mark = azure.calls.mark()
    [result] = vendor.apply([finding]).results
    if result.outcome.value not in ("fixed", "pending"):
        raise SystemExit(f"{finding.fix} ended as {result.outcome.value}: nothing was counted")
    return _asked(azure, mark)


def _asked(azure: EmbeddedAzure, mark: int) -> dict[str, int]:
    """Return how often function apps asked each service; `apps` are requests to them, not by them."""
    return dict(Counter(call.service for call in azure.calls.since(mark) if call.origin is not None))


def _vendor(azure: EmbeddedAzure) -> Client:
    deployment = AzureDeployment.from_outputs(azure.outputs)
    access = AzureAccess(deployment, _credential(azure.identities.vendor))
    return Client(deployment, access, transport=HttpTransport(str(azure.authority.file)))


def _credential(identity: Identity) -> ClientSecretCredential:
    described = identity.describe()
    return ClientSecretCredential(described["tenant_id"], described["client_id"], described["client_secret"])
