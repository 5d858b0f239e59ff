"""Put together what edits the customer's policy of a deployment on its cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.operator.freezing import who
from remediator.operator.office import on_each
from remediator.service.policy_edits import Editor

if TYPE_CHECKING:
    from remediator.operator.aws.office import AwsOffice
    from remediator.operator.azure.office import AzureOffice
    from remediator.operator.office import Office
    from remediator.service.policy_edits import PolicyStore


def editor_of(office: Office) -> Editor:
    """Return what reads and saves a deployment's policy, in the name of who signed in."""

    def on_aws(aws: AwsOffice) -> PolicyStore:
        from remediator.operator.aws.policy import PolicyItem  # noqa: PLC0415 - only the cloud's own SDK need be there

        return PolicyItem(aws.service("dynamodb"), aws.outputs["StateTable"])

    def on_azure(azure: AzureOffice) -> PolicyStore:
        from remediator.azure.windows_table import CONTROL_TABLE  # noqa: PLC0415 - as above
        from remediator.operator.azure.policy import PolicyEntity  # noqa: PLC0415 - as above

        return PolicyEntity(azure.table(CONTROL_TABLE))

    return Editor(on_each(office, aws=on_aws, azure=on_azure), office.cloud, who(office))
