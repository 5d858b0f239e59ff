"""Keep what is overwritten or deleted in a bucket as older versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from remediator.catalogue.aws.resources import S3_BUCKET
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, NoParameters, OneWay, Severity, allow, ids

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from remediator.catalogue.spec import Target

State: TypeAlias = dict[str, Any]
"""`status`, None where the bucket was never versioned, and whether changing it takes the root user's MFA device."""


def versioning(status: str | None, *, mfa_delete: bool = False) -> State:
    """Return a state."""
    return {"status": status, "mfa_delete": mfa_delete}


class EnableVersioning(OneWay["S3Client", State, NoParameters]):
    """Keep what is overwritten or deleted in a bucket as older versions.

    Older versions are stored, and paid for, until somebody deletes them or a lifecycle rule does; a deletion leaves a
    marker, and a bucket with nothing but versions in it can't be deleted. Lifecycle rules that expire objects keep them
    as older versions from now on. It may take 15 minutes until S3 keeps every version after the first time.
    """

    id = "aws.s3.enable-versioning"
    target = S3_BUCKET
    severity = Severity.LOW
    service = "s3"
    why = (
        "S3 never makes a bucket unversioned again, versioning can only be suspended. "
        "Where it was suspended before, it goes back to that."
    )
    reads = allow("s3:GetBucketVersioning")
    writes = allow("s3:PutBucketVersioning")
    answers: ClassVar = {
        "cloudsploit": ids("bucketVersioning"),
        "prowler": ids("s3_bucket_object_versioning"),
        "security-hub": ids("S3.14"),
    }
    examples = (
        Example(broken=versioning(None), fixed=versioning("Enabled"), others=(versioning("Suspended"),)),
        Example(broken=versioning("Suspended"), fixed=versioning("Enabled")),
    )

    def read(self, client: S3Client, target: Target) -> State:
        """Return whether older versions are kept, and whether that is locked."""
        found = client.get_bucket_versioning(Bucket=target["bucket"], ExpectedBucketOwner=target.account)
        return versioning(found.get("Status"), mfa_delete=found.get("MFADelete") == "Enabled")

    def desired(self, current: State, parameters: NoParameters) -> State:  # noqa: ARG002 - takes none
        """Return versioning switched on; raise `NotApplicable` where only the root user's device can do that."""
        if current["status"] != "Enabled" and current["mfa_delete"]:
            raise NotApplicable("MFA delete is on: versioning can be changed by the root user alone, with its device")
        return current | {"status": "Enabled"}

    def goes_back(self, before: State) -> bool:
        """Tell whether versioning was suspended, to which it can go back."""
        return before["status"] is not None

    def write(self, client: S3Client, target: Target, before: State, after: State) -> None:  # noqa: ARG002 - a switch
        """Switch versioning; of MFA delete nothing is said, so it stays."""
        client.put_bucket_versioning(
            Bucket=target["bucket"],
            ExpectedBucketOwner=target.account,
            VersioningConfiguration={"Status": after["status"]},
        )
