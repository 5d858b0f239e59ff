"""Build the environment variables of a worker.

https://learn.microsoft.com/azure/azure-functions/functions-app-settings
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from remediator.local.azure.inside import trust
from remediator.local.azure.places import LOCATION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from remediator.local.azure.apps.app import FunctionApp

_LIBRARIES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def variables(app: FunctionApp, authority: Path, identity: Mapping[str, str]) -> dict[str, str]:
    """Return the platform's own variables over the app's settings: an app can't set those.

    Those that trust our certificates are the ones that Azure doesn't set.
    """
    platform = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/home",
        "TZ": "UTC",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Production",
        "AzureWebJobsScriptRoot": str(app.folder),
        "FUNCTIONS_EXTENSION_VERSION": "~4",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "REGION_NAME": LOCATION,
        "WEBSITE_HOSTNAME": app.host,
        "WEBSITE_SITE_NAME": app.name,
        "WEBSITE_SKU": "FlexConsumption",
    }
    kept = {name: os.environ[name] for name in _LIBRARIES if name in os.environ}
    return {**kept, **app.settings, **platform, **identity, **trust(authority)}
