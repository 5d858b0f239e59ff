"""Templates of a few resources, and stacks made of them without the CDK."""

from __future__ import annotations

import itertools
import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.local.clients import Clients, ServiceClients
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT

if TYPE_CHECKING:
    from remediator.local.account import EmbeddedAccount

Template = dict[str, Any]
_numbers = itertools.count()


def trusts(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allows(*actions: str, resource: Any = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def function_resources(source: str, *actions: str, **properties: Any) -> Template:
    """Return a function with a role that may do `actions` and write logs."""
    document = allows("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", *actions)
    return {
        "Role": resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument=trusts("lambda.amazonaws.com"),
            Policies=[{"PolicyName": "own", "PolicyDocument": document}],
        ),
        "Function": resource(
            "AWS::Lambda::Function",
            Role={"Fn::GetAtt": ["Role", "Arn"]},
            Runtime="python3.11",
            Handler="index.handler",
            Code={"ZipFile": textwrap.dedent(source)},
            **properties,
        ),
    }


@dataclass
class Deployed:
    """Hold a stack and change it."""

    account: EmbeddedAccount
    name: str

    @property
    def services(self) -> ServiceClients:
        admin = Clients(self.account.endpoint, self.account.region, self.account.identities.admin.credentials)
        return ServiceClients(admin, CUSTOMER_ACCOUNT)

    def client(self, service: str) -> Any:
        return self.services.client(service)

    def update(self, resources: Template, **sections: Any) -> str:
        """Update the stack; return its state."""
        body = json.dumps({"Resources": resources, **sections})
        self.client("cloudformation").update_stack(StackName=self.name, TemplateBody=body)
        return self.status

    def delete(self) -> None:
        self.client("cloudformation").delete_stack(StackName=self.name)

    @property
    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        return found

    @property
    def status(self) -> str:
        return str(self.described["StackStatus"])

    @property
    def reason(self) -> str:
        return str(self.described.get("StackStatusReason"))

    @property
    def events(self) -> list[tuple[str, str]]:
        """Return the history, oldest first: logical id and state."""
        listed = self.client("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(listed)]

    def physical_id(self, logical_id: str) -> str:
        listed = self.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        return str(next(one["PhysicalResourceId"] for one in listed if one["LogicalResourceId"] == logical_id))

    @property
    def physical_ids(self) -> dict[str, str]:
        listed = self.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}

    @property
    def outputs(self) -> dict[str, str]:
        return {one["OutputKey"]: one["OutputValue"] for one in self.described.get("Outputs", ())}


def deploy(account: EmbeddedAccount, resources: Template, **sections: Any) -> Deployed:
    """Make a stack."""
    stack = Deployed(account, f"stack-{next(_numbers)}")
    options = {name: sections.pop(name) for name in ("Tags", "RoleARN", "DisableRollback") if name in sections}
    body = json.dumps({"Resources": resources, **sections})
    stack.client("cloudformation").create_stack(StackName=stack.name, TemplateBody=body, **options)
    return stack
