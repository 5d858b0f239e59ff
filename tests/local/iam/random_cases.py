"""Random requests and policies, the same ones in every run."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.local.iam.corpus import BUCKET, FOREIGN, FUNCTION, INSTANCE, KEY, OBJECT, PUT, ROOT, SECRET, TABLE, TARGET
from tests.local.iam.iam_account import document
from tests.local.iam.oracle import ACCOUNT, OTHER_ACCOUNT, ROLE, SERVICE, SESSION, USER, Case

REQUESTS = [
    (PUT, BUCKET, ACCOUNT),
    ("s3:GetObject", OBJECT, ACCOUNT),
    ("s3:GetObject", OBJECT, OTHER_ACCOUNT),
    ("s3:ListAllMyBuckets", "*", ACCOUNT),
    ("secretsmanager:GetSecretValue", SECRET, ACCOUNT),
    ("dynamodb:PutItem", TABLE, ACCOUNT),
    ("ec2:CreateTags", INSTANCE, ACCOUNT),
    ("lambda:InvokeFunctionUrl", FUNCTION, ACCOUNT),
    ("kms:Decrypt", KEY, ACCOUNT),
    ("sts:AssumeRole", TARGET, ACCOUNT),
    ("sts:AssumeRole", FOREIGN, OTHER_ACCOUNT),
]
ACTIONS = [
    *("*", "s3:*", "s3:Get*", "s3:P?tBucket*", PUT, "s3:getobject", "secretsmanager:Get*", "sts:*", "sts:AssumeRole"),
    *("kms:Decrypt", "kms:*", "dynamodb:*", "dynamodb:PutItem", "ec2:*", "ec2:CreateTags", "lambda:Invoke*", "iam:*"),
]
RESOURCES = [
    *("*", "*", BUCKET, OBJECT, "arn:aws:s3:::b*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::other"),
    *(
        "arn:aws:secretsmanager:*:*:secret:team-a-??????",
        "arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team}-*",
    ),
    *(TABLE, "arn:aws:dynamodb:*:*:table/*", INSTANCE, "arn:aws:ec2:*:*:instance/*", FUNCTION, KEY),
    *(f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/*", TARGET, "arn:aws:iam::*:role/*", FOREIGN, "arn:aws:*:*:*:*"),
]
PRINCIPALS: list[Any] = [
    *("*", {"AWS": "*"}, {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": USER}, {"AWS": ROOT}, {"AWS": ACCOUNT}),
    *({"AWS": f"{ROLE}x"}, {"Service": SERVICE}, {"Service": "ec2.amazonaws.com"}, {"AWS": OTHER_ACCOUNT}),
    *({"AWS": [ROLE, ROOT]}, {"AWS": [USER, f"{ROLE}x"]}, {"AWS": [SESSION, ROLE, ROOT]}),
]
TEAM = "aws:PrincipalTag/team"
TEXT_KEYS = {
    "aws:RequestedRegion": ["eu-west-1", "us-east-1"],
    TEAM: ["team-a", "team-b", "*"],
    "aws:PrincipalTag/owner": ["team-a", "team-b"],
    "aws:UserAgent": ["cli", "sdk/1"],
}
TEXT_VALUES = [
    "eu-west-1",
    "eu-*",
    "us-east-1",
    "team-?",
    "team-a",
    "TEAM-A",
    "*",
    f"${{{TEAM}}}",
    "sdk${*}",
    "cli",
    "x",
]
NUMBERS = ["0", "5", "10", "100"]
DATES = ["2020-01-01T00:00:00Z", "2026-11-23T12:00:00Z", "2030-01-01T00:00:00Z", "2026-11-23T13:00:00+01:00"]
ADDRESSES = ["10.0.0.0/8", "192.0.2.0/24", "192.0.2.7/32", "0.0.0.0/1", "2001:db8::/32"]
ARNS = ["arn:aws:iam::*:role/*", ROLE, USER, "arn:aws:iam::*:user/*", "arn:*:iam::123456789012:*", "arn:aws:iam::*"]
ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
TEXTS = ["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"]
TRUTHS = ["true", "false"]
LISTS = {"ec2": "aws:TagKeys", "dynamodb": "dynamodb:LeadingKeys"}


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - the same cases in every run

    def case(self) -> Case:
        action, resource, owner = self.random.choice(REQUESTS)
        service = action.partition(":")[0]
        principal = self.random.choice([SESSION, SESSION, SESSION, USER, USER, SERVICE])
        trust = service == "sts"
        carries = trust or service == "kms" or owner != ACCOUNT or principal == SERVICE or self.chance(0.4)
        of_service = principal == SERVICE
        return Case(
            action=action,
            resource=resource,
            identity=[] if of_service else [self.policy(service) for _ in range(self.random.randint(1, 2))],
            context=self.context(service),
            policy=self.resource_policy(service) if carries and resource != "*" else None,
            boundary=self.policy(service) if not of_service and self.chance(0.25) else None,
            session=self.policy(service) if principal == SESSION and self.chance(0.25) else None,
            control=[self.policy(service) for _ in range(2)] if not of_service and self.chance(0.1) else [],
            principal=principal,
            resource_account=owner,
        )

    def chance(self, odds: float) -> bool:
        return self.random.random() < odds

    def some(self, values: list[Any], most: int = 3) -> list[Any]:
        return self.random.sample(values, self.random.randint(1, most))

    def context(self, service: str) -> dict[str, Any]:
        context: dict[str, Any] = {key: self.random.choice(v) for key, v in TEXT_KEYS.items() if self.chance(0.7)}
        extra = {
            "aws:SecureTransport": TRUTHS,
            "aws:SourceIp": ["192.0.2.7", "10.1.2.3", "2001:db8::1"],
            "aws:CurrentTime": DATES,
            "aws:TokenIssueTime": DATES,
            "aws:MultiFactorAuthAge": NUMBERS,
            **({"sts:ExternalId": ["right", "wrong"]} if service == "sts" else {}),
        }
        context.update({key: self.random.choice(values) for key, values in extra.items() if self.chance(0.75)})
        if service in LISTS and self.chance(0.7):
            context[LISTS[service]] = self.some(["a", "b", "c"])
        return context

    def policy(self, service: str) -> dict[str, Any]:
        return document(*(self.statement(service) for _ in range(self.random.randint(1, 3))))

    def statement(self, service: str) -> dict[str, Any]:
        effect = "Deny" if self.chance(0.15) else "Allow"
        no_action, no_resource = self.chance(0.07), self.chance(0.05)
        return {
            "Effect": effect,
            "NotAction" if no_action else "Action": self.some(ACTIONS[1:] if no_action else ACTIONS, 4),
            "NotResource" if no_resource else "Resource": self.some(RESOURCES[2:] if no_resource else RESOURCES, 4),
            **self.condition(service, 0.4),
        }

    def resource_policy(self, service: str) -> dict[str, Any]:
        return document(*(self.resource_statement(service) for _ in range(self.random.randint(1, 3))))

    def resource_statement(self, service: str) -> dict[str, Any]:
        statement = self.statement(service) if service != "sts" else {"Effect": "Allow", "Action": "sts:AssumeRole"}
        if service == "sts":
            statement["Effect"] = "Deny" if self.chance(0.15) else "Allow"
            statement.update(self.condition(service, 0.5))
        # AWS refuses NotPrincipal with Allow in trust policies, and advises against it everywhere.
        unless = statement["Effect"] == "Deny" and service != "sts" and self.chance(0.3)
        principal = self.random.choice(PRINCIPALS[2:] if unless else PRINCIPALS)
        return {**statement, "NotPrincipal" if unless else "Principal": principal}

    def condition(self, service: str, odds: float) -> dict[str, Any]:
        if not self.chance(odds):
            return {}
        block: dict[str, Any] = {}
        for _ in range(self.random.randint(1, 2)):
            operator, key, values = self.test(service)
            block.setdefault(operator, {})[key] = values
        return {"Condition": block}

    def test(self, service: str) -> tuple[str, str, Any]:
        if service in LISTS and self.chance(0.4):
            qualifier = self.random.choice(["ForAnyValue:", "ForAllValues:", "ForAllValues:", ""])
            return f"{qualifier}String{self.random.choice(TEXTS)}", LISTS[service], self.some(["a", "b", "?", "x*"])
        if service == "sts" and self.chance(0.5):
            return "StringEquals", "sts:ExternalId", self.random.choice(["right", "other"])
        exists = "IfExists" if self.chance(0.2) else ""
        kinds = {
            "text": lambda: (
                f"String{self.random.choice(TEXTS)}{exists}",
                self.random.choice(list(TEXT_KEYS)),
                TEXT_VALUES,
            ),
            "number": lambda: (f"Numeric{self.random.choice(ORDERS)}{exists}", "aws:MultiFactorAuthAge", NUMBERS),
            "date": lambda: (
                f"Date{self.random.choice(ORDERS)}{exists}",
                self.random.choice(["aws:CurrentTime", "aws:TokenIssueTime"]),
                DATES,
            ),
            "truth": lambda: (f"Bool{exists}", "aws:SecureTransport", TRUTHS),
            "address": lambda: (f"{self.random.choice(['', 'Not'])}IpAddress{exists}", "aws:SourceIp", ADDRESSES),
            "arn": lambda: (
                f"Arn{self.random.choice(['Like', 'Equals', 'NotLike', 'NotEquals'])}{exists}",
                "aws:PrincipalArn",
                ARNS,
            ),
            "null": lambda: ("Null", self.random.choice(["aws:TokenIssueTime", TEAM]), TRUTHS),
        }
        operator, key, values = self.random.choice(list(kinds.values()))()
        chosen = self.some(list(values), 2) if operator != "Null" else [self.random.choice(TRUTHS)]
        return operator, key, chosen[0] if len(chosen) == 1 else chosen


def random_cases(number: int, seed: int) -> list[Case]:
    maker = Maker(seed)
    return [maker.case() for _ in range(number)]
