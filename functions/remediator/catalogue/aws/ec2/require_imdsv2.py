"""Let an instance give out its metadata, and its role's credentials, only to who has asked for a session first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import EC2_INSTANCE
from remediator.catalogue.errors import NotApplicable, Underway
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, allow_on_all, ids

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from remediator.catalogue.spec import Target

Options: TypeAlias = dict[str, Any]
"""EC2's own names: whether the endpoint answers at all, and whether it asks for a session's token."""

OPTIONS: Final = ("HttpEndpoint", "HttpTokens")
GONE: Final = ("shutting-down", "terminated")


def options(endpoint: str, tokens: str) -> Options:
    """Return a state."""
    return {"HttpEndpoint": endpoint, "HttpTokens": tokens}


class RequireImdsv2(Fix["EC2Client", "Options", NoParameters]):
    """Require sessions (IMDSv2) of who reads an EC2 instance's metadata.

    Programs on the instance that read its metadata without a session get no answer any more, and no credentials of its
    role: SDKs and agents from before November 2019, and scripts that call the endpoint with a bare `curl`. CloudWatch
    counts such calls beforehand, as `MetadataNoToken`. Hop limit, tags in the metadata and IPv6 stay as they are: with
    a hop limit of 1, containers that have a network of their own get no session, and so no metadata any more.

    An instance whose endpoint is switched off answers nobody and is left as it is, although Security Hub looks at the
    tokens alone.
    """

    id = "aws.ec2.require-imdsv2"
    target = EC2_INSTANCE
    severity = Severity.HIGH
    service = "ec2"
    asynchronous = True
    reads = allow_on_all("ec2:DescribeInstances")
    writes = allow("ec2:ModifyInstanceMetadataOptions")
    answers: ClassVar = {
        "cloudsploit": ids("ec2MetadataOptions"),
        "prowler": ids("ec2_instance_imdsv2_enabled"),
        "security-hub": ids("EC2.8"),
    }
    examples = (
        Example(
            broken=options("enabled", "optional"),
            fixed=options("enabled", "required"),
            others=(options("disabled", "required"), options("disabled", "optional")),
        ),
    )

    def read(self, client: EC2Client, target: Target) -> Options:
        """Return the two options; raise `Underway` until they hold, `NotApplicable` if the instance is gone."""
        answer = client.describe_instances(InstanceIds=[target["instance"]])
        instance = answer["Reservations"][0]["Instances"][0]
        state = instance["State"]["Name"]
        if state in GONE:
            raise NotApplicable(f"the instance is {state}")
        found = instance["MetadataOptions"]
        if found.get("State") == "pending":
            raise Underway("the options don't hold yet")
        return options(found["HttpEndpoint"], found["HttpTokens"])

    def desired(self, current: Options, parameters: NoParameters) -> Options:  # noqa: ARG002 - takes none
        """Return the options with tokens required, unless the endpoint is off."""
        return current if current["HttpEndpoint"] == "disabled" else current | {"HttpTokens": "required"}

    def write(self, client: EC2Client, target: Target, before: Options, after: Options) -> None:
        """Say what changes; EC2 keeps what isn't said."""
        changed = {name: after[name] for name in OPTIONS if after[name] != before[name]}
        client.modify_instance_metadata_options(InstanceId=target["instance"], **changed)
