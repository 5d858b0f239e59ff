"""Know the embedded AWS account's endpoint, and what the deployment did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from remediator.catalogue import registry
from remediator.vendor import Deployment
from remediator.vendor.transport import HttpTransport
from tests.fuzz.judging import Deeds
from tests.fuzz.questions import Locks

if TYPE_CHECKING:
    from remediator.vendor.keyring import Access
    from remediator.vendor.transport import Reply
    from tests.end_to_end.world import World
    from tests.fuzz.questions import Question

KEEPING = frozenset({"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"})


class AwsPlace:
    """Know the embedded account's endpoint; an administrator's call isn't the deployment's."""

    reads = frozenset(
        action for fix in registry.all_fixes("aws") for grant in fix.reads for action in grant.actions
    ) | {"tag:GetResources"}

    def __init__(self, world: World) -> None:
        self._world = world
        self.transport = HttpTransport()
        self._deployment = Deployment.from_outputs(world.account.outputs)
        self._access: dict[bool, Access] = {False: world.access(), True: world.operator().access()}

    def access(self, *, operator: bool) -> Access:
        return self._access[operator]

    def url(self, path: str) -> str:
        return self._deployment.url(path)

    def mark(self) -> int:
        return self._world.account.calls.mark()

    def deeds(self, mark: int) -> Deeds:
        log = self._world.account.calls
        own = [call for call in log.by("remediator", since=mark) if call.allowed]
        return Deeds(
            kept=frozenset(action for call in own for action, _ in call.checked if action in KEEPING),
            past_gate=frozenset(
                action for call in log.by("remediator-write", since=mark) for action, _ in call.checked
            ),
            opened=any(call.action == "sts:AssumeRole" for call in own),
        )

    def next_window(self) -> None:
        """A session lasts for an hour of windows."""
        self._world.rotate_next()
        self._access[True] = self._world.operator().access()

    def is_the_clouds_own(self, question: Question, reply: Reply) -> bool:
        """A function URL turns away by itself who isn't authenticated, and nobody else."""
        turned_away = reply.status == 403 and json.loads(reply.body) == {"Message": "Forbidden"}
        return turned_away and question.locks is Locks.NONE
