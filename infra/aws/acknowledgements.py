"""Say why each finding of cdk-nag is right as it is; all of them are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import Acknowledgment, Validations

from infra.aws import names
from remediator.catalogue.registry import all_fixes
from remediator.catalogue.spec import Home

if TYPE_CHECKING:
    from aws_cdk import Stack

_ARN: Final = "arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}"
_HOME: Final = Home("<AWS::Partition>", "<AWS::AccountId>")

_RING: Final = "The rotator rewrites the secret every half hour; Secrets Manager's own rotation needs four hours."
_ROLLED: Final = "Rolled by `remediator roll-gate`, since the trust policy must change with it."
_RUNTIME: Final = (
    "The assets' bytecode is compiled for Python 3.13 and the tests run it; AWS supports it until June 2029."
)
_OWN_STREAMS: Final = "The streams of the function's own log group: Lambda makes up their names."


def reasons() -> dict[str, dict[str, str]]:
    """Return construct → finding → why it is right as it is."""
    return {
        **{f"Seed{slot}": {"AwsSolutions-SMG4": _RING} for slot in range(6)},
        "Reader": {
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/SecurityAudit]": (
                "The vendor audits; AWS keeps the list of what auditing takes. A test pins what it may read of ours."
            ),
        },
        "Operator": {
            _resource("cloudformation", f"stack/{names.STACK}/*"): "One stack: its id ends in a random UUID.",
            _resource("dynamodb", f"table/{names.RECEIPTS_TABLE}*"): "Former deployments' evidence stays, and is read.",
            _resource("kms", "key/*"): "Former deployments' keys: through DynamoDB, for tables of receipts alone.",
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iam::<AWS::AccountId>:policy/{names.WRITE_ROLE}-*]": (
                "How many policies hold the fixes' permissions depends on how many there are; it only reads."
            ),
            _resource("cloudwatch", "alarm:*"): "DescribeAlarms without names is asked of all alarms; it only reads.",
        },
        "Rotator": {
            "AwsSolutions-IAM5[Resource::*]": (
                "BatchGetSecretValue knows no resource; GetSecretValue, granted on the six secrets, decides on each."
            ),
            _streams(names.ROTATE_FUNCTION): _OWN_STREAMS,
        },
        "RemediatorRole": {_streams(names.REMEDIATE_FUNCTION): _OWN_STREAMS},
        "WriteBoundary": {
            "AwsSolutions-IAM5[Resource::*]": (
                "A boundary grants nothing: it is the most that can be granted, and names the actions."
            ),
        },
        "WriteGrant0": {
            "AwsSolutions-IAM5[Resource::*]": "Actions that AWS can't narrow to a resource; bound to regions.",
            **dict.fromkeys(
                _customer_resources(),
                "What will be found isn't known here; the policy of each session names its request's targets.",
            ),
        },
        "DeadLetters": {"AwsSolutions-SQS3": "This is the dead-letter queue; an alarm rings when something is in it."},
        "Watcher": {_streams(names.WATCH_FUNCTION): _OWN_STREAMS},
        "Rotate": {"AwsSolutions-L1": _RUNTIME},
        "Watch": {"AwsSolutions-L1": _RUNTIME},
        "Remediate": {"AwsSolutions-L1": _RUNTIME},
    }


def acknowledge(stack: Stack) -> None:
    """Acknowledge what is listed, on the constructs that it is listed for."""
    sealed = {names.GATE_SECRET_ID: {"AwsSolutions-SMG4": _ROLLED}}
    there = sealed if stack.node.try_find_child(names.GATE_SECRET_ID) else {}
    for construct, findings in (reasons() | there).items():
        acknowledged = [Acknowledgment(id=finding, reason=reason) for finding, reason in findings.items()]
        Validations.of(stack.node.find_child(construct)).acknowledge(*acknowledged)


def _customer_resources() -> list[str]:
    """Return the findings on the patterns by which the catalogue names customers' resources."""
    kinds = {fix.target.title: fix.target for fix in all_fixes("aws")}
    patterns = {pattern for kind in kinds.values() for pattern in kind.patterns(_HOME) if "*" in pattern}
    return [f"AwsSolutions-IAM5[Resource::{pattern}]" for pattern in sorted(patterns)]


def _streams(function: str) -> str:
    return _resource("logs", f"log-group:{names.log_group(function)}:*")


def _resource(service: str, resource: str) -> str:
    return f"AwsSolutions-IAM5[Resource::{_ARN.format(service=service, resource=resource)}]"
