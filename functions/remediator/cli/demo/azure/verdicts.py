"""Tell who answered on Azure, from the answer itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import HttpResponseError

from remediator.catalogue.azure.arm import ArmError
from remediator.cli.demo.board import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.vendor.transport import Reply


def of_call(by: str, call: Callable[[], object]) -> Verdict:
    """Return how a service answered a call of its SDK, or of our client of Resource Manager."""
    try:
        call()
    except HttpResponseError as error:
        code = getattr(error, "error_code", None) or getattr(error.error, "code", None)
        return Verdict(by, error.status_code or 0, str(getattr(code, "value", code)))
    except ArmError as error:
        return Verdict(by, error.status, error.code)
    return Verdict(by, 200, "allowed")


def of_entra(reply: Reply) -> Verdict:
    """Return how Entra answered a request for a token."""
    document: Any = json.loads(reply.body)
    if "access_token" in document:
        return Verdict("Entra", reply.status, "signed in")
    return Verdict("Entra", reply.status, "/".join(f"AADSTS{code}" for code in document["error_codes"]))
