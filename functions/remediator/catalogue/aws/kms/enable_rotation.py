"""Rotate the material of a KMS key every year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import KMS_KEY
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, Fix, Severity, allow, ids, parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_kms import KMSClient

    from remediator.catalogue.spec import Target

State: TypeAlias = dict[str, Any]
"""`enabled`, and `period_days`, which is None while rotation is off: KMS forgets it."""

YEAR: Final = 365
"""How often KMS rotates a key, in days, unless it is told otherwise."""

OFF: Final = {"enabled": False, "period_days": None}
ON: Final = {"enabled": True, "period_days": YEAR}


@dataclass(frozen=True, slots=True)
class Period:
    """Say how often to rotate a key that isn't rotated yet."""

    period_days: int = parameter(
        "How often to rotate, in days; a key that is rotated already keeps its period.",
        default=YEAR,
        type="integer",
        minimum=90,
        maximum=2560,
    )


class EnableRotation(Fix["KMSClient", "State", Period]):
    """Rotate the material of a KMS key regularly.

    Nothing changes for those who use the key: its id and policy stay, and what was encrypted before can be decrypted
    still. AWS charges for the first and the second rotation of a key a dollar a month each.
    """

    id = "aws.kms.enable-rotation"
    target = KMS_KEY
    severity = Severity.MEDIUM
    service = "kms"
    parameters = Period
    reads = allow("kms:DescribeKey", "kms:GetKeyRotationStatus")
    writes = allow("kms:EnableKeyRotation", "kms:DisableKeyRotation")
    answers: ClassVar = {
        "cloudsploit": ids("kmsKeyRotation"),
        "prowler": ids("kms_cmk_rotation_enabled"),
        "security-hub": ids("KMS.4"),
    }
    examples = (
        Example(broken=OFF, fixed=ON, others=({"enabled": True, "period_days": 180},)),
        Example(broken=OFF, fixed={"enabled": True, "period_days": 90}, parameters={"period_days": 90}),
    )

    def read(self, client: KMSClient, target: Target) -> State:
        """Return whether, and how often, the key is rotated; raise `NotApplicable` for a key that can't be."""
        key = client.describe_key(KeyId=target["key"])["KeyMetadata"]
        obstacle = _obstacle(key)
        if obstacle is not None:
            raise NotApplicable(obstacle)
        status = client.get_key_rotation_status(KeyId=target["key"])
        if not status["KeyRotationEnabled"]:
            return dict(OFF)
        return {"enabled": True, "period_days": status.get("RotationPeriodInDays", YEAR)}

    def desired(self, current: State, parameters: Period) -> State:
        """Return rotation switched on."""
        return current if current["enabled"] else {"enabled": True, "period_days": parameters.period_days}

    def write(self, client: KMSClient, target: Target, before: State, after: State) -> None:  # noqa: ARG002 - a switch
        """Switch rotation on or off."""
        if not after["enabled"]:
            client.disable_key_rotation(KeyId=target["key"])
            return
        client.enable_key_rotation(KeyId=target["key"], RotationPeriodInDays=after["period_days"])


def _obstacle(key: Mapping[str, Any]) -> str | None:
    """Return why a key can't be rotated by a switch, or None (KMS developer guide, "Rotate AWS KMS keys")."""
    obstacles = (
        (key["KeyManager"] != "CUSTOMER", "AWS manages the key, and rotates it every year"),
        (key["KeySpec"] != "SYMMETRIC_DEFAULT", f"KMS rotates only symmetric keys, this one is {key['KeySpec']}"),
        (key["Origin"] != "AWS_KMS", f"the key's material isn't KMS's own ({key['Origin']}): rotate it where it is"),
        (key["KeyState"] != "Enabled", f"the key is {key['KeyState']}, and KMS rotates only enabled ones"),
        (_is_replica(key), f"the key is a replica: send its primary key, {_primary(key)}"),
    )
    return next((reason for stands, reason in obstacles if stands), None)


def _is_replica(key: Mapping[str, Any]) -> bool:
    return bool(key.get("MultiRegionConfiguration", {}).get("MultiRegionKeyType") == "REPLICA")


def _primary(key: Mapping[str, Any]) -> str | None:
    arn: str | None = key.get("MultiRegionConfiguration", {}).get("PrimaryKey", {}).get("Arn")
    return arn
