"""Put together what freezes a deployment on its cloud."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from remediator.operator.office import on_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.operator.aws.office import AwsOffice
    from remediator.operator.azure.office import AzureOffice
    from remediator.operator.office import Office
    from remediator.service.freeze import Freezer, Step

LEASE_AND_RUN: Final = 180
"""Seconds after which no run of the rotator that is at work now is still at work: a lease of 120, and a run of 60."""

PAUSE: Final = 5


def freezer_of(office: Office, tell: Callable[[Step], None]) -> Freezer:
    """Return what freezes and unfreezes a deployment; `tell` is given each step as it ends."""

    def on_aws(aws: AwsOffice) -> Freezer:
        from remediator.operator.aws.freeze import freezer  # noqa: PLC0415 - only the cloud's own SDK need be there

        return freezer(aws, tell, lambda: waits(LEASE_AND_RUN))

    def on_azure(azure: AzureOffice) -> Freezer:
        from remediator.operator.azure.freeze import RUN, freezer  # noqa: PLC0415 - as above

        return freezer(azure, tell, lambda: waits(RUN), time.time)

    return on_each(office, aws=on_aws, azure=on_azure)


def who(office: Office) -> str:
    """Return who signed in, as the cloud calls them: for people to read, nothing is decided by it."""

    def on_aws(aws: AwsOffice) -> str:
        return str(aws.service("sts").get_caller_identity()["Arn"])

    def on_azure(azure: AzureOffice) -> str:
        from remediator.operator.azure.freeze import signed_in  # noqa: PLC0415 - only the cloud's own SDK need be there

        return signed_in(azure.credential)

    return on_each(office, aws=on_aws, azure=on_azure)


def waits(seconds: int) -> Iterator[None]:
    """Wait a little before each item, for so many seconds in all."""
    for _ in range(seconds // PAUSE):
        time.sleep(PAUSE)
        yield
