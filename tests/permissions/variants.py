"""Do what is different where codes are passed on by hand, and where the gate is sealed: on one bucket, with every role.

The write role's own rights are the fixes', whatever the customer chooses besides; the whole run holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from remediator.vendor.errors import Unauthorized
from tests.permissions.granted import every_role, rights
from tests.permissions.reasons import UNUSED_ON_AWS, reason
from tests.permissions.run import WholeRun, first_uses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.operator.codes import LiveCode
    from remediator.vendor import Client
    from tests.end_to_end.world import World
    from tests.permissions.granted import Right

WRITE = "remediator-write"
FIXES_OWN = (WRITE, "Remediator")
"""The roles, on AWS and on Azure, that hold what the fixes need."""


class SealedRun(WholeRun):
    """Use a deployment whose gate is sealed, where the organisation lets a freeze deny what is open."""

    def used(self) -> Any:
        self._world.account.control(None)
        try:
            return super().used()
        finally:
            self._world.forbid_writes()

    def _asking(self) -> Mapping[str, Callable[[], Any]]:
        return {
            "plan": lambda: self._of_bucket("plan", self._world.vendor(), "planned"),
            "apply": lambda: self._of_bucket("apply", self._world.vendor(), "fixed"),
            "get": self._get,
            "refresh": lambda: self._world.vendor().refresh(self._answers["applied"]),
        }

    def _restricting(self) -> Mapping[str, Callable[[], Any]]:
        return {"edit the policy": self._world.edit_policy}

    def _of_bucket(self, how: str, vendor: Client, outcome: str) -> None:
        answer = getattr(vendor, how)(self._world.open_bucket())
        assert [one.outcome for one in answer.results] == [outcome]
        self._answers["applied"] = answer.id


class ByHandRun(SealedRun):
    """Use a deployment whose codes are passed on by hand."""

    def used(self) -> Any:
        return WholeRun.used(self)

    def _asking(self) -> Mapping[str, Callable[[], Any]]:
        return {
            "show a code": lambda: self._world.book().live(),
            "admit a code": self._admit,
            "guess until it is closed": self._guess,
            "rotate, with an opening left": self._leave,
            "plan and apply with a code": self._ask,
            "get": self._get,
            "refresh": lambda: self._world.operator().client().refresh(self._answers["applied"]),
        }

    def _admit(self) -> LiveCode:
        live = self._world.book().live(admit=True)
        assert live.admitted
        return live

    def _guess(self) -> None:
        self._world.fresh_window()
        right = int(self._admit().code.reveal())
        for number in range(1, 4):
            with pytest.raises(Unauthorized):
                self._world.vendor(f"{(right + number) % 1_000_000:06}").apply(self._world.open_bucket())
        assert not self._world.book().live().admitted

    def _leave(self) -> None:
        self._world.fresh_window()
        self._admit()
        self._world.rotate_next()

    def _ask(self) -> None:
        self._world.fresh_window()
        told = self._world.vendor(self._admit().code.reveal().decode())
        self._of_bucket("plan", told, "planned")
        self._of_bucket("apply", told, "fixed")


def require_used_and_allowed(world: World, run: WholeRun) -> tuple[list[Right], Mapping[Right, str]]:
    """Hold every role but the write role to what the run uses, both ways; return the rights, and their first uses."""
    used, ours, held = run.used(), every_role(world) - {WRITE}, rights(world)
    uses = first_uses(held, used)
    mine = [right for right in held if right.role in ours]
    assert not [right for right in mine if right not in uses and reason(right, UNUSED_ON_AWS) is None]
    calls = [call for calls in used.values() for call in calls if call.role in ours]
    done = {(call.role, pair) for call in calls for pair in call.checked}
    assert len(done) > 30
    assert not [one for one in done if not any(right.role == one[0] and right.covers(*one[1]) for right in held)]
    assert not [call for call in run.refused if call.role in {*ours, WRITE}]
    return held, uses
