"""Deactivate an access key of an IAM user."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.catalogue.aws.resources import ACCESS_KEY
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, ids

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from remediator.catalogue.spec import Target


class DeactivateAccessKey(Fix["IAMClient", "bool", NoParameters]):
    """Deactivate an access key of an IAM user.

    Whoever still signs with the key is refused from then on, everywhere and within seconds; IAM shows when it was used
    last. The key isn't deleted: a rollback makes it work again. The user's other key, password and sessions that were
    started with the key before stay as they are. Keys of the users that this deployment trusts are never touched.
    """

    id = "aws.iam.deactivate-access-key"
    target = ACCESS_KEY
    severity = Severity.MEDIUM
    service = "iam"
    reads = allow("iam:ListAccessKeys")
    writes = allow("iam:UpdateAccessKey")
    answers: ClassVar = {
        "cloudsploit": ids("accessKeysLastUsed"),
        "prowler": ids("iam_user_accesskey_unused"),
        "security-hub": ids("IAM.8", "IAM.22"),
    }
    examples = (Example(broken=True, fixed=False),)

    def read(self, client: IAMClient, target: Target) -> bool:
        """Return whether the key is active; raise `NotApplicable` if the user has no such key."""
        keys = client.list_access_keys(UserName=target["user"])["AccessKeyMetadata"]
        status = {key["AccessKeyId"]: key["Status"] for key in keys}.get(target["access_key"])
        if status is None:
            raise NotApplicable("the user has no access key of that id; it may have been deleted")
        return status == "Active"

    def desired(self, current: bool, parameters: NoParameters) -> bool:  # noqa: ARG002, FBT001 - a switch, and takes none
        """Return that it isn't."""
        return False

    def write(self, client: IAMClient, target: Target, before: bool, after: bool) -> None:  # noqa: ARG002, FBT001 - a switch
        """Switch the key on or off."""
        client.update_access_key(
            UserName=target["user"], AccessKeyId=target["access_key"], Status="Active" if after else "Inactive"
        )
