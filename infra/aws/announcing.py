"""Let changes be announced on the account's event bus, and send them as messages where that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from infra.aws import names, uses
from infra.aws.arns import regional_arn, service_host
from infra.aws.callers import SESSION_SECONDS
from infra.aws.statements import allow, inline, trust
from remediator.aws.event_bus import BUS, DETAIL_TYPE, SOURCE

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from infra.aws.statements import Statement

TOLD: Final = ("fixed", "pending", "unverified", "rolled_back")
"""Whom a message reaches hears of what changed, not of each write that a policy of theirs refused."""

_SHOWN: Final = ("account_alias", "outcome", "fix", "resource", "finding", "way_back", "id")
_MESSAGE: Final = """\
"Remediator in <account_alias>: <outcome>, by <fix>."
"Resource: <resource>"
"Finding: <finding>"
"Way back: <way_back>"
"Before and after: remediator show <id>\""""


def announce() -> Statement:
    """Let the remediator put events of its own source on the account's bus, and none of anybody else's."""
    return allow(
        "Announce",
        uses.REMEDIATOR_BUS,
        [regional_arn("events", f"event-bus/{BUS}")],
        # Said so that it holds whether AWS shows one source or a list, and for no request that shows none.
        when={"ForAllValues:StringEquals": {"events:source": [SOURCE]}, "Null": {"events:source": "false"}},
    )


def make_messages(scope: Construct, key: kms.Key, email: str | None) -> None:
    """Send what changed to an address, if there is one. Who wants it elsewhere puts a rule of their own on the bus."""
    if email is None:
        return
    topic = sns.Topic(
        scope, "Changes", topic_name=names.CHANGES_TOPIC, display_name="Remediator", master_key=key, enforce_ssl=True
    )
    topic.add_subscription(subscriptions.EmailSubscription(email))
    events.CfnRule(
        scope,
        "Message",
        name=names.MESSAGE_RULE,
        description="Remediator: send what was changed as a message",
        event_pattern={"source": [SOURCE], "detail-type": [DETAIL_TYPE], "detail": {"outcome": list(TOLD)}},
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id="message",
                arn=topic.topic_arn,
                role_arn=_messenger(scope, topic, key).attr_arn,
                input_transformer=events.CfnRule.InputTransformerProperty(
                    input_paths_map={name: f"$.detail.{name}" for name in _SHOWN}, input_template=_MESSAGE
                ),
            )
        ],
    )


def _messenger(scope: Construct, topic: sns.Topic, key: kms.Key) -> iam.CfnRole:
    rule = {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": regional_arn("events", f"rule/{names.MESSAGE_RULE}")}
    through = {"StringEquals": {"kms:ViaService": service_host("sns")}}
    return iam.CfnRole(
        scope,
        "Messenger",
        role_name=names.MESSENGER_ROLE,
        description="Remediator: what the rule for messages may do: publish to one topic",
        assume_role_policy_document=trust({"Service": "events.amazonaws.com"}, when={"StringEquals": rule}),
        max_session_duration=SESSION_SECONDS,
        policies=[
            inline(
                "tell",
                [
                    allow("Tell", ["sns:Publish"], [topic.topic_arn]),
                    allow("UseTopicKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn], when=through),
                ],
            )
        ],
    )
