"""Keep the long-running operations: what is finished later, and where one sees how far it is."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.refusals import JSON_TYPE, ArmRefusal
from remediator.local.azure.rbac.roles import covers

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.arm.providers import Later

HOST: Final = "https://management.azure.com"
STATUS_ID: Final = re.compile(
    r"(?P<scope>/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?)/providers/(?P<provider>[^/]+)/locations/[^/]+/(?P<type>[^/]+)/(?P<id>[0-9a-f-]{36})",
    re.IGNORECASE,
)

Reply = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class Operation:
    """Hold one operation. `due` is when it ends, by the clock; `fails` is the code and message if it will fail."""

    key: str
    due: float
    finish: Callable[[], dict[str, Any]]
    fails: tuple[str, str] | None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outcome: dict[str, Any] | None = None
    ended: bool = False


class Operations:
    """Start, end and show operations."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all: dict[str, Operation] = {}
        self.seconds = 1.0
        """How long operations take that are started from now on."""
        self.retry_after: int | None = 1
        """What they say to who asks too early."""
        self.failures: list[tuple[str, str]] = []
        """The codes and messages that the next operations end with."""

    def forget_below(self, scope: str) -> None:
        """Forget the operations on what is in a scope: nothing is made there any more."""
        self._all = {name: one for name, one in self._all.items() if not covers(scope, one.key)}

    def start(self, key: str, finish: Callable[[], dict[str, Any]]) -> Operation:
        """Start an operation on the resource under a key; `finish` makes it so, and returns the resource."""
        fails = self.failures.pop(0) if self.failures else None
        begun = Operation(key, self._clock() + self.seconds, finish, fails)
        self._all[begun.id] = begun
        return begun

    def settle(self) -> None:
        """End what is due."""
        for one in self._all.values():
            if not one.ended and one.due <= self._clock():
                one.ended = True
                one.outcome = None if one.fails else one.finish()

    def is_busy(self, key: str) -> bool:
        """Tell whether an operation on a resource goes on."""
        return any(one.key == key and not one.ended for one in self._all.values())

    def headers(self, begun: Operation, later: Later, *, where: str, api: str) -> dict[str, str]:
        """Return the headers that tell where to look; `where` is the path of the provider in the location."""
        url = f"{HOST}{where}/{later.operations}/{begun.id}?api-version={api}"
        return {name: url if name != "Location" else f"{url}&result=true" for name in later.headers} | self._patience()

    def show(self, operation_id: str, *, result: bool) -> Reply:
        """Return how far an operation is: its status, or with `result` 202 until there is one."""
        found = self._all.get(operation_id)
        if found is None:
            raise ArmRefusal(HTTPStatus.NOT_FOUND, "OperationNotFound", f"There is no operation '{operation_id}'.")
        if result:
            return self._result(found)
        state = "InProgress" if not found.ended else "Failed" if found.fails else "Succeeded"
        body: dict[str, Any] = {"id": found.id, "name": found.id, "status": state}
        if found.ended and found.fails:
            body["error"] = dict(zip(("code", "message"), found.fails, strict=True))
        return HTTPStatus.OK, JSON_TYPE | ({} if found.ended else self._patience()), json.dumps(body).encode()

    def _result(self, found: Operation) -> Reply:
        if not found.ended:
            return HTTPStatus.ACCEPTED, self._patience(), b""
        if found.fails:
            raise ArmRefusal(HTTPStatus.CONFLICT, *found.fails)
        return HTTPStatus.OK, dict(JSON_TYPE), json.dumps(found.outcome).encode()

    def _patience(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
