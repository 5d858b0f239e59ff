"""Make a believable mess of functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.local import mess_parts
from remediator.local.offences import Innocent, Made, Offence
from remediator.vendor.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable


def make(client: Callable[[str], Any], region: str, account: str) -> Made:
    """Make a function that everybody may call, and one that only the company's bucket may."""
    role = mess_parts.role(client("iam"), "acme-functions")
    public = {"Principal": "*"}
    uploads = {
        "Principal": "s3.amazonaws.com",
        "SourceArn": f"arn:aws:s3:::acme-reports-{account}",
        "SourceAccount": account,
    }
    invoke = {"Action": "lambda:InvokeFunction"}
    url = {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
    permissions = {
        "acme-thumbnails": {"quick-test": invoke | public, "uploads": invoke | uploads, "url": url | public},
        "acme-invoices": {"uploads": invoke | uploads},
    }
    for name, wanted in permissions.items():
        mess_parts.function(client("lambda"), name, role, wanted)
    targets = {name: {"arn": f"arn:aws:lambda:{region}:{account}:function:{name}"} for name in permissions}
    return [
        Offence(
            "a function that everybody may call, by its name and by its URL",
            Finding(finding="cloudsploit:lambdaPublicAccess", target=targets["acme-thumbnails"]),
        )
    ], [Innocent("a function that one bucket calls", "aws.lambda.remove-public-permission", targets["acme-invoices"])]
