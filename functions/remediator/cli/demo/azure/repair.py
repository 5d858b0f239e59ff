"""Make a mess on Azure, let the vendor repair it, and the operator take one repair back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.catalogue import registry
from remediator.cli.demo.board import Verdict
from remediator.cli.views import answer_view
from remediator.local.azure.mess import make_mess, paths
from remediator.service.problems import NAMESPACE
from remediator.vendor.errors import Refused

if TYPE_CHECKING:
    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.azure.stage import Stage
    from remediator.vendor import Answer, Finding, Result

PREY: Final = "azure.storage.require-https"


class Repair:
    """Hold the findings of the mess, and what became of it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        for path in paths(stage.group):
            stage.azure.arm.add(path)
        mess = make_mess(stage.admin, stage.group)
        self.findings = [offence.finding for offence in mess.offences]
        self._innocents = [(one.what, one.fix, one.target["id"]) for one in mess.innocents]
        self._line("fixes with something to repair", len(registry.all_fixes("azure")), len(self.findings))

    @property
    def prey(self) -> Finding:
        """Return the finding that is rolled back, and lies open again."""
        return next(finding for finding in self.findings if finding.fix == PREY)

    def plan(self) -> None:
        """Plan every repair; nothing changes."""
        for result in self._told(self._stage.vendor.plan(self.findings)):
            self._expect(result, "planned, and as it was before", result.before)

    def apply(self) -> Answer:
        """Apply every repair, and read back what nobody told us."""
        before = self._settings_of_innocents()
        answer = self._stage.vendor.apply(self.findings)
        for result in self._told(answer):
            self._expect(result, "fixed, and as intended", result.after)
        untouched = self._settings_of_innocents() == before
        self._line("what was right before", "untouched", "untouched" if untouched else "changed")
        return answer

    def roll_back_one(self, applied: Answer) -> None:
        """Take one repair back as the operator, after the vendor has tried."""
        index = self.findings.index(self.prey)
        self._line("the vendor tries it", Verdict("the remediator", 403, "forbidden"), self._vendors_try(applied.id))
        answer = self._stage.operator.roll_back(applied.id, [index])
        [result] = self._told(answer)
        self._expect(result, "rolled_back, and as it was found", applied.results[index].before)

    def _vendors_try(self, remediation: str) -> Verdict | str:
        try:
            self._stage.vendor.roll_back(remediation)
        except Refused as refused:
            return Verdict("the remediator", refused.status, refused.problem.removeprefix(NAMESPACE))
        return "rolled back"

    def _settings_of_innocents(self) -> dict[str, JSON]:
        return {what: self._stage.setting(fix, target) for what, fix, target in self._innocents}

    def _told(self, answer: Answer) -> tuple[Result, ...]:
        for part in answer_view(answer):
            self._stage.board.say(part)
        return tuple(answer.results)

    def _expect(self, result: Result, wanted: str, setting: JSON) -> None:
        """Hold an answer against what was wanted, and against what an administrator reads, whatever the answer says."""
        claim = wanted.partition(", ")[2]
        is_so = result.fix and result.target and self._stage.setting(result.fix, result.target["id"]) == setting
        told = claim if is_so else "but an administrator reads another setting"
        self._line(str(result.fix), wanted, f"{result.outcome.value}, {told}")

    def _line(self, what: str, wanted: object, got: object) -> None:
        self._stage.board.line(what, wanted=wanted, got=got)
