"""Stand on the vendor's side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.options import calling_command
from remediator.cli.places import Place
from remediator.cli.speech import Speech
from remediator.core.errors import Malformed

if TYPE_CHECKING:
    from remediator.vendor import Client

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Do what the vendor's side does: assume the reader role, read the seed record, derive the code, sign, call."
        "\n\nOn Azure: [cyan]--cloud azure[/cyan]; you sign in as the vendor's app does."
        "\n\nNothing is written to disk."
    ),
)

_FINDING = "What to repair"
File = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]",
        help='Findings as JSON: a list, or {"findings": [...]}; - is standard input.',
        show_default=False,
    ),
]
Fix = Annotated[str | None, typer.Option(help="A fix's id.", rich_help_panel=_FINDING)]
FindingName = Annotated[
    str | None,
    typer.Option("--finding", help="A scanner's finding in place of --fix: prowler:…", rich_help_panel=_FINDING),
]
Target = Annotated[
    list[str] | None,
    typer.Option(help="ARN, or Azure's id, of a resource; may be repeated.", rich_help_panel=_FINDING),
]
TargetRegion = Annotated[
    str | None, typer.Option(help="Where the ARN names no region: S3 buckets.", rich_help_panel=_FINDING)
]
Parameter = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="May be repeated.", rich_help_panel=_FINDING)
]
Acknowledge = Annotated[
    bool, typer.Option("--acknowledge-irreversible", help="Accept that it can't be undone.", rich_help_panel=_FINDING)
]
Key = Annotated[str | None, typer.Option(help="Go on under the Idempotency-Key of an earlier try.")]
Code = Annotated[
    str | None,
    typer.Option(
        metavar="DIGITS", help="The code that the customer's operator passed on, where seeds aren't yours to read."
    ),
]
Outputs = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The deployment's outputs as JSON, as the customer gave them to the vendor."),
]


@app.command()
@calling_command
def plan(  # noqa: PLR0913 - one per option
    file: File = None,
    *,
    fix: Fix = None,
    finding: FindingName = None,
    target: Target = None,
    target_region: TargetRegion = None,
    parameter: Parameter = None,
    acknowledge: Acknowledge = False,
    code: Code = None,
    key: Key = None,
    outputs: Outputs = None,
    place: Place,
    speech: Speech,
) -> None:
    """Show what applying would change; nothing is written.

    Examples:
    [cyan]remediator vendor plan --fix aws.ec2.close-port --parameter port=22
    --target arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0123456789abcdef0[/cyan]

    [cyan]echo '[{"finding": "prowler:kms_cmk_rotation_enabled", "target": {"arn": "arn:aws:kms:…"}}]'
    | remediator vendor plan -[/cyan]
    """
    from remediator.cli.answering import give
    from remediator.cli.asked import Words, asked_findings

    words = Words(fix, finding, target or (), target_region, parameter or (), acknowledge)
    findings = asked_findings(words, file)
    give(speech, lambda: _told(place.vendor(outputs), code).plan(findings, key=key))


@app.command()
@calling_command
def apply(  # noqa: PLR0913 - one per option
    file: File = None,
    *,
    fix: Fix = None,
    finding: FindingName = None,
    target: Target = None,
    target_region: TargetRegion = None,
    parameter: Parameter = None,
    acknowledge: Acknowledge = False,
    code: Code = None,
    key: Key = None,
    outputs: Outputs = None,
    place: Place,
    speech: Speech,
) -> None:
    """Repair; ends with 1 if something wasn't fixed. Takes what `plan` takes.

    Example:  [cyan]remediator vendor apply findings.json --outputs outputs.json[/cyan]
    """
    from remediator.cli.answering import give
    from remediator.cli.asked import Words, asked_findings

    words = Words(fix, finding, target or (), target_region, parameter or (), acknowledge)
    findings = asked_findings(words, file)
    give(speech, lambda: _told(place.vendor(outputs), code).apply(findings, key=key))


@app.command()
@calling_command
def get(
    remediation: Annotated[str, typer.Argument(help="The remediation's id.")],
    *,
    outputs: Outputs = None,
    place: Place,
    speech: Speech,
) -> None:
    """Look at a remediation again.

    Example:  [cyan]remediator vendor get 0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11 --json[/cyan]
    """
    from remediator.cli.answering import give

    give(speech, lambda: place.vendor(outputs).get(remediation))


@app.command()
@calling_command
def refresh(  # noqa: PLR0913 - one per option
    remediation: Annotated[str, typer.Argument(help="The remediation's id.")],
    *,
    finding: Annotated[
        list[int] | None, typer.Option(min=0, max=499, help="Index of a finding; may be repeated. Default: all.")
    ] = None,
    key: Key = None,
    outputs: Outputs = None,
    place: Place,
    speech: Speech,
) -> None:
    """Read again what is pending or unverified in a remediation; ends with 1 while something still is.

    Example:  [cyan]remediator vendor refresh 0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11 --json[/cyan]
    """
    from remediator.cli.answering import give

    give(speech, lambda: place.vendor(outputs).refresh(remediation, finding or None, key=key))


def _told(client: "Client", code: str | None) -> "Client":

    try:
        return client if code is None else client.told(code)
    except Malformed as malformed:
        raise Failed(f"{malformed}", exit=Exit.USAGE, next="Type it as it was passed on, zeros included.") from None
