"""STS: assuming roles.

Source: Service Authorization Reference, "AWS Security Token Service".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.local.iam.check import Check

if TYPE_CHECKING:
    from remediator.local.iam.apicall import ApiCall

_CONTEXT: Final = {
    "ExternalId": "sts:ExternalId",
    "RoleSessionName": "sts:RoleSessionName",
    "SourceIdentity": "sts:SourceIdentity",
}


def checks(call: ApiCall) -> list[Check]:
    """Return what an STS operation needs; session tags and source identities are permissions of their own."""
    if call.operation != "AssumeRole":
        return [Check(f"sts:{call.operation}")]
    context: dict[str, Any] = {key: call.params[name] for name, key in _CONTEXT.items() if name in call.params}
    tags = call.params.get("Tags") or []
    if tags:
        context["aws:TagKeys"] = [tag["Key"] for tag in tags]
        context.update({f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in tags})
    actions = ["AssumeRole", *(["TagSession"] if tags else [])]
    if "SourceIdentity" in call.params:
        actions.append("SetSourceIdentity")
    role = str(call.params.get("RoleArn", "*"))
    return [Check(f"sts:{action}", role, context) for action in actions]
