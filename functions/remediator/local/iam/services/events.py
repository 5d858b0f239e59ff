"""EventBridge: putting events, each on its bus, narrowed by what it says it is.

Source: Service Authorization Reference, "Amazon EventBridge".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.local.iam.check import Check

from . import by_parameter

if TYPE_CHECKING:
    from remediator.local.iam.apicall import ApiCall


def checks(call: ApiCall) -> list[Check]:
    """Return what an operation needs: for events the bus of each, for a rule the roles that its targets are passed."""
    if call.operation == "PutEvents":
        return [_put(call, entry) for entry in call.params.get("Entries", ())]
    return [*by_parameter.checks(call), *_passed_roles(call)]


def _put(call: ApiCall, entry: dict[str, str]) -> Check:
    bus = entry.get("EventBusName") or "default"
    context: dict[str, str | list[str]] = {
        "events:source": [str(entry.get("Source", ""))],
        "events:detail-type": str(entry.get("DetailType", "")),
    }
    return Check("events:PutEvents", bus if bus.startswith("arn:") else call.arn(f"event-bus/{bus}"), context)


def _passed_roles(call: ApiCall) -> list[Check]:
    roles = {str(target["RoleArn"]) for target in call.params.get("Targets", ()) if target.get("RoleArn")}
    return [Check("iam:PassRole", role, {"iam:PassedToService": "events.amazonaws.com"}) for role in sorted(roles)]
