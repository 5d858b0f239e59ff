"""Read a synthesized template as what it becomes in an account: names and policies written out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from remediator.local.iam.evaluator import Decision, Policies, Request, evaluate
from remediator.local.iam.policy import Policy
from remediator.local.iam.principal import Principal

ACCOUNT = "123456789012"
REGION = "eu-west-1"
DEPLOYMENT = "5f0a1b2c-3d4e-4f50-8a9b-0c1d2e3f4a5b"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VENDOR = "arn:aws:iam::999999999999:role/vendor"
OPERATOR = f"arn:aws:iam::{ACCOUNT}:role/security-operations"
EXTERNAL_ID = "c0ffee00-1234-4abc-9def-0123456789ab"

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Remediator/{DEPLOYMENT}",
    "AWS::URLSuffix": "amazonaws.com",
}


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


STATE = arn("dynamodb", "table/remediator-state")
RECEIPTS_TABLE = f"remediator-receipts-{DEPLOYMENT}"
RECEIPTS = arn("dynamodb", f"table/{RECEIPTS_TABLE}")
FORMER_RECEIPTS = arn("dynamodb", "table/remediator-receipts-of-a-former-deployment")
ROTATE = arn("lambda", "function:remediator-rotate")
REMEDIATE = arn("lambda", "function:remediator-remediate")
SECRETS = [arn("secretsmanager", f"secret:remediator/seed/{slot}-AbCdEf") for slot in range(6)]
DEAD_LETTERS = arn("sqs", "remediator-dead-letters")


@dataclass(frozen=True)
class Deployed:
    """A template, with CloudFormation's functions carried out."""

    template: dict[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type, by logical id."""
        return {
            name: self.written_out(resource["Properties"])
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def one(self, kind: str, **properties: str) -> dict[str, Any]:
        """Return the properties of the one resource of a type that has these."""
        (found,) = [
            one
            for one in self.of_type(kind).values()
            if all(one.get(key) == value for key, value in properties.items())
        ]
        return found

    def resource(self, kind: str, **properties: str) -> dict[str, Any]:
        """Return the whole resource, deletion policy included."""
        wanted = self.one(kind, **properties)
        (found,) = [
            one
            for one in self.template["Resources"].values()
            if one["Type"] == kind and self.written_out(one["Properties"]) == wanted
        ]
        return dict(found)

    @property
    def outputs(self) -> dict[str, Any]:
        return {name: self.written_out(output["Value"]) for name, output in self.template["Outputs"].items()}

    @property
    def roles(self) -> dict[str, dict[str, Any]]:
        return {one["RoleName"]: one for one in self.of_type("AWS::IAM::Role").values()}

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return the statements of a role's inline policies."""
        return [one for policy in self.roles[role]["Policies"] for one in policy["PolicyDocument"]["Statement"]]

    def statement(self, role: str, sid: str) -> dict[str, Any]:
        (found,) = [one for one in self.statements(role) if one.get("Sid") == sid]
        return found

    def managed(self, policy_arn: str) -> dict[str, Any]:
        """Return the document of a managed policy of the stack."""
        name = policy_arn.rpartition("/")[2]
        document: dict[str, Any] = self.one("AWS::IAM::ManagedPolicy", ManagedPolicyName=name)["PolicyDocument"]
        return document

    def asks(self, role: str, action: str, resource: str, **context: Any) -> Decision:
        """Decide whether a role of the stack may do something; context keys have `__` for `:`."""
        found = self.roles[role]
        inline = [Policy.parse(one["PolicyName"], one["PolicyDocument"]) for one in found["Policies"]]
        own = [name for name in found.get("ManagedPolicyArns", []) if f":{ACCOUNT}:" in name]
        boundary = found.get("PermissionsBoundary")
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session"
        request = Request(
            Principal(role_arn(role), session, ACCOUNT, f"AROA{role}:session", "ASIA", None),
            action,
            resource,
            ACCOUNT,
            {key.replace("__", ":"): value for key, value in context.items()},
        )
        policies = Policies(
            identity=[*inline, *(Policy.parse(name, self.managed(name)) for name in own)],
            boundary=Policy.parse("boundary", self.managed(boundary)) if boundary else None,
            resource=self._policy_of(resource),
        )
        return evaluate(request, policies)

    def written_out(self, value: Any) -> Any:  # noqa: PLR0911 - one case per function of CloudFormation
        """Carry out CloudFormation's functions."""
        match value:
            case {"Ref": str(name)}:
                known = PSEUDO | {one: about["Default"] for one, about in self.template.get("Parameters", {}).items()}
                return known[name] if name in known else self._identity(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attribute(name, attribute)
            case {"Fn::Join": [between, parts]}:
                return between.join(self.written_out(part) for part in parts)
            case {"Fn::Split": [between, whole]}:
                return self.written_out(whole).split(between)
            case {"Fn::Select": [index, parts]}:
                return self.written_out(parts)[int(index)]
            case {"Fn::Sub": str(text)}:
                for name, given in PSEUDO.items():
                    text = text.replace(f"${{{name}}}", str(given))
                return text
            case dict():
                return {name: self.written_out(part) for name, part in value.items()}
            case list():
                return [self.written_out(part) for part in value]
            case _:
                return value

    def _policy_of(self, resource: str) -> Policy | None:
        """Return the policy that a resource has itself: the key's, also of former deployments, the endpoint's."""
        if ":key/" in resource:
            return Policy.parse("key", self.one("AWS::KMS::Key")["KeyPolicy"])
        if resource == arn("lambda", "function:remediator-remediate"):
            permissions = self.of_type("AWS::Lambda::Permission").values()
            grants = [
                _grant(one) for one in permissions if arn("lambda", f"function:{one['FunctionName']}") == resource
            ]
            return Policy.parse("endpoint", {"Version": "2012-10-17", "Statement": grants})
        return None

    def _identity(self, name: str) -> str:
        resource = self.template["Resources"][name]
        properties = resource["Properties"]
        match resource["Type"]:
            case "AWS::SecretsManager::Secret":
                return arn("secretsmanager", f"secret:{self.written_out(properties['Name'])}-AbCdEf")
            case "AWS::IAM::ManagedPolicy":
                return f"arn:aws:iam::{ACCOUNT}:policy/{properties['ManagedPolicyName']}"
            case "AWS::SNS::Topic":
                return arn("sns", properties["TopicName"])
            case "AWS::SQS::Queue":
                return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{properties['QueueName']}"
            case "AWS::KMS::Key":
                return KEY.rpartition("/")[2]
            case _:
                names = ("FunctionName", "TableName", "RoleName")
                return str(self.written_out(next(properties[key] for key in names if key in properties)))

    def _attribute(self, name: str, attribute: str) -> str:  # noqa: PLR0911 - one case per kind of attribute
        resource = self.template["Resources"][name]
        match resource["Type"], attribute:
            case "AWS::IAM::Role", "Arn":
                return role_arn(self._identity(name))
            case "AWS::IAM::Role", "RoleId":
                return f"AROA{self._identity(name)}"
            case "AWS::KMS::Key", "Arn":
                return KEY
            case "AWS::Lambda::Function", "Arn":
                return arn("lambda", f"function:{self._identity(name)}")
            case "AWS::DynamoDB::Table", "Arn":
                return arn("dynamodb", f"table/{self._identity(name)}")
            case "AWS::SQS::Queue", ("Arn" | "QueueName"):
                queue = str(resource["Properties"]["QueueName"])
                return queue if attribute == "QueueName" else arn("sqs", queue)
            case "AWS::Events::Rule", "Arn":
                return arn("events", f"rule/{resource['Properties']['Name']}")
            case "AWS::Lambda::Url", "FunctionUrl":
                return f"https://abcdefghij.lambda-url.{REGION}.on.aws/"
        raise AssertionError(f"{name}.{attribute}")


def _grant(permission: dict[str, Any]) -> dict[str, Any]:
    """Return a Lambda permission as the statement that it becomes."""
    conditions: dict[str, Any] = {}
    if "FunctionUrlAuthType" in permission:
        conditions["StringEquals"] = {"lambda:FunctionUrlAuthType": permission["FunctionUrlAuthType"]}
    if "InvokedViaFunctionUrl" in permission:
        by_url = str(permission["InvokedViaFunctionUrl"]).lower()
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": by_url}
    return {
        "Effect": "Allow",
        "Principal": {"AWS": permission["Principal"]},
        "Action": permission["Action"],
        "Resource": arn("lambda", f"function:{permission['FunctionName']}"),
        "Condition": conditions,
    }
