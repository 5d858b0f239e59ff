"""Install on Azure what a template alone can't."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remediator.cli.check_view import check_view, checks_document
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.options import command
from remediator.cli.places import GUID
from remediator.cli.speech import Speech

if TYPE_CHECKING:
    from remediator.azure_install.installation import Cloud
    from remediator.azure_install.plan import Site

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Install, examine and remove a deployment on Azure, as an administrator.\n\n"
        "Signs in as you are signed in: [cyan]az login[/cyan], environment variables, or a managed identity."
    ),
)

_WHERE = "Which deployment"
_WHO = "Who may call"
_WHAT = "What may be touched"
Subscription = Annotated[str, typer.Option(help="Id of the subscription.", rich_help_panel=_WHERE)]
Group = Annotated[str, typer.Option("--resource-group", help="A group of its own.", rich_help_panel=_WHERE)]


class Delivery(StrEnum):
    """Say how the vendor gets at codes."""

    automatic = "automatic"
    manual = "manual"


class OperatorType(StrEnum):
    """Say what the operator is; a group can't be one, since tokens name the person."""

    user = "User"
    service_principal = "ServicePrincipal"


@app.command()
@command
def install(  # noqa: PLR0913 - one per option
    *,
    subscription: Subscription,
    resource_group: Group,
    location: Annotated[str, typer.Option(help="Such as westeurope.", rich_help_panel=_WHERE)],
    reader: Annotated[str, typer.Option(help="Object id of the vendor's service principal.", rich_help_panel=_WHO)],
    operator: Annotated[str, typer.Option(help="Object id of your operator.", rich_help_panel=_WHO)],
    operator_type: Annotated[
        OperatorType, typer.Option(help="What the operator is.", rich_help_panel=_WHO)
    ] = OperatorType.service_principal,
    scope: Annotated[
        list[str],
        typer.Option(help="Id of a resource group or of the subscription; may be repeated.", rich_help_panel=_WHAT),
    ],
    fix: Annotated[
        list[str] | None,
        typer.Option(help="Id of a fix to enable; may be repeated. All by default.", rich_help_panel=_WHAT),
    ] = None,
    delivery: Annotated[
        Delivery,
        typer.Option(help="Whether the vendor reads seeds, or your operator passes codes on.", rich_help_panel=_WHO),
    ] = Delivery.automatic,
    vendor_rollback: Annotated[
        bool, typer.Option("--vendor-rollback", help="Let the vendor roll back too.", rich_help_panel=_WHO)
    ] = False,
    alarm_email: Annotated[str, typer.Option(help="Where alarms go.")] = "",
    notify_email: Annotated[str, typer.Option(help="Where each change is told.")] = "",
    account_alias: Annotated[
        str, typer.Option(help="What events and messages call the subscription; its id by default.")
    ] = "",
    watch_sign_ins: Annotated[
        bool,
        typer.Option("--watch-sign-ins", help="Ring for sign-ins that no request explains; needs the tenant's logs."),
    ] = False,
    vault_address: Annotated[
        list[str] | None, typer.Option(help="CIDR that alone reaches the seed vault; may be repeated.")
    ] = None,
    rotator_subnet: Annotated[str, typer.Option(help="Id of the subnet that the rotator goes out through.")] = "",
    retention_days: Annotated[int, typer.Option(min=30, max=3650, help="How long receipts are kept.")] = 400,
    template: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The ARM template.")] = Path(
        "infra/azure/azuredeploy.json"
    ),
    packages: Annotated[Path, typer.Option(help="Folder that `python -m infra.azure.package` wrote.")] = Path(
        ".build/azure"
    ),
    speech: Speech,
) -> None:
    """Install, or bring an installation up to date. Every step looks first: after a crash, run it again.

    What isn't named any more is taken away: callers, scopes, fixes.

    Example:  [cyan]remediator azure install --subscription … --resource-group remediation --location westeurope
    --reader … --operator … --scope /subscriptions/…/resourceGroups/shop[/cyan]
    """
    from remediator.azure_install.installation import Installation
    from remediator.azure_install.plan import Wanted
    from remediator.catalogue.registry import all_fixes

    wanted = Wanted(
        site=_site(subscription, resource_group),
        location=location,
        reader=reader,
        operator=operator,
        operator_type=operator_type.value,
        scopes=tuple(one.rstrip("/") for one in scope),
        fixes=tuple(sorted(fix or (one.id for one in all_fixes("azure")))),
        settings={
            "delivery": delivery.value,
            "vendorRollback": vendor_rollback,
            "alarmEmail": alarm_email,
            "notifyEmail": notify_email,
            "accountAlias": account_alias or subscription,
            "watchSignIns": watch_sign_ins,
            "vaultAddresses": vault_address or [],
            "rotatorSubnetId": rotator_subnet,
            "retentionDays": retention_days,
        },
    )
    _require_guids(reader=reader, operator=operator)
    objection = wanted.objection()
    if objection:
        raise Failed(f"{objection}.", exit=Exit.USAGE, next="`remediator azure install --help` shows an example.")
    _require_packages(packages)
    if wanted.reaches_itself():
        speech.note("Mind: roles on the whole subscription reach Remediator's own resource group too; that it never")
        speech.note("touches itself is then its own code's promise alone. Scopes of resource groups are stronger.")
    deployed, report = Installation(_connect(wanted.site, speech), wanted, template, packages).run()
    steps = [{"step": one.step, "changed": one.changed, "detail": one.detail} for one in report]
    outputs = dict(deployed.outputs)
    speech.answer({"outputs": outputs, "steps": steps}, *(f"{name:<16}{outputs[name]}" for name in sorted(outputs)))


