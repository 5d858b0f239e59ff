"""Have the rotator move the gate as the state says: it alone may, on AWS."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from remediator.operator.aws.refusals import refused
from remediator.service.errors import FrozenAgain, NotDone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class _Busy(Exception):  # noqa: N818 - errors are named for what is the case
    """The rotator didn't do its work this time; another try may find it free."""


class InvokedRotator:
    """Run the rotator until a run of its own has read the state under the lease, after it was written."""

    def __init__(self, client: Any, function: str, waits: Callable[[], Iterable[None]]) -> None:  # noqa: ANN401
        self._client = client
        self._function = function
        self._waits = waits

    def close(self) -> str:
        """Have the closed trust policy written."""
        if not self.finds_frozen():
            raise NotDone("somebody unfroze it while it was being frozen: the rotator found it open")
        return ""

    def open(self) -> str:
        """Have the trust policy of the staged windows written."""
        if self.finds_frozen():
            raise FrozenAgain("somebody froze it again meanwhile, and that holds")
        return "IAM takes some seconds to spread it"

    def finds_frozen(self) -> bool:
        """Tell whether a run of its own found the state frozen; raise `NotDone` where none comes to its end."""
        reason = ""
        for _ in chain((None,), self._waits()):
            try:
                return self._run()
            except _Busy as busy:
                reason = str(busy)
        raise NotDone(f"the rotator didn't do it: {reason}")

    def _run(self) -> bool:
        """Run it once; tell whether it found the state frozen. An answer that is lost is asked for again."""
        try:
            with refused():
                answer = self._client.invoke(FunctionName=self._function)
                said = json.loads(answer["Payload"].read())
        except self._client.exceptions.TooManyRequestsException:
            raise _Busy("another run is at work") from None
        except BotoCoreError as error:
            raise _Busy(str(error)) from None
        if "FunctionError" in answer:
            raise _Busy(str(said.get("errorMessage", "it failed without a word")))
        return bool(said["frozen"])
