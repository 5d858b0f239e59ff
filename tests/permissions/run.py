"""Do everything that a deployment is for, act by act, and note which rights each act uses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from remediator.operator.doctor import diagnose
from remediator.operator.evidence import read_evidence
from remediator.operator.history import Wanted, history
from remediator.operator.policy import editor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.calls import Call
    from tests.end_to_end.world import World
    from tests.permissions.granted import Right


class WholeRun:
    """Hold one deployment and what has been done with it so far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._answers: dict[str, str] = {}
        self.refused: list[Call] = []

    def acts(self) -> Mapping[str, Callable[[], Any]]:
        """Return the acts by the words that the page uses, in order: each does its own, and must succeed."""
        return {
            "rotate, by the schedule": self._world.account.rotate,
            "rotate, with a window to stage": self._world.rotate_next,
            "ask for health and fixes": self._look,
            **self._asking(),
            "roll back": self._roll_back,
            "status": self._status,
            "show the policy": self._show_policy,
            "show a receipt": lambda: read_evidence(self._world.operator(), self._answers["applied"], 0),
            "history": self._history,
            "doctor": lambda: list(diagnose(self._world.operator(), None, time.time())),
            "rotate now, by the operator": self._rotate_now,
            **self._restricting(),
            "freeze": lambda: self._world.order("freeze"),
            "rotate, while frozen": self._world.rotate_next,
            "unfreeze": lambda: self._world.order("unfreeze"),
            "unfreeze, where nothing is frozen": lambda: self._world.order("unfreeze"),
        }

    def _asking(self) -> Mapping[str, Callable[[], Any]]:
        """Return what the vendor does."""
        return {
            "plan": self._plan,
            "apply every fix": self._apply,
            "get": self._get,
            "refresh": lambda: self._world.vendor().refresh(self._answers["applied"]),
        }

    def _restricting(self) -> Mapping[str, Callable[[], Any]]:
        """Return what the customer's policy is for."""
        return {
            "edit the policy": lambda: self._world.edit_policy(exclude_tags=["untouchable"], findings_per_day=10_000),
            "apply under the policy": lambda: self._apply("policy_tags_unread"),
            "lift the policy": self._world.edit_policy,
        }

    def used(self) -> dict[str, tuple[Call, ...]]:
        """Do it all; return the calls that were allowed, act by act, and note those that weren't."""
        found = {}
        for name, act in self.acts().items():
            mark = self._world.account.calls.mark()
            act()
            self._world.account.rules.settle()
            calls = self._world.account.calls.since(mark)
            self.refused += [call for call in calls if not call.allowed]
            found[name] = tuple(call for call in calls if call.allowed)
        return found

    def _look(self) -> None:
        for client in (self._world.vendor(), self._world.operator().client()):
            assert client.health().gate == "open"
            assert client.fixes()

    def _plan(self) -> None:
        self._world.break_again()
        answer = self._world.vendor().plan(self._world.findings())
        assert {result.outcome for result in answer.results} == {"planned"}

    def _apply(self, *refused: str) -> None:
        """Apply every fix; the customer's policy may refuse by these rules."""
        answer = self._world.apply_all()
        reasons = {one.reason.code if one.reason else one.outcome for one in answer.results}
        assert reasons == {"fixed", *refused}
        self._answers["applied"] = answer.id

    def _show_policy(self) -> None:
        editor_of(self._world.operator()).store.read()

    def _get(self) -> None:
        assert self._world.vendor().get(self._answers["applied"]).results

    def _roll_back(self) -> None:
        answer = self._world.operator().client().roll_back(self._answers["applied"])
        assert {result.outcome for result in answer.results} <= {"rolled_back", "refused"}

    def _status(self) -> None:
        assert self._world.operator().examine(time.time()).gate == "open"

    def _history(self) -> None:
        operator = self._world.operator()
        assert history(operator, operator.archive(), Wanted(), lambda _: None)

    def _rotate_now(self) -> None:
        operator = self._world.operator()
        operator.service("lambda").invoke(FunctionName=self._world.account.outputs["RotateFunction"])


def first_uses(rights: list[Right], used: Mapping[str, tuple[Call, ...]]) -> dict[Right, str]:
    """Return the act in which each right was used first."""
    found: dict[Right, str] = {}
    for act, calls in used.items():
        asked = {(call.role, pair) for call in calls for pair in ((call.action, call.resource), *call.checked)}
        for right in rights:
            if right not in found and any(role == right.role and right.covers(*pair) for role, pair in asked):
                found[right] = act
    return found
