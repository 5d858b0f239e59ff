"""Hold what the remediator answers, typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from remediator.catalogue.engine import Outcome
from remediator.catalogue.spec import Severity
from remediator.service.records import Mode, Reason, State
from remediator.vendor.errors import Unintelligible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.catalogue.spec import JSON

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Result:
    """Hold what became of one finding.

    `before` and `after` are the setting's states, None where nothing was read, or where they are too large for the
    answer and `link` is the path to them. `receipt` names what a rollback takes, `subject` the receipt that this result
    undoes or refreshes. `document` is the result as it came.
    """

    index: int
    outcome: Outcome
    fix: str | None
    target: Mapping[str, str] | None
    parameters: Mapping[str, JSON]
    reason: Reason | None
    before: JSON
    after: JSON
    link: str | None
    calls: tuple[str, ...]
    at: int | None
    receipt: str | None
    subject: str | None
    finding: str | None
    reference: str | None
    document: Mapping[str, JSON]

    @property
    def changes(self) -> bool:
        """Tell whether there are two states to compare."""
        return "before" in self.document


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a remediation: `id` is the Idempotency-Key it was asked under."""

    id: str
    mode: Mode
    state: State
    results: tuple[Result, ...]
    document: Mapping[str, JSON]

    @property
    def unstarted(self) -> int:
        """Return how many findings still wait for the same request to be sent again."""
        return sum(result.outcome is Outcome.NOT_STARTED for result in self.results)


@dataclass(frozen=True, slots=True)
class FixCard:
    """Describe a fix that the deployment enables; `target` and `parameters` are JSON Schemas.

    `irreversible` says why it can't be undone, if it can't.
    """

    id: str
    title: str
    consequence: str
    severity: Severity
    target: Mapping[str, JSON]
    parameters: Mapping[str, JSON]
    answers: Mapping[str, tuple[str, ...]]
    irreversible: str | None
    document: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Health:
    """Say how a deployment is: its gate is `open`, `frozen` or `unavailable`."""

    gate: str
    window: int
    deployment: str
    document: Mapping[str, JSON]


def read_answer(document: Mapping[str, JSON]) -> Answer:
    """Read a remediation, or raise `Unintelligible`."""
    return _reading(_answer, document)


def read_result(document: Mapping[str, JSON]) -> Result:
    """Read one finding's result, or raise `Unintelligible`."""
    return _reading(_result, document)


def read_fixes(document: Mapping[str, JSON]) -> tuple[FixCard, ...]:
    """Read the list of fixes, or raise `Unintelligible`."""
    return _reading(lambda listed: tuple(_card(card) for card in listed["fixes"]), document)


def read_health(document: Mapping[str, JSON]) -> Health:
    """Read a deployment's health, or raise `Unintelligible`."""
    return _reading(lambda said: Health(said["gate"], said["window"], said["deployment"], said), document)


def _answer(document: Mapping[str, JSON]) -> Answer:
    results = tuple(_result(one) for one in document["results"])
    return Answer(document["id"], Mode(document["mode"]), State(document["state"]), results, document)


def _result(document: Mapping[str, JSON]) -> Result:
    reason = document.get("reason")
    return Result(
        index=document["index"],
        outcome=Outcome(document["outcome"]),
        fix=document.get("fix"),
        target=document.get("target"),
        parameters=document.get("parameters", {}),
        reason=Reason(reason["code"], reason["message"]) if reason else None,
        before=document.get("before"),
        after=document.get("after"),
        link=document.get("link"),
        calls=tuple(document["calls"]),
        at=document.get("at"),
        receipt=document.get("receipt"),
        subject=document.get("undoes", document.get("refreshes")),
        finding=document.get("finding"),
        reference=document.get("reference"),
        document=document,
    )


def _card(document: Mapping[str, JSON]) -> FixCard:
    return FixCard(
        id=document["id"],
        title=document["title"],
        consequence=document["consequence"],
        severity=Severity(document["severity"]),
        target=document["target"],
        parameters=document["parameters"],
        answers={scanner: tuple(findings) for scanner, findings in document["answers"].items()},
        irreversible=document["irreversible"],
        document=document,
    )


def _reading(read: Callable[[Mapping[str, JSON]], Read], document: Mapping[str, JSON]) -> Read:
    try:
        return read(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unintelligible("the answer isn't one of protocol version 1") from None