@app.command()
@command
def doctor(*, subscription: Subscription, resource_group: Group, speech: Speech) -> None:
    """Look at everything an installation is made of, and say what to do next. Ends with 1 if something isn't right.

    Example:  [cyan]remediator azure doctor --subscription … --resource-group remediation[/cyan]
    """
    from remediator.azure_install.examination import examine

    findings = examine(_connect(_site(subscription, resource_group), speech))
    speech.answer({"findings": checks_document(findings)}, *(line for one in findings for line in check_view(one)))
    if not all(one.fine for one in findings):
        raise typer.Exit(Exit.NOT_FIXED)


@app.command("roll-credential")
@command
def roll_credential(
    *,
    subscription: Subscription,
    resource_group: Group,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the old certificate can go: 26 minutes at most.")
    ] = False,
    at_once: Annotated[
        bool,
        typer.Option("--at-once", help="Remove the old certificate now: its key was stolen. Closes the gate briefly."),
    ] = False,
    speech: Speech,
) -> None:
    """Give the remediator a new certificate; its key goes into the vault alone.

    The old one is removed when the last window that it is sealed for has passed: until then the command ends with 5;
    run it again, or use --wait. Run again at any time, it goes on where it stopped.

    Example:  [cyan]remediator azure roll-credential --subscription … --resource-group remediation --wait[/cyan]
    """
    from remediator.azure_install.credential import Phase, day_of

    cloud = _connect(_site(subscription, resource_group), speech)
    deployed = cloud.installed()
    keeper = cloud.keeper(deployed)
    rolled = keeper.roll(at_once=at_once)
    if rolled.begun:
        speech.note("done: new certificate registered, its key stored")
        cloud.apps.start_rotator(str(deployed.outputs["RotateApp"]))
    while wait and rolled.phase is Phase.WAITING:
        speech.note(f"waiting until {day_of(rolled.due)}")
        cloud.pause(max(rolled.due - cloud.clock(), 1.0))
        rolled = keeper.roll(at_once=False)
    finished = rolled.phase is Phase.FINISHED
    said = (
        "The old certificate is gone." if finished else f"Run again after {day_of(rolled.due)} to remove the old one."
    )
    speech.answer({"phase": rolled.phase.value, "begun": rolled.begun, "due": rolled.due}, said)
    if not finished:
        raise typer.Exit(Exit.NOT_NOW)


@app.command()
@command
def uninstall(
    *,
    subscription: Subscription,
    resource_group: Group,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    speech: Speech,
) -> None:
    """Stop the apps, remove roles and app registrations. Says what it keeps, and why.

    Example:  [cyan]remediator azure uninstall --subscription … --resource-group remediation[/cyan]
    """
    from remediator.azure_install.removal import KEPT
    from remediator.azure_install.removal import uninstall as remove

    cloud = _connect(_site(subscription, resource_group), speech)
    if not yes and not speech.agreed(f"Remove Remediator from {resource_group}?"):
        raise Failed("Nothing was removed.", exit=Exit.USAGE, next="Say --yes to remove it without being asked.")
    report = remove(cloud)
    removed = [{"step": one.step, "removed": one.changed} for one in report]
    speech.answer({"steps": removed, "kept": list(KEPT)}, "Kept:", *(f"  {one}" for one in KEPT))


def _site(subscription: str, group: str) -> "Site":
    from remediator.azure_install.plan import Site

    _require_guids(subscription=subscription)
    return Site(subscription, group)


def _connect(site: "Site", speech: Speech) -> "Cloud":
    """Return the cloud as the signed-in administrator reaches it."""
    from remediator.azure_install.installation import Cloud
    from remediator.cli.azure_place import AzurePlace

    return Cloud(AzurePlace(site.subscription, site.group, None).credential("admin"), site, speech.note)


def _require_guids(**given: str) -> None:
    for name, value in given.items():
        if not GUID.fullmatch(value):
            raise Failed(
                f"--{name} {value!r} is no GUID.", exit=Exit.USAGE, next="Ids look like 8-4-4-4-12 hex digits."
            )


def _require_packages(folder: Path) -> None:
    missing = [role for role in ("rotate", "remediate") if not (folder / f"{role}.zip").is_file()]
    if missing:
        raise Failed(
            f"{folder} has no package of {', '.join(missing)}.",
            exit=Exit.USAGE,
            next="Run `python -m infra.azure.package` first, or name its folder with --packages.",
        )
