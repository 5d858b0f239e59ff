"""Read from the command line, or from a file, what is to be repaired."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.vendor.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from remediator.catalogue.spec import JSON

_MEMBERS = frozenset({"fix", "finding", "target", "parameters", "reference", "acknowledge_irreversible"})


@dataclass(frozen=True, slots=True)
class Words:
    """Hold what the options say."""

    fix: str | None
    finding: str | None
    targets: Sequence[str]
    region: str | None
    parameters: Sequence[str]
    acknowledge: bool

    @property
    def any(self) -> bool:
        """Tell whether an option was given that describes a finding."""
        return bool(self.fix or self.finding or self.targets or self.region or self.parameters or self.acknowledge)


def asked_findings(words: Words, file: Path | None) -> list[Finding]:
    """Return the findings of the options or of the file, or raise `Failed`: exactly one of the two is given."""
    if (file is None) != words.any:
        raise _unusable("findings come from --fix or --finding with --target, or from a FILE ('-' is standard input)")
    return from_words(words) if file is None else from_json(_text(file))


def from_words(words: Words) -> list[Finding]:
    """Return one finding per target."""
    if not words.targets:
        raise _unusable("--target is missing: the cloud's own name, such as arn:aws:s3:::my-bucket or /subscriptions/…")
    parameters = dict(_parameter(text) for text in words.parameters)
    where = {"region": words.region} if words.region else {}
    return [
        _finding(
            {
                "fix": words.fix,
                "finding": words.finding,
                "target": {**_named(target), **where},
                "parameters": parameters,
                "acknowledge_irreversible": words.acknowledge,
            }
        )
        for target in words.targets
    ]


def from_json(text: str) -> list[Finding]:
    """Return the findings of a JSON document: a list, or an object with the member `findings`."""
    try:
        document = json.loads(text)
    except ValueError:
        raise _unusable("the findings aren't JSON") from None
    listed = document.get("findings") if isinstance(document, dict) else document
    if not isinstance(listed, list) or not listed:
        raise _unusable('the findings are a list, or {"findings": [...]}, and not empty')
    return [_finding(one) for one in listed]


def _finding(document: Any) -> Finding:  # noqa: ANN401 - judged here
    if not isinstance(document, dict) or not isinstance(document.get("target"), dict) or document.keys() - _MEMBERS:
        raise _unusable(f"a finding is an object with a target and, of these, {', '.join(sorted(_MEMBERS))}")
    try:
        return Finding(**document)
    except ValueError as error:
        raise _unusable(str(error)) from None


def _named(target: str) -> dict[str, str]:
    """Return a target by its cloud's own name: Azure's are paths, all others ARNs. What has more to say is JSON."""
    if target.startswith("{"):
        try:
            document: dict[str, str] = json.loads(target)
        except ValueError:
            raise _unusable(f"--target {target} isn't JSON") from None
        return document
    return {"id" if target.startswith("/") else "arn": target}


def _parameter(text: str) -> tuple[str, JSON]:
    """Read `name=value`; a value that is JSON is what JSON says, anything else is text."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise _unusable(f"--parameter {text}: write name=value, such as port=22")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _text(file: Path) -> str:
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(f"{file} can't be read: {error}") from None


def _unusable(message: str) -> Failed:
    return Failed(message, exit=Exit.USAGE, next="`remediator vendor plan --help` has an example of each form.")


def document_of(findings: Sequence[Finding]) -> Mapping[str, JSON]:
    """Return findings as the document that `from_json` reads."""
    return {"findings": [finding.document() for finding in findings]}
