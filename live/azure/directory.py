"""Ask Entra what the sealed credential and the callers' check rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from live.azure.people import EVERY, KNOWN_WITHIN, App, make_api
from live.azure.workshop import SPREADS_WITHIN
from live.verdicts import Making, Probe, Verdict, judged
from live.workshop import Slow
from remediator.azure.arm_client import ArmClient
from remediator.azure.callers import READER_ROLE, Callers
from remediator.azure.settings import RemediateSettings
from remediator.catalogue.spec import Home
from remediator.service.requests import Role
from remediator.service.scope import Scope

if TYPE_CHECKING:
    from live.azure.people import Registered
    from live.azure.workshop import AzureWorkshop
    from remediator.azure_install.certificates import Made

ENDS_WITHIN: Final = 900.0
"""Seconds within which a removed certificate signs in no more: `roll-credential --at-once` is for a stolen one."""

LONGEST_TOKEN: Final = 90.0
"""Minutes that a token lives at most, as the threat model has it."""

_UNKNOWN_API: Final = "AADSTS500011"
_NOT_ASSIGNED: Final = "AADSTS501051"


def certificate(shop: AzureWorkshop) -> Verdict:
    """Add a certificate, then another beside it, then remove the first, and sign in with both meanwhile."""
    app = App.make(shop)
    try:
        first = app.certificate()
        known = [shop.until(lambda: app.signs_in(first), most=KNOWN_WITHIN, every=EVERY)]
        second = app.certificate()
        known.append(shop.until(lambda: app.signs_in(second), most=KNOWN_WITHIN, every=EVERY))
        beside = app.signs_in(first)
        app.directory.keep_certificates({second.thumbprint})
        ended = shop.until(lambda: not app.signs_in(first), most=ENDS_WITHIN, every=EVERY)
        stays = app.signs_in(second)
    except Slow as slow:
        return judged(f"a certificate that was added, or removed, counts {slow}", {}, holds=False)
    seen = f"a new one signs in after {max(known):.0f} s at most, a removed one no more after {ended:.0f} s"
    seen += "" if beside else "; adding one ENDED the other"
    seen += "" if stays else "; removing one ENDED the other"
    figures = {"known_s": [round(one, 1) for one in known], "ended_s": round(ended, 1)}
    return judged(seen, figures, holds=beside and stays)


def token_life(shop: AzureWorkshop) -> Verdict:
    """Get a token for Resource Manager as an app, and look until when it lives."""
    app = App.make(shop)
    try:
        credential = app.signed_in()
    except Slow as slow:
        return judged(f"the certificate to try it with signs in {slow}", {}, holds=False)
    minutes = (credential.get_token(ArmClient.SCOPE).expires_on - shop.now()) / 60
    return judged(f"a token lives {minutes:.0f} minutes", {"minutes": round(minutes)}, holds=minutes <= LONGEST_TOKEN)


def caller_token(shop: AzureWorkshop) -> Verdict:
    """Ask for a token for an API like ours, without its role and with it, and let our own check judge the token."""
    directory, api = make_api(shop)
    app, scope = App.make(shop), f"{api.app}/.default"
    made = app.certificate()
    try:
        shop.until(lambda: app.signs_in(made), most=KNOWN_WITHIN, every=EVERY)
        shop.until(lambda: app.refusal(made, scope) != _UNKNOWN_API, most=KNOWN_WITHIN, every=EVERY)
        without = app.refusal(made, scope)
        directory.assign(api.principal, {READER_ROLE: app.registered.principal})
        took = shop.until(lambda: not app.refusal(made, scope), most=SPREADS_WITHIN, every=EVERY)
    except Slow as slow:
        return judged(f"a token for the API is given {slow}", {}, holds=False)
    role = _judged(shop, api, app, made)
    asked = "refused without the role" if without == _NOT_ASSIGNED else f"WITHOUT the role: {without or 'given'}"
    seen = f"{asked}; given {took:.0f} s after it was assigned; our check says {role.value}"
    figures = {"given_s": round(took, 1), "without": without, "role": role.value}
    return judged(seen, figures, holds=without == _NOT_ASSIGNED and role is Role.READER)


def _judged(shop: AzureWorkshop, api: Registered, app: App, made: Made) -> Role:
    """Return what the remediator takes the bearer of the app's token for."""
    token = app.credential(made).get_token(f"{api.app}/.default").token
    return Callers(_settings(shop, api, app)).principal(f"Bearer {token}").role


def _settings(shop: AzureWorkshop, api: Registered, app: App) -> RemediateSettings:
    """Return settings of a remediator whose reader is the app; the check looks at the callers' alone."""
    return RemediateSettings(
        deployment="",
        identity="",
        tables="",
        tenant=shop.me.tenant,
        app_id="",
        audience=api.app,
        reader=app.registered.principal,
        reader_app=app.registered.app,
        operator=shop.me.id,
        operator_app="",
        vendor_rollback=False,
        retention_days=0,
        admission_vault="",
        event_topic="",
        account_alias="",
        scope=Scope(home=Home("azure", shop.subscription), regions=frozenset(), fixes=frozenset(), own=(), within=()),
    )


PROBES: Final = (
    Probe(
        "certificate",
        f"a certificate added by Graph signs in within {KNOWN_WITHIN:.0f} s beside the other, and a removed one ends",
        Making(("1 app registration with two certificates",), 5),
        certificate,
    ),
    Probe(
        "token-life",
        f"a token of the app's lives {LONGEST_TOKEN:.0f} minutes at most",
        Making(("1 app registration with a certificate",), 2),
        token_life,
    ),
    Probe(
        "caller-token",
        "Entra gives a token for the API to nobody without its role, and our check knows its bearer",
        Making(("2 app registrations, one with a certificate",), 5),
        caller_token,
    ),
)
