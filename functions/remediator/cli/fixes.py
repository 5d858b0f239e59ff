"""Look into the catalogue, without a network."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from remediator.catalogue import registry
from remediator.catalogue.errors import UnknownFix
from remediator.cli.options import command
from remediator.cli.speech import Speech

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(no_args_is_help=True, help="Look into the catalogue of fixes; needs no network.")

_COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "dim"}


@app.command("list")
@command
def list_fixes(
    *,
    speech: Speech,
    scanner: Annotated[
        str | None, typer.Option(help="Only those that answer findings of this scanner, such as prowler.")
    ] = None,
) -> None:
    """List every fix: what it does and which findings it answers.

    Example:  [cyan]remediator fixes list --scanner cloudsploit[/cyan]
    """
    cards = {name: card for name, card in sorted(registry.cards()["fixes"].items()) if _of(card, scanner)}
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("fix", "severity", "what it does", "answers"):
        table.add_column(column, overflow="fold", no_wrap=column == "fix")
    for name, card in cards.items():
        severity = Text(card["severity"], style=_COLOURS[card["severity"]])
        table.add_row(Text(name, style="cyan"), severity, card["title"], _count(card["answers"], scanner))
    speech.answer({"fixes": [{"id": name, **card} for name, card in cards.items()]}, table)


@app.command("show")
@command
def show_fix(
    fix: Annotated[
        str, typer.Argument(help="A fix's id, or a scanner's finding such as prowler:kms_cmk_rotation_enabled.")
    ],
    *,
    speech: Speech,
) -> None:
    """Show all there is to know about a fix: consequence, target, parameters, permissions, findings.

    Example:  [cyan]remediator fixes show aws.s3.require-tls[/cyan]
    """
    cards = registry.cards()
    found = _named(fix, cards)
    if not found:
        raise UnknownFix(f"there is no fix {fix}, and no fix answers a finding of that name")
    documents = [{"id": name, **cards["fixes"][name], "implied": implied} for name, implied in found]
    shown = [part for name, implied in found for part in _card(name, cards["fixes"][name], implied)]
    speech.answer({"fixes": documents}, *shown)


def _named(fix: str, cards: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the fix of that id, or those that answer a finding of that name: scanners use a name on many clouds."""
    if fix in cards["fixes"]:
        return [(fix, {})]
    answers = [answers[fix] for answers in cards["findings"].values() if fix in answers]
    return [(answer["fix"], answer["parameters"]) for answer in answers]


def _of(card: Mapping[str, Any], scanner: str | None) -> bool:
    return scanner is None or scanner in card["answers"]


def _count(answers: Mapping[str, Any], scanner: str | None) -> str:
    if scanner:
        return ", ".join(answers[scanner])
    return ", ".join(f"{name} {len(findings)}" for name, findings in answers.items())


def _card(name: str, card: Mapping[str, Any], implied: Mapping[str, Any]) -> "list[RenderableType]":

    rows = [
        ("severity", card["severity"]),
        ("target", f"{card['target']['title']}, such as {' in '.join(card['target']['example'].values())}"),
        *(("parameter", line) for line in _parameters(card["parameters"], implied)),
        *(("may", line) for line in _permissions(card)),
        *((scanner, ", ".join(findings)) for scanner, findings in card["answers"].items()),
        ("way back", card["irreversible"] or "remediator rollback writes the old state back"),
        ("plan it", _example(name, card)),
    ]
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    paragraphs = [f"{' '.join(one.split())}\n" for one in card["consequence"].split("\n\n")]
    return [Text(name, style="bold cyan"), Text(f"{card['title']}\n", style="bold"), *map(Text, paragraphs), table]


def _parameters(schema: Mapping[str, Any], implied: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, one in schema["properties"].items():
        said = f"the finding says {json.dumps(implied[name])}" if name in implied else None
        need = "required" if name in schema["required"] else f"default {json.dumps(one.get('default'))}"
        lines.append(f"{name} ({said or need}): {one['description']}")
    return lines


def _permissions(card: Mapping[str, Any]) -> list[str]:
    return [
        f"{verb} {', '.join(grant['actions'])} on {'the target' if grant['on'] == 'target' else 'everything'}"
        for verb, grants in (("read:", card["reads"]), ("write:", card["writes"]))
        for grant in grants
    ]


def _example(name: str, card: Mapping[str, Any]) -> str:
    target = card["target"]["example"]
    words = ["remediator vendor plan --fix", name, "--target", target.get("arn") or target["id"]]
    words += ["--target-region", target["region"]] if "region" in target else []
    words += [f"--parameter {one}=…" for one in card["parameters"]["required"]]
    return " ".join(words)
