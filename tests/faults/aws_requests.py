"""The vendor's and the operator's requests to the deployed stack, and what they leave behind."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from remediator.aws import remediate_handler
from remediator.aws.receipt_items import finding_from
from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.core.gate import keys_of
from remediator.core.messages import Request, sign
from remediator.core.seeds import SeedRecord
from remediator.core.windows import window_at
from remediator.local import mess_parts
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from tests.faults.aws_stage import AwsStage, Context
from tests.faults.stage import Answer, Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = {"vendor": "READER_ROLE_ID", "operator": "OPERATOR_ROLE_ID"}


class AwsSide(AwsStage):
    """Call the remediator's handler with the events that its function URL would give it."""

    writes: ClassVar = {
        "s3:PutPublicAccessBlock": 0,
        "s3:DeletePublicAccessBlock": 0,
        "ec2:AuthorizeSecurityGroupIngress": 1,
        "ec2:RevokeSecurityGroupIngress": 1,
    }
    on_targets: ClassVar = frozenset({*writes, "s3:GetPublicAccessBlock", "ec2:DescribeSecurityGroups"})

    def break_settings(self) -> list[dict[str, Any]]:
        name, region = f"b{uuid.uuid4().hex}", self.account.region
        mess_parts.bucket(self.admin("s3"), name, region)
        everybody = [{"CidrIp": "0.0.0.0/0"}]
        group = mess_parts.group(self.admin("ec2"), name, [("tcp", 20, 443, everybody)])
        return [
            {"fix": "aws.s3.block-public-access", "target": {"arn": f"arn:aws:s3:::{name}", "region": region}},
            {
                "fix": "aws.ec2.close-port",
                "target": {"arn": f"arn:aws:ec2:{region}:{CUSTOMER_ACCOUNT}:security-group/{group}"},
                "parameters": {"port": 22},
            },
        ]

    def setting(self, finding: Mapping[str, Any]) -> Any:
        fix: Any = registry.load(finding["fix"])
        return fix.read(self.admin(fix.service), fix.target.parse(finding["target"], Home("aws", CUSTOMER_ACCOUNT)))

    def send(self, path: str, body: Any, key: str, *, who: str = "vendor", skew: float = 0) -> Answer:
        return self.call(self.event(path, body, key, who=who, skew=skew))

    def event(self, path: str, body: Any, key: str, *, who: str = "vendor", skew: float = 0) -> dict[str, Any]:
        """Return what the function URL makes of a signed request."""
        window, raw = window_at(time.time()), json.dumps(body)
        keys = keys_of(SeedRecord(self.deployment, window, self.shown()[window]))
        signed = sign(Request("POST", path, raw.encode(), key), keys, created=int(time.time() + skew))
        role = self.deployed("remediator-remediate")["Environment"]["Variables"][ROLES[who]]
        return {
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/json"} | signed,
            "body": raw,
            "isBase64Encoded": False,
            "requestContext": {"http": {"method": "POST"}, "authorizer": {"iam": {"userId": f"{role}:session"}}},
        }

    def call(self, event: dict[str, Any]) -> Answer:
        """Call the handler."""
        made = (remediate_handler._monitor, remediate_handler._settings, remediate_handler._endpoint)
        self.start("remediator-remediate", remediate_handler, *made)
        answer: Any = remediate_handler.handler(event, Context())  # type: ignore[arg-type]
        self.said.append(answer["body"])
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    def unsettle(self, key: str) -> None:
        for item in self._items_of(key):
            if item["sk"]["S"] != "record":
                item["outcome"] = {"S": "unverified"}
                self.admin("dynamodb").put_item(TableName=self.account.outputs["ReceiptsTable"], Item=item)

    def receipts(self, key: str) -> dict[int, Receipt]:
        found = [finding_from(item) for item in self._items_of(key) if item["sk"]["S"] != "record"]
        return {
            one.index: Receipt(one.change and one.change.before, one.change and one.change.after, one.outcome)
            for one in found
        }

    def record(self, key: str) -> Mapping[str, Any] | None:
        for item in self._items_of(key):
            if item["sk"]["S"] == "record":
                return {name: next(iter(value.values())) for name, value in item.items()}
        return None

    def _items_of(self, key: str) -> list[dict[str, Any]]:
        answer = self.admin("dynamodb").query(
            TableName=self.account.outputs["ReceiptsTable"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": key}},
            ConsistentRead=True,
        )
        return list(answer["Items"])
