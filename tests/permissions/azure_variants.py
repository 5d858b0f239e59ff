"""Do what is different on Azure where codes are passed on by hand: on one storage account, with every role."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from remediator.operator.codes import code_book
from remediator.vendor import Finding
from remediator.vendor.errors import Unauthorized
from tests.permissions.azure_run import AzureRun, azure_rights, first_azure_uses, principals
from tests.permissions.reasons import UNUSED_BY_HAND_ON_AZURE, UNUSED_ON_AZURE, reason
from tests.permissions.variants import FIXES_OWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.operator.codes import LiveCode
    from tests.permissions.granted import Right

UNUSED = {**UNUSED_ON_AZURE, **UNUSED_BY_HAND_ON_AZURE}
HTTPS = "azure.storage.require-https"


class AzureByHand(AzureRun):
    """Use a deployment whose codes are passed on by hand."""

    def _asking(self) -> Mapping[str, Callable[[], Any]]:
        return {
            "show a code": lambda: code_book(self.office()).live(),
            "admit a code": self._admit,
            "guess until it is closed": self._guess,
            "rotate, with an opening left": self._leave,
            "plan and apply with a code": self._ask,
            "get": self._get,
            "refresh": lambda: self.client(operator=True).refresh(self.applied),
        }

    def _restricting(self) -> Mapping[str, Callable[[], Any]]:
        return {"edit the policy": lambda: self._edit('{"version": 1}')}

    def _open(self) -> list[Finding]:
        name = f"{self.azure.targets}/providers/Microsoft.Storage/storageAccounts/s{uuid.uuid4().hex[:16]}"
        self.azure.arm.add(name)
        return [Finding(fix=HTTPS, target={"id": name})]

    def _admit(self) -> LiveCode:
        live = code_book(self.office()).live(admit=True)
        assert live.admitted
        return live

    def _guess(self) -> None:
        self.fresh_window()
        right = int(self._admit().code.reveal())
        for number in range(1, 4):
            with pytest.raises(Unauthorized):
                self.client().told(f"{(right + number) % 1_000_000:06}").apply(self._open())
        assert not code_book(self.office()).live().admitted

    def _leave(self) -> None:
        self.fresh_window()
        self._admit()
        self.rotate_next()

    def _ask(self) -> None:
        self.fresh_window()
        told = self.client().told(self._admit().code.reveal().decode())
        assert [one.outcome for one in told.plan(self._open()).results] == ["planned"]
        answer = told.apply(self._open())
        assert [one.outcome for one in answer.results] == ["fixed"]
        self.applied = answer.id


def require_azure_used_and_allowed(run: AzureRun, before: frozenset[str]) -> tuple[list[Right], Mapping[Right, str]]:
    """Hold every role but the fixes' own to what the run uses, both ways; return the rights, and their first uses.

    What was assigned `before` the installation isn't ours.
    """
    mark = run.azure.calls.mark()
    used, held, names = run.used(), azure_rights(run.azure, before), principals(run.azure)
    uses = first_azure_uses(held, used, names)
    mine = [right for right in held if right.role not in FIXES_OWN]
    unused = [right for right in mine if right not in uses]
    assert not [right for right in unused if reason(right, UNUSED) is None]
    for pattern, why in UNUSED_BY_HAND_ON_AZURE.items():
        assert [right for right in unused if reason(right, {pattern: why})], f"nothing is left of {pattern}"
    calls = [call for calls in used.values() for call in calls if call.principal in names]
    done = {(names[call.principal], pair) for call in calls for pair in call.checked}
    assert len(done) > 30
    assert not [one for one in done if not any(right.role == one[0] and right.covers(*one[1]) for right in held)]
    assert not [call for call in run.azure.calls.since(mark) if call.principal in names and not call.allowed]
    return held, uses
