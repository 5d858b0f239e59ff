"""Examine a deployment on Azure: its control item, its seed vault, its endpoint, Azure Monitor's alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.azure.windows_table import CONTROL_TABLE
from remediator.core.windows import open_at
from remediator.operator.azure.alarms import alarms_of
from remediator.operator.azure.control import ControlEntity
from remediator.operator.condition import Condition, Words
from remediator.vendor.errors import NoLiveSeed

if TYPE_CHECKING:
    from remediator.core.windows import Window
    from remediator.operator.azure.office import AzureOffice
    from remediator.vendor.azure_access import AzureAccess

_HOST_API: Final = "2024-04-01"


def examine(office: AzureOffice, now: float) -> Condition:
    """Look at everything that tells how the deployment is; reads only."""
    outputs, access = office.outputs, office.access()
    return Condition(
        now=now,
        cloud=office.cloud,
        outputs=outputs,
        words=Words(place=outputs["Location"], reader=outputs["Reader"], rotate=_rotate(office)),
        answers=office.client().health().gate,
        control=ControlEntity(office.table(CONTROL_TABLE)).read(),
        staged=tuple(window.number for window in open_at(now) if _has_seed(access, window, now)),
        opens=None,
        foreign=(),
        alarms=alarms_of(office.arm, office.group),
    )


def _has_seed(access: AzureAccess, window: Window, now: float) -> bool:
    """Tell whether the ring holds the window's own record; its seed is let go at once."""
    try:
        return access.read(window, now).record.window == window
    except NoLiveSeed:
        return False


def _rotate(office: AzureOffice) -> str:
    site = f"{office.group}/providers/Microsoft.Web/sites/{office.outputs['RotateApp']}"
    run = f"{site}/hostruntime/admin/functions/rotate_window?api-version={_HOST_API}"
    return f"az rest --method POST --uri '{run}' --body '{{\"input\": \"\"}}'"
