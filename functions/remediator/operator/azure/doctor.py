"""Examine what stands around a deployment on Azure, as far as its operator may see it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import AzureError

from remediator.catalogue.azure.arm import ArmError
from remediator.operator.azure.alarms import rules_of
from remediator.operator.doctor import REDEPLOY, Check, clock, looked
from remediator.vendor.clock import seconds_of
from remediator.vendor.errors import NotServed
from remediator.vendor.transport import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from remediator.operator.azure.office import AzureOffice
    from remediator.operator.condition import Condition

GROUPS_API: Final = "2023-01-01"
ENDS_SOON: Final = "credential-ends-soon"
ADMINISTRATOR: Final = "`remediator azure doctor`, as an administrator, says it."
_SIGN_IN: Final = "https://login.microsoftonline.com"


def checks(office: AzureOffice, condition: Condition) -> Iterator[Check]:
    """Yield the checks that only Azure has."""
    looks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("delivery", partial(_delivery, office, condition)),
        ("alarms' way", partial(_told, office)),
        ("Entra's clock", partial(_clock, office)),
    )
    for about, look in looks:
        yield looked(about, look, ArmError, AzureError, NotServed)
    yield _certificate(condition)
    yield Check("roles of the app", None, "the operator may not read them", ADMINISTRATOR)


def _delivery(office: AzureOffice, condition: Condition) -> Check:
    """Say what was deployed: seeds were read a moment ago; who else reads them only an administrator sees."""
    read = f"{office.outputs['Delivery']}: {len(condition.staged)} seed records are readable for the operator"
    fine = bool(condition.staged)
    return Check("delivery", fine, read, "" if fine else f"Rotate now: {condition.words.rotate}")


def _certificate(condition: Condition) -> Check:
    """Judge by the alarm about its end: the operator may read neither the vault nor the directory."""
    about = "certificate"
    states = [alarm.state for alarm in condition.alarms if alarm.name.endswith(ENDS_SOON)]
    if not states:
        return Check(about, False, "nothing watches its end: the alarm is missing", REDEPLOY)
    if "ALARM" in states:
        return Check(
            about, False, "ends within 21 days", "Run `remediator azure roll-credential`, as an administrator."
        )
    if "DISABLED" in states:
        return Check(about, False, "nothing watches its end: the alarm is switched off", "Switch the alarm on.")
    return Check(about, True, "doesn't end within 21 days, says the alarm that watches it")


def _told(office: AzureOffice) -> Check:
    """Tell whether every rule acts, and whether an action group that is on has a receiver."""
    rules = rules_of(office.arm, office.group)
    mute = [one["name"] for one in rules if not one["properties"].get("enabled", True) or not _groups(one)]
    if mute or not rules:
        return Check("alarms' way", False, f"{', '.join(mute) or 'all of them'} tell nobody or are missing", REDEPLOY)
    groups = sorted({group for one in rules for group in _groups(one)})
    heard = sum(receivers(office.arm.get(group, api=GROUPS_API)["properties"]) for group in groups)
    named = ", ".join(group.rpartition("/")[2] for group in groups)
    said = f"{len(rules)} alarms tell {named}, which {heard or 'no'} receivers hear"
    advice = "Install again with --alarm-email, or add a receiver to the action group."
    return Check("alarms' way", bool(heard), said, "" if heard else advice)


def _groups(rule: Mapping[str, Any]) -> list[str]:
    return list(rule["properties"].get("actions", {}).get("actionGroups", ()))


def receivers(group: Mapping[str, Any]) -> int:
    """Count whom a group tells, by whatever way; a group that is off tells nobody, and so does a disabled receiver."""
    if not group.get("enabled", True):
        return 0
    listed = [one for name, receivers in group.items() if name.endswith("Receivers") for one in receivers or ()]
    return sum(one.get("status", "Enabled") != "Disabled" for one in listed)


def _clock(office: AzureOffice) -> Check:
    url = f"{_SIGN_IN}/{office.outputs['Tenant']}/v2.0/.well-known/openid-configuration"
    shown = seconds_of(office.transport.send(Call("GET", url, {}, b"")).headers.get("date"))
    return clock("Entra's clock", None if shown is None else shown - time.time())
