"""Know SQS's resource types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from remediator.local.cloudformation.comparison import identical
from remediator.local.cloudformation.resource import (
    Live,
    Naming,
    ResourceType,
    Services,
    missing_if,
    tag_list,
    tag_map,
)

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties, Value

_ATTRIBUTES = (
    *("DelaySeconds", "FifoQueue", "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize"),
    *("MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "SqsManagedSseEnabled"),
    "VisibilityTimeout",
)
_GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Queue(ResourceType):
    """A queue."""

    name: ClassVar[str] = "AWS::SQS::Queue"
    settable: ClassVar[frozenset[str]] = frozenset((*_ATTRIBUTES, "QueueName", "Tags"))
    replacing: ClassVar[frozenset[str]] = frozenset({"QueueName", "FifoQueue"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the queue; return its URL."""
        name = wanted.get("QueueName") or naming.generate(80)
        tags = tag_map(wanted.get("Tags"))
        made = services.client("sqs").create_queue(QueueName=name, Attributes=_texts(wanted), tags=tags)
        return str(made["QueueUrl"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change its attributes and tags."""
        sqs = services.client("sqs")
        sqs.set_queue_attributes(QueueUrl=physical_id, Attributes=_texts(wanted))
        gone = sorted(tag_map(before.get("Tags")).keys() - tag_map(wanted.get("Tags")).keys())
        if gone:
            sqs.untag_queue(QueueUrl=physical_id, TagKeys=gone)
        if wanted.get("Tags"):
            sqs.tag_queue(QueueUrl=physical_id, Tags=tag_map(wanted["Tags"]))

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it with its messages."""
        del properties
        services.client("sqs").delete_queue(QueueUrl=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read its attributes and tags."""
        del properties
        sqs = services.client("sqs")
        with missing_if(*_GONE):
            attributes = sqs.get_queue_attributes(QueueUrl=physical_id, AttributeNames=["All"])["Attributes"]
        arn = attributes["QueueArn"]
        name = arn.rpartition(":")[2]
        seen = {attribute: attributes.get(attribute) for attribute in _ATTRIBUTES}
        if "RedrivePolicy" in attributes:
            seen["RedrivePolicy"] = json.loads(attributes["RedrivePolicy"])
        tags = sqs.list_queue_tags(QueueUrl=physical_id).get("Tags", {})
        seen |= {"QueueName": name, "Tags": tag_list(tags)}
        return Live(seen, {"Arn": arn, "QueueName": name, "QueueUrl": physical_id})


class QueuePolicy(ResourceType):
    """The policy of queues."""

    name: ClassVar[str] = "AWS::SQS::QueuePolicy"
    settable: ClassVar[frozenset[str]] = frozenset({"Queues", "PolicyDocument"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Write the policy to each queue; return an id of CloudFormation's own."""
        self._put(services, wanted, json.dumps(wanted["PolicyDocument"]))
        return naming.generate()

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write the policy again."""
        del physical_id, before
        self._put(services, wanted, json.dumps(wanted["PolicyDocument"]))

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Take the policy away."""
        del physical_id
        self._put(services, properties, "")

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read each queue's policy."""
        del physical_id
        sqs = services.client("sqs")
        policies = []
        for queue in properties["Queues"]:
            with missing_if(*_GONE):
                attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"]).get("Attributes", {})
            policies.append(json.loads(attributes.get("Policy") or "{}"))
        seen = policies[0] if all(policy == policies[0] for policy in policies) else policies
        return Live({"Queues": list(properties["Queues"]), "PolicyDocument": seen})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare the document to the letter."""
        if name == "PolicyDocument":
            return identical(wanted, live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _put(services: Services, wanted: Properties, document: str) -> None:
        for queue in wanted["Queues"]:
            services.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document})


def _texts(wanted: Properties) -> dict[str, str]:
    """Return attributes as SQS takes them: everything is text."""
    texts: dict[str, str] = {}
    for name in _ATTRIBUTES:
        value = wanted.get(name)
        if isinstance(value, bool):
            texts[name] = str(value).lower()
        elif isinstance(value, dict):
            texts[name] = json.dumps(value)
        elif value is not None:
            texts[name] = str(value)
    return texts
