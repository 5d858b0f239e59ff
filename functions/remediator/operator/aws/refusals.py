"""Turn what AWS refuses into a step that wasn't done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from remediator.service.errors import NotDone

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reported() -> Iterator[None]:
    """Turn what AWS refuses, or what gets lost, into a step that wasn't done."""
    try:
        with refused():
            yield
    except BotoCoreError as error:
        raise NotDone(str(error)) from None


@contextmanager
def refused() -> Iterator[None]:
    """Turn what AWS refuses into a step that wasn't done, but for what the callers expect by name."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in ("ConditionalCheckFailedException", "NoSuchEntity", "TooManyRequestsException"):
            raise
        raise NotDone(f"{error.operation_name}: {code}: {error.response.get('Error', {}).get('Message')}") from None
