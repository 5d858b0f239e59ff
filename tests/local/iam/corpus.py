"""The hand-made cases: each is one rule of AWS's documentation, with the answer that the documentation gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.local.iam.iam_account import allow, deny, document
from tests.local.iam.oracle import ACCOUNT, OTHER_ACCOUNT, ROLE, SERVICE, SESSION, USER, Case

PUT = "s3:PutBucketPublicAccessBlock"
BUCKET = "arn:aws:s3:::bucket"
OTHER = "arn:aws:s3:::other"
OBJECT = "arn:aws:s3:::bucket/key"
TARGET = f"arn:aws:iam::{ACCOUNT}:role/target"
FOREIGN = f"arn:aws:iam::{OTHER_ACCOUNT}:role/target"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
SECRET = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:team-a-AbCdEf"
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/state"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:remediate"
INSTANCE = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1234567890abcdef0"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@dataclass(frozen=True)
class Known:
    """A case, its right answer, and why the oracle answers otherwise where it does."""

    rule: str
    allowed: bool
    case: Case
    oracle_differs: str = ""


def put(*statements: dict[str, Any], resource: str = BUCKET, **more: Any) -> Case:
    return Case(PUT, resource, [document(*statements)], **more)


def when(condition: dict[str, Any], context: dict[str, Any] | None = None) -> Case:
    return put(allow(PUT, BUCKET, Condition=condition), context=context or {})


def grant(principal: Any, action: str, resource: str | None = "*", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return document(statement if resource is None else {**statement, "Resource": resource})


def assume(trusted: Any, *identity: dict[str, Any], resource: str = TARGET, **more: Any) -> Case:
    condition = {"Condition": more.pop("condition")} if "condition" in more else {}
    policy = None if trusted is None else grant(trusted, "sts:AssumeRole", None, **condition)
    return Case("sts:AssumeRole", resource, [document(*identity)] if identity else [], policy=policy, **more)


MAY_ASSUME = allow("sts:AssumeRole")
RIGHT_ID = {"StringEquals": {"sts:ExternalId": "right"}}
DAY = {"aws:CurrentTime": "2026-11-23T12:00:00Z"}
WINDOW = {
    "DateGreaterThanEquals": {"aws:CurrentTime": "2026-11-23T11:55:00Z"},
    "DateLessThan": {"aws:CurrentTime": "2026-11-23T12:01:00Z"},
}

STATEMENTS = [
    Known("an Allow allows", True, put(allow(PUT, BUCKET))),
    Known("another action isn't allowed", False, put(allow("s3:GetBucketAcl", BUCKET))),
    Known("another resource isn't allowed", False, put(allow(PUT, BUCKET), resource=OTHER)),
    Known("nothing is allowed by nothing", False, Case(PUT, BUCKET, [])),
    Known("an explicit Deny wins", False, put(allow("s3:*"), deny(PUT))),
    Known("a Deny in another policy wins", False, Case(PUT, BUCKET, [document(allow("*")), document(deny(PUT))])),
    Known("a wildcard in the action", True, put(allow("s3:Put*", BUCKET))),
    Known("a question mark in the action", True, put(allow("s3:?utBucketPublicAccessBlock", BUCKET))),
    Known("actions ignore case", True, put(allow("S3:putbucketpublicaccessblock", BUCKET))),
    Known("a question mark in the resource", True, put(allow(PUT, "arn:aws:s3:::b?cket"))),
    Known("resources heed case", False, put(allow(PUT, "arn:aws:s3:::Bucket"))),
    Known(
        "a wildcard reaches over slashes",
        True,
        Case("s3:GetObject", OBJECT + "/x", [document(allow("s3:*", OBJECT + "*"))]),
    ),
    Known("NotAction allows the rest", True, put({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})),
    Known(
        "NotAction doesn't allow what it names", False, put({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})
    ),
    Known(
        "NotResource denies the rest",
        False,
        put(allow("*"), {"Effect": "Deny", "Action": "s3:*", "NotResource": OTHER}),
    ),
    Known(
        "NotResource spares what it names",
        True,
        put(allow("*"), {"Effect": "Deny", "Action": "s3:*", "NotResource": BUCKET}),
    ),
    Known(
        "an action without resource needs the star", True, Case("s3:ListAllMyBuckets", "*", [document(allow("s3:*"))])
    ),
    Known("… and no ARN will do", False, Case("s3:ListAllMyBuckets", "*", [document(allow("s3:*", BUCKET))])),
]
CONDITIONS = [
    Known(
        "StringEquals met",
        True,
        when({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, {"aws:RequestedRegion": "eu-west-1"}),
    ),
    Known(
        "StringEquals unmet",
        False,
        when({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, {"aws:RequestedRegion": "us-east-1"}),
    ),
    Known("StringEquals on an absent key", False, when({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})),
    Known(
        "several values are alternatives",
        True,
        when({"StringEquals": {"aws:RequestedRegion": ["a", "eu-west-1"]}}, {"aws:RequestedRegion": "eu-west-1"}),
    ),
    Known(
        "several keys must all be met",
        False,
        when({"StringEquals": {"aws:RequestedRegion": "a", "aws:PrincipalArn": ROLE}}, {"aws:RequestedRegion": "b"}),
    ),
    Known(
        "keys ignore case",
        True,
        when({"StringEquals": {"AWS:requestedregion": "eu-west-1"}}, {"aws:RequestedRegion": "eu-west-1"}),
    ),
    Known("StringNotEquals is met by an absent key", True, when({"StringNotEquals": {"aws:PrincipalTag/team": "a"}})),
    Known(
        "StringNotEquals means none of the values",
        False,
        when({"StringNotEquals": {"aws:RequestedRegion": ["a", "b"]}}, {"aws:RequestedRegion": "b"}),
    ),
    Known(
        "StringEqualsIgnoreCase",
        True,
        when({"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "RED"}}, {"aws:PrincipalTag/team": "red"}),
    ),
    Known(
        "StringNotEqualsIgnoreCase",
        False,
        when({"StringNotEqualsIgnoreCase": {"aws:PrincipalTag/team": "RED"}}, {"aws:PrincipalTag/team": "red"}),
    ),
    Known(
        "StringEquals knows no wildcards",
        False,
        when({"StringEquals": {"aws:RequestedRegion": "eu-*"}}, {"aws:RequestedRegion": "eu-west-1"}),
    ),
    Known(
        "StringLike does",
        True,
        when({"StringLike": {"aws:RequestedRegion": "eu-*"}}, {"aws:RequestedRegion": "eu-west-1"}),
    ),
    Known(
        "StringNotLike",
        False,
        when({"StringNotLike": {"aws:RequestedRegion": "eu-*"}}, {"aws:RequestedRegion": "eu-west-1"}),
    ),
    Known("IfExists passes an absent key", True, when({"StringEqualsIfExists": {"aws:PrincipalTag/team": "a"}})),
    Known(
        "IfExists tests a present key",
        False,
        when({"StringEqualsIfExists": {"aws:PrincipalTag/team": "a"}}, {"aws:PrincipalTag/team": "b"}),
    ),
    Known("Null true: absent", True, when({"Null": {"aws:TokenIssueTime": "true"}})),
    Known(
        "Null true: present",
        False,
        when({"Null": {"aws:TokenIssueTime": "true"}}, {"aws:TokenIssueTime": "2026-11-23T12:00:00Z"}),
    ),
    Known(
        "Null false: present",
        True,
        when({"Null": {"aws:TokenIssueTime": False}}, {"aws:TokenIssueTime": "2026-11-23T12:00:00Z"}),
    ),
    Known("Bool", True, when({"Bool": {"aws:SecureTransport": "true"}}, {"aws:SecureTransport": "true"})),
    Known("Bool as JSON's own", False, when({"Bool": {"aws:SecureTransport": True}}, {"aws:SecureTransport": "false"})),
    Known(
        "NumericLessThanEquals",
        True,
        when({"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "300"}}, {"aws:MultiFactorAuthAge": "300"}),
    ),
    Known(
        "NumericGreaterThan compares numbers, not text",
        True,
        when({"NumericGreaterThan": {"aws:MultiFactorAuthAge": "99"}}, {"aws:MultiFactorAuthAge": "100"}),
    ),
    Known(
        "NumericNotEquals",
        True,
        when({"NumericNotEquals": {"aws:MultiFactorAuthAge": "1"}}, {"aws:MultiFactorAuthAge": "2"}),
    ),
    Known("DateLessThan before", True, when({"DateLessThan": {"aws:CurrentTime": "2026-11-23T12:00:01Z"}}, DAY)),
    Known(
        "DateLessThan at the moment", False, when({"DateLessThan": {"aws:CurrentTime": "2026-11-23T12:00:00Z"}}, DAY)
    ),
    Known(
        "DateGreaterThanEquals at the moment",
        True,
        when({"DateGreaterThanEquals": {"aws:CurrentTime": "2026-11-23T12:00:00Z"}}, DAY),
    ),
    Known("dates in another zone", True, when({"DateEquals": {"aws:CurrentTime": "2026-11-23T13:00:00+01:00"}}, DAY)),
    Known("a window of dates", True, when(WINDOW, DAY)),
    Known("after the window", False, when(WINDOW, {"aws:CurrentTime": "2026-11-23T12:01:00Z"})),
    Known(
        "sessions issued before a moment are cut off",
        False,
        put(
            allow("*"),
            deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": "2026-11-23T00:00:00Z"}}),
            context={"aws:TokenIssueTime": "2026-11-22T00:00:00Z"},
        ),
    ),
    Known(
        "IpAddress in the range",
        True,
        when({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {"aws:SourceIp": "192.0.2.7"}),
    ),
    Known(
        "IpAddress outside",
        False,
        when({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/25"]}}, {"aws:SourceIp": "192.0.2.200"}),
    ),
    Known(
        "NotIpAddress", False, when({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {"aws:SourceIp": "192.0.2.7"})
    ),
    Known("IPv6", True, when({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, {"aws:SourceIp": "2001:db8::1"})),
    Known(
        "all of IPv4",
        True,
        when({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, {"aws:SourceIp": "192.0.2.7"}),
        "every IPv4 address is in 0.0.0.0/0; the oracle's mask for /0 overflows to /32",
    ),
    Known(
        "an IPv6 address isn't an IPv4 address",
        True,
        when({"NotIpAddress": {"aws:SourceIp": "192.0.2.7"}}, {"aws:SourceIp": "2001:db8::1"}),
        "the oracle says so of 192.0.2.7/32, but for the bare address it finds neither IpAddress nor NotIpAddress met",
    ),
    Known("ArnLike part by part", True, when({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/call*"}})),
    Known("ArnLike's star stops at a colon", False, when({"ArnLike": {"aws:PrincipalArn": "arn:aws:*:role/caller"}})),
    Known(
        "ArnEquals knows wildcards too", True, when({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/caller"}})
    ),
    Known("ArnNotLike", False, when({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}})),
    Known(
        "an unmet Deny doesn't deny",
        True,
        put(
            allow(PUT),
            deny(PUT, Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}),
            context={"aws:RequestedRegion": "eu-west-1"},
        ),
    ),
    Known(
        "a variable in the resource",
        True,
        Case(
            "secretsmanager:GetSecretValue",
            SECRET,
            [
                document(
                    allow(
                        "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team}-*"
                    )
                )
            ],
            {"aws:PrincipalTag/team": "team-a"},
        ),
    ),
    Known(
        "a variable without value matches nothing",
        False,
        Case(
            "secretsmanager:GetSecretValue",
            SECRET,
            [
                document(
                    allow(
                        "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team}*"
                    )
                )
            ],
        ),
    ),
    Known(
        "a variable's default",
        True,
        when(
            {"StringEquals": {"aws:RequestedRegion": "${aws:PrincipalTag/home, 'eu-west-1'}"}},
            {"aws:RequestedRegion": "eu-west-1"},
        ),
    ),
    Known(
        "a variable in a condition",
        True,
        when(
            {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/owner}"}},
            {"aws:PrincipalTag/team": "a", "aws:PrincipalTag/owner": "a"},
        ),
    ),
    Known(
        "a value's wildcards are only characters",
        False,
        when(
            {"StringLike": {"aws:PrincipalTag/team": "${aws:PrincipalTag/owner}"}},
            {"aws:PrincipalTag/team": "anything", "aws:PrincipalTag/owner": "*"},
        ),
    ),
    Known(
        "an escaped star",
        False,
        when({"StringLike": {"aws:PrincipalTag/team": "a${*}"}}, {"aws:PrincipalTag/team": "ab"}),
    ),
    Known(
        "an escaped star is a star",
        True,
        when({"StringLike": {"aws:PrincipalTag/team": "a${*}"}}, {"aws:PrincipalTag/team": "a*"}),
    ),
    Known(
        "ForAnyValue: one will do",
        True,
        Case(
            "ec2:CreateTags",
            INSTANCE,
            [
                document(
                    allow("ec2:CreateTags", "*", Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}})
                )
            ],
            {"aws:TagKeys": ["b", "c"]},
        ),
    ),
    Known(
        "ForAnyValue: an absent key won't",
        False,
        Case(
            "ec2:CreateTags",
            INSTANCE,
            [document(allow("ec2:CreateTags", "*", Condition={"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}))],
        ),
    ),
    Known(
        "ForAllValues: one too many",
        False,
        Case(
            "ec2:CreateTags",
            INSTANCE,
            [
                document(
                    allow("ec2:CreateTags", "*", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}})
                )
            ],
            {"aws:TagKeys": ["b", "c"]},
        ),
    ),
    Known(
        "ForAllValues: all of none",
        True,
        Case(
            "ec2:CreateTags",
            INSTANCE,
            [document(allow("ec2:CreateTags", "*", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}))],
        ),
    ),
    Known(
        "ForAllValues with StringLike: leading keys",
        False,
        Case(
            "dynamodb:GetItem",
            TABLE,
            [
                document(
                    allow(
                        "dynamodb:GetItem",
                        TABLE,
                        Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["control", "window/*"]}},
                    )
                )
            ],
            {"dynamodb:LeadingKeys": ["count/x"]},
        ),
    ),
    Known(
        "many values without a qualifier never match",
        False,
        Case(
            "ec2:CreateTags",
            INSTANCE,
            [document(allow("ec2:CreateTags", "*", Condition={"StringEquals": {"aws:TagKeys": ["a", "b"]}}))],
            {"aws:TagKeys": ["a", "b"]},
        ),
    ),
]
LIMITS = [
    Known("a boundary excludes", False, put(allow("*"), boundary=document(allow("dynamodb:*")))),
    Known("a boundary includes", True, put(allow("*"), boundary=document(allow("s3:*")))),
    Known("a boundary grants nothing", False, Case(PUT, BUCKET, [], boundary=document(allow("*")))),
    Known("a boundary's Deny denies", False, put(allow("*"), boundary=document(allow("*"), deny(PUT)))),
    Known("a session policy excludes", False, put(allow("*"), session=document(allow("s3:GetObject")))),
    Known("a session policy includes", True, put(allow(PUT, BUCKET), session=document(allow("s3:*")))),
    Known("a session policy adds nothing", False, put(allow("dynamodb:*"), session=document(allow("*")))),
    Known(
        "a session policy narrows the resource",
        False,
        put(allow("s3:*"), resource=OTHER, session=document(allow(PUT, BUCKET))),
    ),
    Known(
        "a session policy ends",
        False,
        put(
            allow("*"),
            session=document(allow("*", Condition=WINDOW)),
            context={"aws:CurrentTime": "2026-11-23T13:00:00Z"},
        ),
    ),
    Known("a service control policy denies", False, put(allow("*"), control=[document(allow("*"), deny("s3:*"))])),
    Known("a service control policy must allow", False, put(allow("*"), control=[document(allow("ec2:*"))])),
    Known("every level of them must", False, put(allow("*"), control=[document(allow("*")), document(allow("ec2:*"))])),
    Known("… and then allows", True, put(allow("*"), control=[document(allow("*")), document(allow("s3:*"))])),
]
TRUST = [
    Known("a role trusts a role; no identity policy is needed in the account", True, assume({"AWS": ROLE})),
    Known("a role trusts a user", True, assume({"AWS": USER}, principal=USER)),
    Known("a role trusts another role", False, assume({"AWS": f"{ROLE}x"}, MAY_ASSUME)),
    Known("no trust, no role", False, assume({"AWS": []}, MAY_ASSUME)),
    Known("external id right", True, assume({"AWS": ROLE}, condition=RIGHT_ID, context={"sts:ExternalId": "right"})),
    Known(
        "external id wrong",
        False,
        assume({"AWS": ROLE}, MAY_ASSUME, condition=RIGHT_ID, context={"sts:ExternalId": "wrong"}),
    ),
    Known("external id missing", False, assume({"AWS": ROLE}, MAY_ASSUME, condition=RIGHT_ID)),
    Known("trust in the account asks its IAM", True, assume({"AWS": ROOT}, MAY_ASSUME)),
    Known("… which may not allow", False, assume({"AWS": ROOT}, allow("s3:*"))),
    Known("trust in the account by its number", True, assume({"AWS": ACCOUNT}, MAY_ASSUME)),
    Known("trust in a service isn't trust in a role", False, assume({"Service": SERVICE}, MAY_ASSUME)),
    Known("trust in a service", True, assume({"Service": SERVICE}, principal=SERVICE)),
    Known("trust in another service", False, assume({"Service": "ec2.amazonaws.com"}, principal=SERVICE)),
    Known("trust in everybody", True, assume("*")),
    Known(
        "trust within the window",
        True,
        assume({"AWS": ROLE}, condition={**RIGHT_ID, **WINDOW}, context={"sts:ExternalId": "right", **DAY}),
    ),
    Known(
        "trust after the window",
        False,
        assume(
            {"AWS": ROLE},
            MAY_ASSUME,
            condition={**RIGHT_ID, **WINDOW},
            context={"sts:ExternalId": "right", "aws:CurrentTime": "2026-11-23T12:02:00Z"},
        ),
    ),
    Known("the caller's Deny counts against its trust", False, assume({"AWS": ROLE}, deny("sts:AssumeRole"))),
    Known(
        "the caller's boundary limits what its role is trusted with",
        False,
        assume({"AWS": ROLE}, boundary=document(allow("s3:*"))),
    ),
    Known(
        "another account's trust needs the own identity policy too",
        False,
        assume({"AWS": ROLE}, allow("s3:*"), resource=FOREIGN, resource_account=OTHER_ACCOUNT),
    ),
    Known(
        "both sides allow", True, assume({"AWS": ROLE}, MAY_ASSUME, resource=FOREIGN, resource_account=OTHER_ACCOUNT)
    ),
    Known(
        "the own identity policy isn't enough in another account",
        False,
        assume({"AWS": ROLE + "x"}, MAY_ASSUME, resource=FOREIGN, resource_account=OTHER_ACCOUNT),
    ),
    Known(
        "another account's trust in the account",
        True,
        assume({"AWS": ROOT}, MAY_ASSUME, resource=FOREIGN, resource_account=OTHER_ACCOUNT),
    ),
]
RESOURCE_POLICIES = [
    Known(
        "a key's policy must allow",
        False,
        Case("kms:Decrypt", KEY, [document(allow("kms:Decrypt"))], policy=grant({"AWS": f"{ROLE}x"}, "kms:*")),
    ),
    Known(
        "a key's policy may ask the account's IAM",
        True,
        Case("kms:Decrypt", KEY, [document(allow("kms:Decrypt"))], policy=grant({"AWS": ROOT}, "kms:*")),
    ),
    Known(
        "… which may not allow the key",
        False,
        Case("kms:Decrypt", KEY, [document(allow("s3:*"))], policy=grant({"AWS": ROOT}, "kms:*")),
    ),
    Known(
        "a key's policy may allow by itself",
        True,
        Case("kms:Decrypt", KEY, [], policy=grant({"AWS": ROLE}, "kms:Decrypt")),
    ),
    Known(
        "a key only via a service",
        False,
        Case(
            "kms:Decrypt",
            KEY,
            [document(allow("kms:*"))],
            {"kms:ViaService": "s3.eu-west-1.amazonaws.com"},
            policy=grant(
                {"AWS": ROLE},
                "kms:Decrypt",
                Condition={"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}},
            ),
        ),
    ),
    Known(
        "a bucket's policy allows a role of the account by itself",
        True,
        Case("s3:GetObject", OBJECT, [], policy=grant({"AWS": ROLE}, "s3:GetObject", OBJECT)),
    ),
    Known(
        "a bucket's policy on another resource",
        False,
        Case("s3:GetObject", OBJECT, [], policy=grant({"AWS": ROLE}, "s3:GetObject", BUCKET)),
    ),
    Known(
        "a bucket's policy for the account asks its IAM",
        False,
        Case("s3:GetObject", OBJECT, [], policy=grant({"AWS": ROOT}, "s3:GetObject", OBJECT)),
    ),
    Known(
        "a bucket's Deny",
        False,
        Case(
            "s3:GetObject",
            OBJECT,
            [document(allow("*"))],
            policy=document(deny("s3:*", [BUCKET, OBJECT], Principal="*")),
        ),
    ),
    Known(
        "another account's bucket: both must allow",
        False,
        Case(
            "s3:GetObject",
            OBJECT,
            [],
            policy=grant({"AWS": ROLE}, "s3:GetObject", OBJECT),
            resource_account=OTHER_ACCOUNT,
        ),
    ),
    Known(
        "another account's bucket: both allow",
        True,
        Case(
            "s3:GetObject",
            OBJECT,
            [document(allow("s3:*"))],
            policy=grant({"AWS": ACCOUNT}, "s3:GetObject", OBJECT),
            resource_account=OTHER_ACCOUNT,
        ),
    ),
    Known(
        "NotPrincipal spares whom it names",
        True,
        Case(
            "s3:GetObject",
            OBJECT,
            [document(allow("s3:*"))],
            policy=document(
                {"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, SESSION, ROOT]}, "Action": "s3:*", "Resource": OBJECT}
            ),
        ),
    ),
    Known(
        "NotPrincipal denies everybody else",
        False,
        Case(
            "s3:GetObject",
            OBJECT,
            [document(allow("s3:*"))],
            policy=document(
                {"Effect": "Deny", "NotPrincipal": {"AWS": f"{ROLE}x"}, "Action": "s3:*", "Resource": OBJECT}
            ),
        ),
    ),
    Known(
        "NotPrincipal denies whoever has a boundary",
        False,
        Case(
            "s3:GetObject",
            OBJECT,
            [document(allow("s3:*"))],
            boundary=document(allow("*")),
            policy=document(
                {"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, SESSION, ROOT]}, "Action": "s3:*", "Resource": OBJECT}
            ),
        ),
    ),
    Known(
        "a role named by a resource is limited by its boundary",
        False,
        Case(
            "s3:GetObject",
            OBJECT,
            [],
            boundary=document(allow("ec2:*")),
            policy=grant({"AWS": ROLE}, "s3:GetObject", OBJECT),
        ),
    ),
    Known(
        "a session named by a resource is not",
        True,
        Case(
            "s3:GetObject",
            OBJECT,
            [],
            boundary=document(allow("ec2:*")),
            policy=grant({"AWS": SESSION}, "s3:GetObject", OBJECT),
        ),
    ),
    Known(
        "a user named by a resource is not",
        True,
        Case(
            "s3:GetObject",
            OBJECT,
            [],
            boundary=document(allow("ec2:*")),
            policy=grant({"AWS": USER}, "s3:GetObject", OBJECT),
            principal=USER,
        ),
    ),
    Known(
        "everybody, named by a resource, is not",
        True,
        Case("s3:GetObject", OBJECT, [], boundary=document(allow("ec2:*")), policy=grant("*", "s3:GetObject", OBJECT)),
    ),
    Known(
        "but a boundary's Deny denies a session",
        False,
        Case(
            "s3:GetObject",
            OBJECT,
            [],
            boundary=document(deny("s3:*")),
            policy=grant({"AWS": SESSION}, "s3:GetObject", OBJECT),
        ),
    ),
    Known(
        "a role named by a resource is limited by its session's policy",
        False,
        Case(
            "s3:GetObject",
            OBJECT,
            [],
            session=document(allow("ec2:*")),
            policy=grant({"AWS": ROLE}, "s3:GetObject", OBJECT),
        ),
    ),
    Known(
        "a session named by a resource isn't limited by its own policy",
        True,
        Case(
            "s3:GetObject",
            OBJECT,
            [],
            session=document(allow("ec2:*")),
            policy=grant({"AWS": SESSION}, "s3:GetObject", OBJECT),
        ),
        "IAM User Guide, 'Session policies': permissions of a resource-based policy that names the session are added "
        "after the session is created and aren't limited by the session policy; the oracle always limits",
    ),
    Known(
        "a function's URL by its auth type",
        True,
        Case(
            "lambda:InvokeFunctionUrl",
            FUNCTION,
            [document(allow("lambda:InvokeFunctionUrl", FUNCTION))],
            {"lambda:FunctionUrlAuthType": "AWS_IAM"},
            policy=grant(
                {"AWS": ROLE},
                "lambda:InvokeFunctionUrl",
                FUNCTION,
                Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
            ),
        ),
    ),
    Known(
        "a function's policy doesn't allow a direct call",
        False,
        Case(
            "lambda:InvokeFunction",
            FUNCTION,
            [],
            policy=grant(
                {"AWS": ROLE},
                "lambda:InvokeFunction",
                FUNCTION,
                Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
            ),
        ),
    ),
]

ALL = [*STATEMENTS, *CONDITIONS, *LIMITS, *TRUST, *RESOURCE_POLICIES]
