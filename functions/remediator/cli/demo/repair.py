"""Let the vendor repair a mess, and the operator take one repair back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.catalogue import registry
from remediator.catalogue.engine import Outcome
from remediator.cli.demo.board import Verdict
from remediator.cli.demo.stage import UNDERWAY
from remediator.cli.mess_view import mess_view
from remediator.cli.views import answer_view
from remediator.local.mess import make_mess
from remediator.service.problems import NAMESPACE
from remediator.vendor.errors import Refused

if TYPE_CHECKING:
    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.stage import Stage
    from remediator.local.mess import Mess, Offence
    from remediator.vendor import Answer, Result

AS_BEFORE = "planned, and as it was before"
AS_INTENDED = "fixed, and as intended"
AS_ACCEPTED = "pending, and under way"
AS_FOUND = "rolled_back, and as it was found"
ANOTHER = "but an administrator reads another setting"
AN_HOUR = 3600.0


class Repair:
    """Hold the mess, how its innocents were, and what became of it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.mess: Mess = make_mess(stage.admin, stage.region)
        self._show(*mess_view(self.mess))
        self._findings = [offence.finding for offence in self.mess.offences]
        self._innocents = self._innocent_settings()
        self._applied: Answer | None = None

    def plan(self) -> None:
        """Plan every repair; nothing changes."""
        answer = self._stage.vendor.plan(self._findings)
        self._show(*answer_view(answer))
        enabled = {card.id for card in self._stage.vendor.fixes()}
        planned = {result.fix for result in answer.results}
        self._line(
            "fixes in it, of those enabled", f"{len(enabled)} of {len(enabled)}", f"{len(planned)} of {len(enabled)}"
        )
        for result in answer.results:
            self._expect(result, AS_BEFORE, result.before)
        self._unchanged()

    def apply(self) -> None:
        """Apply every repair, and read back what nobody told us; what AWS carries out later takes an hour."""
        self._stage.account.faults.settling(AN_HOUR)
        self._applied = answer = self._stage.vendor.apply(self._findings)
        self._show(*answer_view(answer))
        for result in answer.results:
            later = registry.load(str(result.fix)).asynchronous
            self._expect(result, AS_ACCEPTED if later else AS_INTENDED, UNDERWAY if later else result.after)
        self._unchanged()

    def refresh(self) -> None:
        """Ask again for what was pending, once it has come about."""
        self._stage.account.faults.settling(0)
        answer = self._stage.vendor.refresh(self._told().id)
        self._show(*answer_view(answer))
        pending = sum(result.outcome is Outcome.PENDING for result in self._told().results)
        self._line("repairs that were pending, asked for again", pending, len(answer.results))
        for result in answer.results:
            self._expect(result, AS_INTENDED, result.after)
        self._unchanged()

    @property
    def prey(self) -> tuple[Offence, Result]:
        """Return what is rolled back, and lies open again, and how it was repaired: the closed port."""
        index = next(at for at, finding in enumerate(self._findings) if finding.fix == "aws.ec2.close-port")
        return self.mess.offences[index], self._told().results[index]

    def roll_back_one(self) -> None:
        """Take one repair back as the operator, after the vendor has tried."""
        _, repaired = self.prey
        index, before = repaired.index, repaired.before
        self._line("the vendor tries it", Verdict("the remediator", 403, "forbidden"), self._vendors_try(index))
        answer = self._stage.operator.roll_back(self._told().id, [index])
        self._show(*answer_view(answer))
        [result] = answer.results
        self._expect(result, AS_FOUND, before)

    def _vendors_try(self, index: int) -> Verdict | str:
        try:
            self._stage.vendor.roll_back(self._told().id, [index])
        except Refused as refused:
            return Verdict("the remediator", refused.status, refused.problem.removeprefix(NAMESPACE))
        return "rolled back"

    def _told(self) -> Answer:
        if self._applied is None:
            raise RuntimeError("nothing was applied that could be come back to")
        return self._applied

    def _expect(self, result: Result, wanted: str, setting: JSON) -> None:
        """Hold an answer against what was wanted, and against what an administrator reads, whatever the answer says."""
        offence = self.mess.offences[result.index]
        outcome, _, claim = wanted.partition(", ")
        is_so = result.fix and result.target and self._stage.setting(result.fix, result.target) == setting
        told = f"{result.outcome.value}, {claim if is_so else ANOTHER}"
        self._line(f"{result.fix}: {offence.what}", f"{outcome}, {claim}", told)

    def _unchanged(self) -> None:
        same = sum(now == then for now, then in zip(self._innocent_settings(), self._innocents, strict=True))
        count = len(self._innocents)
        self._line("innocents that didn't change", f"{count} of {count}", f"{same} of {count}")

    def _innocent_settings(self) -> list[JSON]:
        return [self._stage.setting(innocent.fix, innocent.target) for innocent in self.mess.innocents]

    def _line(self, what: str, wanted: object, got: object) -> None:
        self._stage.board.line(what, wanted=wanted, got=got)

    def _show(self, *parts: RenderableType) -> None:
        for part in parts:
            self._stage.board.say(part)
