"""Keep the SDKs from writing secrets to its debug log."""

from __future__ import annotations

import logging
from typing import Final

SHOWING: Final = (
    "azure.core.pipeline.policies._universal",
    "botocore.auth",
    "botocore.client",
    "botocore.endpoint",
    "botocore.hooks",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.retries.standard",
    "botocore.retryhandler",
    "botocore.session",
    "urllib3.connectionpool",
)
"""The loggers that show bodies, headers or parameters at DEBUG: a seed record comes in a body."""


def hush() -> None:
    """Hold these loggers at WARNING, each by itself: turning `botocore` or the root to DEBUG doesn't wake them."""
    for name in SHOWING:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
