"""Know SNS's resource types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

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

_ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")


class Topic(ResourceType):
    """A topic."""

    name: ClassVar[str] = "AWS::SNS::Topic"
    settable: ClassVar[frozenset[str]] = frozenset((*_ATTRIBUTES, "TopicName", "Tags"))
    replacing: ClassVar[frozenset[str]] = frozenset({"TopicName"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the topic; return its ARN."""
        attributes = {name: str(wanted[name]) for name in _ATTRIBUTES if wanted.get(name) is not None}
        name = wanted.get("TopicName") or naming.generate(256)
        tags = list(wanted.get("Tags", ()))
        return str(services.client("sns").create_topic(Name=name, Attributes=attributes, Tags=tags)["TopicArn"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change its attributes and tags."""
        sns = services.client("sns")
        for name in _ATTRIBUTES:
            if before.get(name) != wanted.get(name):
                value = str(wanted.get(name) or "")
                sns.set_topic_attributes(TopicArn=physical_id, AttributeName=name, AttributeValue=value)
        gone = sorted(tag_map(before.get("Tags")).keys() - tag_map(wanted.get("Tags")).keys())
        if gone:
            sns.untag_resource(ResourceArn=physical_id, TagKeys=gone)
        if wanted.get("Tags"):
            sns.tag_resource(ResourceArn=physical_id, Tags=wanted["Tags"])

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it."""
        del properties
        services.client("sns").delete_topic(TopicArn=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read its attributes and tags."""
        del properties
        sns = services.client("sns")
        with missing_if("NotFound"):
            attributes = sns.get_topic_attributes(TopicArn=physical_id)["Attributes"]
        name = physical_id.rpartition(":")[2]
        tags = sns.list_tags_for_resource(ResourceArn=physical_id)["Tags"]
        seen = {attribute: attributes.get(attribute) for attribute in _ATTRIBUTES}
        seen |= {"TopicName": name, "Tags": tag_list(tag_map(tags))}
        return Live(seen, {"TopicArn": physical_id, "TopicName": name})


class Subscription(ResourceType):
    """A topic's subscriber."""

    name: ClassVar[str] = "AWS::SNS::Subscription"
    settable: ClassVar[frozenset[str]] = frozenset({"TopicArn", "Protocol", "Endpoint"})
    replacing: ClassVar[frozenset[str]] = settable

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Subscribe; return the subscription's ARN."""
        del naming
        options: dict[str, Any] = dict(wanted)
        made = services.client("sns").subscribe(**options, ReturnSubscriptionArn=True)
        return str(made["SubscriptionArn"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Refuse: every property needs a new subscription."""
        raise NotImplementedError

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Unsubscribe."""
        del properties
        services.client("sns").unsubscribe(SubscriptionArn=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the subscription."""
        del properties
        with missing_if("NotFound"):
            attributes = services.client("sns").get_subscription_attributes(SubscriptionArn=physical_id)["Attributes"]
        return Live({name: attributes.get(name) for name in self.settable})


class TopicPolicy(ResourceType):
    """The policy of topics."""

    name: ClassVar[str] = "AWS::SNS::TopicPolicy"
    settable: ClassVar[frozenset[str]] = frozenset({"Topics", "PolicyDocument"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Write the policy to each topic; return an id of CloudFormation's own."""
        self._put(services, wanted)
        return naming.generate()

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write the policy again."""
        del physical_id, before
        self._put(services, wanted)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Leave the topics only their owner's access."""
        del physical_id
        for topic in properties["Topics"]:
            owner = {"AWS": f"arn:aws:iam::{services.account}:root"}
            statement = {"Effect": "Allow", "Principal": owner, "Action": "sns:*", "Resource": topic}
            document = {"Version": "2012-10-17", "Statement": [statement]}
            self._put(services, {"Topics": [topic], "PolicyDocument": document})

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read each topic's policy."""
        del physical_id
        sns = services.client("sns")
        with missing_if("NotFound"):
            policies = [
                json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
                for topic in properties["Topics"]
            ]
        seen = policies[0] if all(policy == policies[0] for policy in policies) else policies
        return Live({"Topics": list(properties["Topics"]), "PolicyDocument": seen})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare the document to the letter."""
        if name == "PolicyDocument":
            return identical(wanted, live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _put(services: Services, wanted: Properties) -> None:
        document = json.dumps(wanted["PolicyDocument"])
        for topic in wanted["Topics"]:
            services.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
