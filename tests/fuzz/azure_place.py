"""Know the embedded Azure's endpoint, and what the deployment did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.catalogue import registry
from remediator.catalogue.azure.roles import READ_TAGS
from remediator.core.messages import PATH
from remediator.vendor.transport import HttpTransport
from tests.fuzz.judging import Deeds

if TYPE_CHECKING:
    from remediator.vendor.keyring import Access
    from remediator.vendor.transport import Reply
    from tests.fuzz.questions import Question
    from tests.permissions.azure_run import AzureRun

ENTITIES = "Microsoft.Storage/storageAccounts/tableServices/tables/entities/"
KEEPING = frozenset(f"{ENTITIES}{action}" for action in ("add/action", "update/action", "write", "delete"))


class AzurePlace:
    """Know one endpoint; a call that has an origin is a function's, and the remediator's has `remediate` in it."""

    reads = frozenset(
        action
        for grant in (*(grant for fix in registry.all_fixes("azure") for grant in fix.reads), *READ_TAGS)
        for action in grant.actions
    )

    def __init__(self, run: AzureRun) -> None:
        self._run = run
        self.transport = HttpTransport(str(run.azure.authority.file))
        self._access: dict[bool, Access] = {side: run.access(operator=side) for side in (False, True)}

    def access(self, *, operator: bool) -> Access:
        return self._access[operator]

    def url(self, path: str) -> str:
        return str(self._run.azure.outputs["Endpoint"]).rstrip("/") + path

    def mark(self) -> int:
        return self._run.azure.calls.mark()

    def deeds(self, mark: int) -> Deeds:
        calls = [call for call in self._run.azure.calls.since(mark) if call.allowed and "remediate" in str(call.origin)]
        checked = [(call.service, action) for call in calls for action, _ in call.checked]
        return Deeds(
            kept=frozenset(action for service, action in checked if service == "tables" and action in KEEPING),
            past_gate=frozenset(action for service, action in checked if service == "arm"),
            opened=any((call.service, call.operation) == ("entra", "SignIn") for call in calls),
        )

    def next_window(self) -> None:
        self._run.rotate_next()

    def is_the_clouds_own(self, question: Question, reply: Reply) -> bool:
        """The Functions host answers by itself where a path is none of a route's; no path of ours is."""
        return reply.status == 404 and not reply.body and not PATH.fullmatch(question.path)
