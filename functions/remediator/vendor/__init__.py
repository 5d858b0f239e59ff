"""Stand on the vendor's side: assume the reader role, read the record, derive the code, sign, call.

    from remediator.vendor.aws_access import reader_access  # on Azure: azure_access.AzureAccess, AzureDeployment

    deployment = Deployment.from_outputs(outputs)
    client = Client(deployment, reader_access(deployment))
    answer = client.plan([Finding(fix="aws.s3.block-public-access", target={"arn": "arn:aws:s3:::bucket", ...})])

What reaches a cloud isn't imported here, so that nobody needs the other cloud's SDK.

Nothing is ever written to disk. `remediator.vendor.errors` names what may be the case instead of an answer.
"""

from remediator.vendor.answers import Answer, Result
from remediator.vendor.client import Client
from remediator.vendor.deployment import Deployment
from remediator.vendor.findings import Finding
from remediator.vendor.patience import Patience

__all__ = ["Answer", "Client", "Deployment", "Finding", "Patience", "Result"]
