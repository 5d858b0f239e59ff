"""Put a remediation into the words of the protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from remediator.catalogue.engine import Outcome
from remediator.service.problems import Problem, Refused
from remediator.service.records import Mode, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.catalogue.spec import JSON
    from remediator.service.records import Finding, Record

LARGEST_STATES: Final = 256 * 1024
"""The most bytes of settings in one answer; above it each result links to its receipt instead."""

_SUBJECT = {Mode.ROLLBACK: "undoes", Mode.REFRESH: "refreshes"}


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold an HTTP answer: its body is a JSON value."""

    status: int
    body: JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def reply_to(problem: Refused) -> Reply:
    """Return the answer that states a problem."""
    headers = {"content-type": "application/problem+json"}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    return Reply(problem.problem.status, problem.body(), headers)


def reply_with(record: Record, findings: Sequence[Finding]) -> Reply:
    """Return the answer to a remediation: one result per finding, whatever became of it.

    Where the deployment's rules refuse every finding, that is the answer.
    """
    document = remediation(record, findings)
    if record.state is State.DONE and {finding.outcome for finding in findings} == {Outcome.REFUSED}:
        return reply_to(Refused(Problem.REFUSED, "See the reason of each result.", extra=document))
    return Reply(200, document)


def remediation(record: Record, findings: Sequence[Finding]) -> dict[str, JSON]:
    """Return a remediation as a JSON object."""
    known = {finding.index: result(finding, record.mode) for finding in findings}
    results = [known.get(index, _not_started(index)) for index in _indexes(record, known)]
    if len(json.dumps(results)) > LARGEST_STATES:
        results = [_linked(record.id, one) for one in results]
    return {"id": record.id, "mode": record.mode.value, "state": record.state.value, "results": results}


def result(finding: Finding, mode: Mode) -> dict[str, JSON]:
    """Return one finding's result as a JSON object."""
    shown: dict[str, JSON] = {
        "index": finding.index,
        "fix": finding.fix,
        "target": dict(finding.target),
        "outcome": (finding.outcome or Outcome.NOT_STARTED).value,
        "calls": list(finding.calls),
        "at": finding.at,
    }
    if finding.parameters:
        shown["parameters"] = dict(finding.parameters)
    if finding.change:
        shown |= {"before": finding.change.before, "after": finding.change.after}
    if finding.change and mode in (Mode.APPLY, Mode.ROLLBACK):
        shown["receipt"] = finding.id
    if finding.reason:
        shown["reason"] = {"code": finding.reason.code, "message": finding.reason.message}
    optional = {"finding": finding.finding, "reference": finding.reference, _SUBJECT.get(mode, ""): finding.subject}
    return shown | {name: value for name, value in optional.items() if value is not None}


def _indexes(record: Record, known: Mapping[int, JSON]) -> Sequence[int]:
    return sorted(known) if record.subject else range(record.findings)


def _not_started(index: int) -> dict[str, JSON]:
    return {"index": index, "outcome": Outcome.NOT_STARTED.value, "calls": []}


def _linked(remediation: str, shown: dict[str, JSON]) -> dict[str, JSON]:
    link = {"link": f"/v1/remediations/{remediation}/findings/{shown['index']}"}
    return {name: value for name, value in shown.items() if name not in ("before", "after")} | link
