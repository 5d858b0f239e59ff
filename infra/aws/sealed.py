"""Make a sealed gate: its one value, drawn by CloudFormation, in a secret and in a trust policy that never changes.

No template, parameter or output shows the value. A generation is part of the secret's name: a new one makes a new
secret with a new value, which CloudFormation brings into the trust policy before it deletes the old one.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import CfnParameter
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.aws import names
from infra.aws.arns import table_arn
from infra.aws.statements import allow, trust
from remediator.aws import sealed_gate
from remediator.core.gate import FIXED_BYTES

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from infra.aws.statements import Conditions, Statement

NOT_HEXADECIMAL: Final = "".join(letter for letter in string.ascii_lowercase if letter not in string.hexdigits)


@dataclass(frozen=True, slots=True)
class SealedValue:
    """Hold the ARN of the secret in which the gate's one value is."""

    secret: str

    def trust(self, remediator: iam.CfnRole) -> dict[str, Any]:
        """Return the write role's trust policy: the remediator's role, with the value."""
        value = f"{{{{resolve:secretsmanager:{self.secret}:SecretString}}}}"
        return trust({"AWS": remediator.attr_arn}, when={"StringEquals": {"sts:ExternalId": value}})

    def move(self) -> list[Statement]:
        """Let the rotator read the value and write pads, and nothing else of a window a second time."""
        pads: Conditions = {
            "ForAllValues:StringEquals": {"dynamodb:Attributes": list(sealed_gate.TOUCHED)},
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["window/*"]},
            "Null": {"dynamodb:Attributes": "false", "dynamodb:LeadingKeys": "false"},
            "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
        }
        return [
            allow("ReadGateValue", sealed_gate.USES_VALUE, [self.secret]),
            allow("LayPads", sealed_gate.USES_PADS, [table_arn(names.STATE_TABLE)], when=pads),
        ]


def make_sealed_value(scope: Construct, key: kms.Key) -> SealedValue:
    """Make the secret, and the parameter that `remediator roll-gate` changes."""
    generation = CfnParameter(
        scope,
        names.GATE_GENERATION,
        default="1",
        allowed_pattern="[1-9][0-9]{0,8}",
        description="Counted up by `remediator roll-gate`: a new generation has a new external id",
    )
    secret = secretsmanager.CfnSecret(
        scope,
        names.GATE_SECRET_ID,
        name=f"{names.GATE_SECRET}/{generation.value_as_string}",
        description="The external id for which the write role opens; read by the rotator, written by nobody",
        kms_key_id=key.key_arn,
        generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
            password_length=2 * FIXED_BYTES,
            exclude_characters=NOT_HEXADECIMAL,
            exclude_uppercase=True,
            exclude_punctuation=True,
            include_space=False,
            require_each_included_type=False,
        ),
    )
    return SealedValue(secret.ref)
