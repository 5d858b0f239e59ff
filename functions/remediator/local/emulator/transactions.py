"""Run a transaction once, however often its caller sends it: DynamoDB knows a token for ten minutes, moto doesn't.

An SDK sends a transaction again when it has waited too long for the answer. On a machine that is busy, a claim would
meet itself.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.responses import DynamoHandler

if TYPE_CHECKING:
    from remediator.local.emulator.hooks import Hooks

LIFETIME: Final = 600
"""How long a token is known, in seconds."""


def install(hooks: Hooks) -> None:
    """Repair moto's TransactWriteItems; of two with one token at a time, the second waits.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    one_at_a_time = threading.Lock()
    done: dict[tuple[str, str, str], tuple[float, Any, Any]] = {}

    def transact_write_items(self: DynamoHandler) -> Any:  # noqa: ANN401 - moto's own
        token, items, now = self.body.get("ClientRequestToken"), self.body["TransactItems"], time.time()
        key = (self.current_account, self.region, token)
        with one_at_a_time:
            for old in [one for one, (at, *_) in done.items() if now - at > LIFETIME]:
                del done[old]
            if key in done:
                _, sent, answer = done[key]
                if sent != items:
                    raise DynamodbException("IdempotentParameterMismatchException", "The token was for other items.")
                return answer
            answer = transact(self)
            if token:
                done[key] = (now, items, answer)
            return answer

    transact = hooks.replace(DynamoHandler, "transact_write_items", transact_write_items)
