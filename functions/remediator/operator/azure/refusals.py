"""Turn what Table Storage refuses into a step that wasn't done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError, ResourceModifiedError, ResourceNotFoundError

from remediator.service.errors import NotDone

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reported() -> Iterator[None]:
    """Turn what Azure refuses into a step that wasn't done, but for what the callers expect by name."""
    try:
        yield
    except (ResourceModifiedError, ResourceNotFoundError):
        raise
    except HttpResponseError as error:
        code = getattr(error, "error_code", None) or error.status_code
        raise NotDone(f"Table Storage: {code}: {error.reason}") from None
    except AzureError as error:
        raise NotDone(f"Table Storage: {type(error).__name__}") from None
