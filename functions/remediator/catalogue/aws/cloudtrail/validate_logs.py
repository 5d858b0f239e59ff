"""Sign what a trail delivers, so that a changed or missing log file shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from remediator.catalogue.aws.resources import TRAIL
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, ids

if TYPE_CHECKING:
    from remediator.catalogue.spec import Target


class ValidateLogs(Fix[Any, bool, NoParameters]):
    """Sign what a trail delivers, so that a changed or missing log file shows.

    Every hour CloudTrail delivers one more file to the trail's bucket, with the digests of the log files. Only what is
    delivered from now on can be validated, and not what was delivered while validation was off. A trail of several
    regions is changed in its home region, which its ARN names, and so is changed in all; one of an organization is
    changed for all accounts, and from its management account only.
    """

    id = "aws.cloudtrail.validate-logs"
    target = TRAIL
    severity = Severity.MEDIUM
    service = "cloudtrail"
    reads = allow("cloudtrail:GetTrail")
    writes = allow("cloudtrail:UpdateTrail")
    answers: ClassVar = {
        "cloudsploit": ids("cloudtrailFileValidation"),
        "prowler": ids("cloudtrail_log_file_validation_enabled"),
        "security-hub": ids("CloudTrail.4"),
    }
    examples = (Example(broken=False, fixed=True),)

    def read(self, client: Any, target: Target) -> bool:  # noqa: ANN401 - CloudTrail's client
        """Return whether log files are signed."""
        return bool(client.get_trail(Name=target.id)["Trail"].get("LogFileValidationEnabled"))

    def desired(self, current: bool, parameters: NoParameters) -> bool:  # noqa: ARG002, FBT001 - takes none; a switch is its state
        """Return yes."""
        return True

    def write(self, client: Any, target: Target, before: bool, after: bool) -> None:  # noqa: ANN401, ARG002, FBT001 - CloudTrail's client; a switch is its state
        """Switch it; what isn't said of a trail stays."""
        client.update_trail(Name=target.id, EnableLogFileValidation=after)
