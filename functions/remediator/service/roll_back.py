"""Roll back, and refresh: the two ways to come back to a remediation that ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remediator.catalogue import registry
from remediator.catalogue.engine import UNTOUCHED, Outcome
from remediator.service.problems import Problem, Refused
from remediator.service.records import Finding, Mode, Reason, Record, State
from remediator.service.remediate import task_of
from remediator.service.requests import Role
from remediator.service.work import Refresh, RollBack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remediator.service.admission import Admitted
    from remediator.service.answers import Reply
    from remediator.service.batch import Work
    from remediator.service.remediate import Remediator
    from remediator.service.requests import Call
    from remediator.service.work import Tools

_UNSETTLED = {Outcome.PENDING, Outcome.UNVERIFIED}


@dataclass(frozen=True, slots=True)
class _Way:
    mode: Mode
    subject: str
    begin: Callable[[Finding], Finding]
    kind: Callable[[Tools], Work]


@dataclass(frozen=True, slots=True)
class Return:
    """Come back to an earlier remediation's receipts, under a record of its own."""

    remediator: Remediator

    def roll_back(self, call: Call, admitted: Admitted, subject: str, chosen: frozenset[int] | None) -> Reply:
        """Write back what was there before, only where the setting is still what was left."""
        receipts = self._chosen(call, subject, chosen)
        unsettled = frozenset(one.id for one in receipts if one.outcome is None or one.outcome in _UNSETTLED)
        way = _Way(Mode.ROLLBACK, subject, _undoing, lambda tools: RollBack(tools, unsettled))
        return self._go(call, admitted, way, receipts)

    def refresh(self, call: Call, admitted: Admitted, subject: str, chosen: frozenset[int] | None) -> Reply:
        """Read again what was pending or unverified when the remediation ended."""
        unsettled = {one.id: one for one in self._chosen(call, subject, chosen) if one.outcome in _UNSETTLED}
        way = _Way(Mode.REFRESH, subject, _looking, lambda tools: Refresh(tools, unsettled))
        return self._go(call, admitted, way, list(unsettled.values()))

    def visible(self, call: Call, remediation: str) -> Record:
        """Return a record that the caller may see: its own, or any for the operator; else raise `Refused`."""
        record = self.remediator.receipts.record(remediation)
        if record is None or (call.principal.role is not Role.OPERATOR and record.caller != call.principal.id):
            raise Refused(Problem.NOT_FOUND, "There is no such remediation of yours.")
        return record

    def _chosen(self, call: Call, subject: str, chosen: frozenset[int] | None) -> Sequence[Finding]:
        record = self.visible(call, subject)
        if record.mode is not Mode.APPLY:
            raise Refused(Problem.INVALID_REQUEST, "Only a remediation that was to apply can be come back to.")
        if record.state is State.RUNNING and self.remediator.clock() < record.free_at:
            raise Refused(Problem.IN_PROGRESS, "Wait until the remediation has ended.", retry_after=15)
        stored = self.remediator.receipts.findings(subject)
        unknown = sorted((chosen or frozenset()) - {one.index for one in stored})
        if unknown:
            raise Refused(Problem.INVALID_REQUEST, f"The remediation has no receipt {unknown[0]}.")
        return [one for one in stored if chosen is None or one.index in chosen]

    def _go(self, call: Call, admitted: Admitted, way: _Way, receipts: Sequence[Finding]) -> Reply:
        remediator = self.remediator
        claimed = remediator.claim(call, admitted, way.mode, findings=len(receipts), subject=way.subject)
        if isinstance(claimed, Record):
            return remediator.outcome_of(claimed)
        met = remediator.receipts.findings(admitted.key) if claimed.resumed else ()
        begun = self._begun(way, receipts, {one.index: one for one in met}, admitted.key)
        binding = way.mode is Mode.ROLLBACK and call.principal.role is not Role.OPERATOR
        tasks = [task_of(one, remediator.scope) for one in begun]
        return remediator.run(claimed, admitted, tasks, way.kind, binding=binding)

    def _begun(self, way: _Way, receipts: Sequence[Finding], met: dict[int, Finding], key: str) -> list[Finding]:
        """Return where each finding stands that an earlier attempt met, or that is begun now.

        What a refresh settled isn't among its receipts any more, and stays its result; what it found but couldn't note
        on the receipt is looked at again.
        """
        now = int(self.remediator.clock())
        ended = {} if way.mode is Mode.REFRESH else met
        begun = [ended.get(one.index) or replace(way.begin(one), remediation=key, at=now) for one in receipts]
        chosen = {one.index for one in receipts}
        return begun + [one for index, one in met.items() if index not in chosen]


def _undoing(receipt: Finding) -> Finding:
    begun = replace(
        receipt,
        subject=receipt.id,
        outcome=None,
        reason=None,
        calls=(),
        change=receipt.change and receipt.change.reversed(),
    )
    if receipt.change is None or receipt.outcome in UNTOUCHED:
        return begun.ended(Outcome.REFUSED, reason=Reason("nothing_to_undo", "This finding changed nothing."))
    why = registry.load(receipt.fix).one_way_from(receipt.change.before)
    return begun if why is None else begun.ended(Outcome.REFUSED, reason=Reason("irreversible", why))


def _looking(receipt: Finding) -> Finding:
    return replace(receipt, subject=receipt.id, outcome=None, reason=None, calls=())
