"""Look at everything an installation is made of, and say of each thing what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.azure.callers import OPERATOR_ROLE, READER_ROLE
from remediator.azure.stored_credential import SOON
from remediator.azure_install.credential import day_of, last_use_of_older
from remediator.azure_install.directory import API, REMEDIATOR
from remediator.azure_install.installation import APPS
from remediator.azure_install.roles import custom_roles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.azure_install.deployments import Deployed
    from remediator.azure_install.installation import Cloud

INSTALL: Final = "Run `remediator azure install` again, as it was run before."
ROLL: Final = "Run `remediator azure roll-credential`."


@dataclass(frozen=True, slots=True)
class Finding:
    """Say how one thing is, and what to do if it isn't right."""

    about: str
    fine: bool
    said: str
    next: str = ""


def examine(cloud: Cloud) -> list[Finding]:
    """Return how everything is; what can't be looked at without a thing that is missing is left out."""
    deployed = cloud.deployments.current()
    findings = [_deployment(deployed)]
    registered = [_registration(cloud, kind) for kind in (API, REMEDIATOR)]
    findings += registered
    if deployed is None or deployed.state != "Succeeded" or not all(one.fine for one in registered):
        return findings
    return [*findings, *_identities(cloud, deployed), *_callers(cloud, deployed), *_apps(cloud, deployed)]


def _deployment(deployed: Deployed | None) -> Finding:
    if deployed is None:
        return Finding("deployment", False, "there is none in this resource group", "Run `remediator azure install`.")
    fine = deployed.state == "Succeeded"
    return Finding("deployment", fine, deployed.state.lower(), "" if fine else INSTALL)


def _registration(cloud: Cloud, kind: str) -> Finding:
    about = f"{kind} app registration"
    found = cloud.directory.registration(kind)
    if found is None:
        return Finding(about, False, "is missing", INSTALL)
    if cloud.directory.principal(found["appId"]) is None:
        return Finding(about, False, "has no service principal", INSTALL)
    return Finding(about, True, found["appId"])


def _identities(cloud: Cloud, deployed: Deployed) -> Iterator[Finding]:
    """Yield whether what was deployed is for these registrations, and how the credential and the roles are."""
    app_ids = {kind: (cloud.directory.registration(kind) or {}).get("appId") for kind in (API, REMEDIATOR)}
    given = (deployed.parameters.get("apiAudience"), deployed.parameters.get("remediatorAppId"))
    same = given == (app_ids[API], app_ids[REMEDIATOR])
    yield Finding("settings", same, "name these registrations" if same else "name others", "" if same else INSTALL)
    yield from _credential(cloud, deployed)
    yield _roles(cloud, deployed, str(app_ids[REMEDIATOR]))


def _credential(cloud: Cloud, deployed: Deployed) -> Iterator[Finding]:
    keeper = cloud.keeper(deployed)
    stored, registered, now = keeper.stored(), keeper.certificates(), cloud.clock()
    if stored is None:
        yield Finding("credential", False, "the vault holds none", INSTALL)
        return
    if stored.thumbprint not in registered:
        yield Finding("credential", False, "the vault's certificate isn't registered: nothing can sign in", INSTALL)
        return
    left = stored.until - now
    said = f"ends {day_of(stored.until)}"
    yield Finding("credential", left > SOON, said, "" if left > SOON else ROLL)
    if registered.keys() - {stored.thumbprint}:
        late = now >= last_use_of_older(stored.since)
        advice = "to remove it." if late else f"after {day_of(last_use_of_older(stored.since))} to remove it."
        yield Finding("old certificate", not late, "is still registered", f"{ROLL.removesuffix('.')} {advice}")


def _roles(cloud: Cloud, deployed: Deployed, app_id: str) -> Finding:
    principal = (cloud.directory.principal(app_id) or {})["id"]
    scopes = deployed.parameters["scopes"]
    roles = custom_roles(cloud.site, deployed.parameters["fixes"])
    changed = [role.name for role in roles if not cloud.roles.is_current(role, scopes)]
    wanted = {one.lower() for one in cloud.roles.wanted(principal, roles, scopes)}
    held = cloud.roles.held(principal).keys()
    wrong = [
        *(f"{name} isn't as the catalogue says" for name in changed),
        *(f"{one} is missing" for one in sorted(wanted - held)),
        *(f"{one} is too much" for one in sorted(held - wanted)),
    ]
    said = "; ".join(wrong) or f"{len(roles)} in {len(scopes)} scopes, and no other"
    return Finding("roles", not wrong, said, INSTALL if wrong else "")


def _callers(cloud: Cloud, deployed: Deployed) -> Iterator[Finding]:
    api = cloud.directory.registration(API) or {}
    principal = cloud.directory.principal(api["appId"]) or {}
    held = cloud.directory.assigned(principal["id"])
    given = {READER_ROLE: deployed.parameters["readerObjectId"], OPERATOR_ROLE: deployed.parameters["operatorObjectId"]}
    wanted = {(who.lower(), cloud.directory.role_id(role)) for role, who in given.items()}
    fine = held == wanted
    said = (
        "reader and operator, and nobody else"
        if fine
        else f"{len(held - wanted)} too many, {len(wanted - held)} missing"
    )
    yield Finding("callers", fine, said, "" if fine else INSTALL)


def _apps(cloud: Cloud, deployed: Deployed) -> Iterator[Finding]:
    for role, name in APPS.items():
        digest = cloud.apps.published(str(deployed.outputs[name]))
        said = f"package {digest[:12]}" if digest else "runs no package of ours"
        yield Finding(f"{role} app", bool(digest), said, "" if digest else INSTALL)
