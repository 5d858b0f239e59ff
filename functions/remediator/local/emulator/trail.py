"""Write what CloudTrail would of calls to IAM and STS, for rules that watch them.

The record has the fields that identify caller and call, as CloudTrail writes them. It comes at once here, and always;
CloudTrail takes minutes and promises nothing.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from remediator.local.emulator.event_rules import EventRules
    from remediator.local.iam.apicall import ApiCall
    from remediator.local.iam.principal import Principal

GLOBAL: Final = "us-east-1"
"""Where calls to IAM are recorded, which has no regions."""

CLOUDFORMATION: Final = "cloudformation.amazonaws.com"


class Trail:
    """Tell the default bus of the account whose role or identity it is about."""

    def __init__(self, rules: EventRules) -> None:
        self._rules = rules
        self.stacks: set[str] = set()
        """The access keys with which CloudFormation acts."""

    def __call__(self, principal: Principal, call: ApiCall, error: str | None) -> None:
        """Record a call that was decided; `error` is the code of a refusal."""
        if call.service not in ("iam", "sts"):
            return
        moment = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        by_stack = principal.access_key in self.stacks
        region = GLOBAL if call.service == "iam" else call.region
        detail = {
            "eventVersion": "1.11",
            "userIdentity": _identity(principal, call) | ({"invokedBy": CLOUDFORMATION} if by_stack else {}),
            "eventTime": moment,
            "eventSource": f"{call.service}.amazonaws.com",
            "eventName": call.operation,
            "awsRegion": region,
            "sourceIPAddress": CLOUDFORMATION if by_stack else call.source_ip,
            "requestParameters": {name[0].lower() + name[1:]: value for name, value in call.params.items()},
            "eventID": str(uuid.uuid4()),
            "readOnly": call.operation.startswith(("Get", "List", "AssumeRole")),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            **({"errorCode": error} if error else {}),
        }
        event = {
            "source": f"aws.{call.service}",
            "detail-type": "AWS API Call via CloudTrail",
            "time": moment,
            "detail": detail,
        }
        self._rules.emit(_owner(call), region, event, read_only=bool(detail["readOnly"]))


def _owner(call: ApiCall) -> str:
    """Return the account whose trail shows the call: of a role that is assumed, the role's."""
    role = str(call.params.get("RoleArn", ""))
    return role.split(":")[4] if role.startswith("arn:") else call.account


def _identity(principal: Principal, call: ApiCall) -> dict[str, Any]:
    if principal.kind == "Service":
        return {"type": "AWSService", "invokedBy": principal.arn}
    if principal.account != _owner(call):
        return {"type": "AWSAccount", "principalId": principal.unique_id, "accountId": principal.account}
    if principal.session_arn is None:
        kind = "Root" if principal.arn.endswith(":root") else "IAMUser"
        return {"type": kind, "principalId": principal.unique_id, "arn": principal.arn}
    issuer = {"type": "Role", "principalId": principal.entity_id, "arn": principal.arn, "accountId": principal.account}
    return {
        "type": "AssumedRole",
        "principalId": principal.unique_id,
        "arn": principal.session_arn,
        "accountId": principal.account,
        "sessionContext": {"sessionIssuer": issuer},
    }
