"""Retry as the SDK does, but never wait past a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS: Final = 4
"""Calls besides the first."""


class BoundedRetry(RetryPolicy[HttpRequest, HttpResponse]):
    """Wait as long as the cloud asks for with `Retry-After`, else longer from try to try, while there is time left.

    What there is no time for is answered with what came: the caller learns that it was throttled.
    """

    def __init__(self, remaining: Callable[[], float], sleep: Callable[[float], None]) -> None:
        super().__init__(retry_total=ATTEMPTS, retry_status=ATTEMPTS)
        self._remaining = remaining
        self._wait = sleep

    def increment(self, settings: dict[str, Any], response: Any = None, error: Exception | None = None) -> bool:  # noqa: ANN401 - as the SDK has it
        """Count a try; tell whether there is another one, and time to wait for it."""
        if not super().increment(settings, response=response, error=error):
            return False
        return self._pause(settings, response) < self._remaining()

    def sleep(self, settings: dict[str, Any], transport: Any, response: Any = None) -> None:  # noqa: ANN401, ARG002 - as the SDK has it
        """Wait before the next try."""
        self._wait(self._pause(settings, response))

    def _pause(self, settings: dict[str, Any], response: Any) -> float:  # noqa: ANN401 - as the SDK has it
        asked = self.get_retry_after(response) if isinstance(response, PipelineResponse) else None
        return asked or self.get_backoff_time(settings)
