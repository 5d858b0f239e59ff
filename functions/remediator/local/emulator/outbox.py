"""Send what failed events leave behind to queues and topics, with a role's own rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from remediator.local.clients import Clients
from remediator.local.emulator.sessions import service_session
from remediator.local.runtime.functions import Acting, Unassumable
from remediator.local.runtime.host import LAMBDA

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.runtime.functions import Function


class Outbox:
    """Deliver as a service does that has assumed a role; what can't be delivered is lost, and `on_loss` hears of it."""

    def __init__(self, endpoint: str, on_loss: Callable[[str], None]) -> None:
        self._endpoint = endpoint
        self._on_loss = on_loss

    def send(self, function: Function, target_arn: str, body: str, attributes: dict[str, str | int]) -> None:
        """Deliver for a function, which sends with its execution role."""
        self.deliver(Acting(function.role_arn, LAMBDA), target_arn, body, attributes)

    def deliver(self, acting: Acting, target_arn: str, body: str, attributes: dict[str, str | int]) -> None:
        """Deliver to a queue or topic as a service that has assumed a role."""
        try:
            credentials = service_session(acting, "delivery")
            clients = Clients(self._endpoint, target_arn.split(":")[3], credentials)
            _send(clients, target_arn, body, attributes)
        except (ClientError, Unassumable) as error:
            self._on_loss(f"nothing was delivered to {target_arn}: {error}")


def _send(clients: Clients, target_arn: str, body: str, attributes: dict[str, str | int]) -> None:
    service = target_arn.split(":")[2]
    typed: dict[str, Any] = {
        name: {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
        for name, value in attributes.items()
    }
    if service == "sqs":
        account, name = target_arn.split(":")[4:6]
        sqs: Any = clients.client("sqs")
        url = f"{sqs.meta.endpoint_url}/{account}/{name}"
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed)
    else:
        sns: Any = clients.client("sns")
        sns.publish(TopicArn=target_arn, Message=body, MessageAttributes=typed)
