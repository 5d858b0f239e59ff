"""Make a mess on Azure, let the vendor repair it, and the operator take one repair back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.catalogue import registry
from remediator.catalogue.azure.network.examples import rule
from remediator.catalogue.spec import OneWay
from remediator.cli.demo.board import Verdict
from remediator.cli.views import answer_view
from remediator.service.problems import NAMESPACE
from remediator.vendor import Finding
from remediator.vendor.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.azure.stage import Stage
    from remediator.vendor import Answer, Result

PREY: Final = "azure.storage.require-https"
_NAMES: Final[Mapping[str, str]] = {
    "azure.disk": "Microsoft.Compute/disks/shop-disk",
    "azure.keyvault": "Microsoft.KeyVault/vaults/shop-vault",
    "azure.network": "Microsoft.Network/networkSecurityGroups/shop-nsg",
    "azure.postgresql": "Microsoft.DBforPostgreSQL/flexibleServers/shop-pg",
    "azure.sql.enable-encryption": "Microsoft.Sql/servers/shop-sql/databases/orders",
    "azure.sql.require-tls12": "Microsoft.Sql/servers/shop-sql",
    "azure.storage": "Microsoft.Storage/storageAccounts/shopdata",
    "azure.webapp": "Microsoft.Web/sites/shop-web",
}
_OPEN: Final = [
    rule("ssh", 100, "Tcp", "Internet", "22"),
    rule("https", 200, "Tcp", "*", "443"),
]


class Repair:
    """Hold the findings of the mess, and what became of it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        found = [fix.id for fix in registry.all_fixes("azure")]
        paths = {fix: self._path(fix) for fix in found}
        for path in dict.fromkeys(paths.values()):
            stage.azure.arm.add(path)
        self.findings = [self._broken(fix, paths[fix]) for fix in found]
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
        answer = self._stage.vendor.apply(self.findings)
        for result in self._told(answer):
            self._expect(result, "fixed, and as intended", result.after)
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

    def _path(self, fix: str) -> str:
        [name] = [name for start, name in _NAMES.items() if fix.startswith(start)]
        return f"{self._stage.group}/providers/{name}"

    def _broken(self, fix_id: str, path: str) -> Finding:
        """Set a resource as badly as the fix's example shows it, as its owner would."""
        fix, admin = registry.load(fix_id), self._stage.admin
        target = fix.target.parse({"id": path}, self._stage.home)
        example = fix.examples[0]
        is_group = fix_id.startswith("azure.network")
        before, broken = fix.read(admin, target), _OPEN if is_group else example.broken
        if before != broken:
            fix.write(admin, target, before, broken)
        one_way = isinstance(fix, OneWay)
        return Finding(
            fix=fix_id, target={"id": path}, parameters=dict(example.parameters), acknowledge_irreversible=one_way
        )

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
