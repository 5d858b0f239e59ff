"""Say what the operator's commands need of a deployment, whatever cloud it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.operator.aws.office import AwsOffice
    from remediator.operator.azure.office import AzureOffice
    from remediator.vendor import Client

CloudName: TypeAlias = Literal["aws", "azure"]
Made = TypeVar("Made")


class Office(Protocol):
    """Reach one deployment with the operator's own rights."""

    @property
    def cloud(self) -> CloudName:
        """Return the deployment's cloud."""

    @property
    def operator(self) -> str:
        """Return the unique id by which the remediator, and every record, knows the operator."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """Return what the deployment says of itself; raise `NoDeployment` if there is none."""

    def client(self) -> Client:
        """Return a client of the protocol: the operator signs like any caller."""


def on_each(office: Office, *, aws: Callable[[AwsOffice], Made], azure: Callable[[AzureOffice], Made]) -> Made:
    """Do what is done differently on each cloud, with all that the cloud's own office offers."""
    return aws(cast("AwsOffice", office)) if office.cloud == "aws" else azure(cast("AzureOffice", office))
