"""What a policy allows to everybody, and what it doesn't."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.statements import NARROWING, Statement, listed, without_everybody
from tests.catalogue.toys import unhurried

PARTNER = "arn:aws:iam::111122223333:root"
ROLE = "arn:aws:iam::111122223333:role/reports"
ALLOW: Statement = {"Sid": "Any", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


def statement(change: dict[str, Any]) -> Statement:
    return {name: value for name, value in (ALLOW | change).items() if value is not None}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: values[0] if len(values) == 1 else [*values]}}}


PUBLIC: dict[str, dict[str, Any]] = {
    "everybody": {},
    "everybody with an account": {"Principal": {"AWS": "*"}},
    "everybody in a list": {"Principal": {"AWS": ["*"]}},
    "every service": {"Principal": {"Service": "*"}},
    "everybody that somebody vouches for": {"Principal": {"Federated": "graph.facebook.com"}},
    "principals by a pattern": {"Principal": {"AWS": "arn:aws:iam::*:root"}},
    "principals by a variable": {"Principal": {"AWS": "arn:aws:iam::${aws:PrincipalAccount}:root"}},
    "everybody but one": {"Principal": None, "NotPrincipal": {"AWS": PARTNER}},
    "over TLS": when("Bool", "aws:SecureTransport", "true"),
    "who calls himself so": when("StringLike", "aws:Referer", "https://example.com/"),
    "a tag that anybody may have": when("StringEquals", "aws:PrincipalTag/team", "red"),
    "all networks": when("StringLike", "aws:SourceVpc", "*"),
    "networks by a pattern": when("StringLike", "aws:SourceVpc", "vpc-*"),
    "networks by one character": when("StringLike", "aws:SourceVpc", "vpc-1234567?"),
    "a variable": when("StringEquals", "aws:SourceVpc", "${aws:PrincipalTag/vpc}"),
    "one of them by a pattern": when("StringLike", "aws:SourceVpc", "vpc-12345678", "vpc-*"),
    "the sessions of a role": when("StringLike", "aws:userid", "AROAEXAMPLEID:*"),
    "half of the internet": when("IpAddress", "aws:SourceIp", "0.0.0.0/1"),
    "a range broader than /8": when("IpAddress", "aws:SourceIp", "192.0.0.0/7"),
    "a range broader than /32": when("IpAddress", "aws:SourceIp", "2001:d80::/31"),
    "all of IPv6": when("IpAddress", "aws:SourceIp", "203.0.113.0/24", "::/0"),
    "no range at all": when("IpAddress", "aws:SourceIp", "203.0.113.0/33"),
    "all but one network": when("StringNotEquals", "aws:SourceVpc", "vpc-12345678"),
    "all but some addresses": when("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"),
    "where the key is there": when("StringEqualsIfExists", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    "all that there are": when("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/"),
    "where there is none": when("Null", "aws:SourceVpc", "true"),
    "any organization": when("StringLike", "aws:PrincipalOrgID", "o-*"),
    "paths in any organization": when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/r-ab12/"),
    "paths that go on after any": when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*/o-a1b2c3d4e5/*"),
    "a key of another service": when("StringEquals", "s3:DataAccessPointAccount", "111122223333"),
}

PRIVATE: dict[str, dict[str, Any]] = {
    "an account": {"Principal": {"AWS": PARTNER}},
    "accounts": {"Principal": {"AWS": [PARTNER, "444455556666"]}},
    "a service": {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
    "a canonical user": {"Principal": {"CanonicalUser": "79a59df900b949e5"}},
    "an account's identity provider": {"Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/acme"}},
    "a denial": {"Effect": "Deny"},
    "a denial to all but one": {"Effect": "Deny", "Principal": None, "NotPrincipal": {"AWS": PARTNER}},
    "an address": when("IpAddress", "aws:SourceIp", "203.0.113.7"),
    "a range": when("IpAddress", "aws:SourceIp", "203.0.113.0/24", "2001:db8::/32"),
    "the broadest range": when("IpAddress", "aws:SourceIp", "11.0.0.0/8"),
    "a private range": when("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
    "a range with bits to spare": when("IpAddress", "aws:SourceIp", "203.0.113.7/24"),
    "a network": when("StringEquals", "aws:SourceVpc", "vpc-12345678"),
    "an endpoint": when("StringEquals", "aws:SourceVpce", "vpce-12345678"),
    "a source": when("ArnEquals", "aws:SourceArn", "arn:aws:sns:eu-west-1:123456789012:topic"),
    "a source like itself": when("ArnLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:123456789012:topic"),
    "a source's account": when("StringEquals", "aws:SourceAccount", "123456789012"),
    "a source's owner": when("StringEquals", "aws:SourceOwner", "123456789012"),
    "an organization": when("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    "an organization's services": when("StringEquals", "aws:SourceOrgID", "o-a1b2c3d4e5"),
    "paths in one": when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/*"),
    "paths of sources in one": when("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-a1b2c3d4e5/r-ab12/*"),
    "a principal by a condition": when("ArnEquals", "aws:PrincipalArn", ROLE),
    "an account by a condition": when("StringEquals", "aws:PrincipalAccount", "111122223333"),
    "a service by a condition": when("StringEquals", "aws:PrincipalServiceName", "sns.amazonaws.com"),
    "a user's id": when("StringLike", "aws:userid", "AIDAEXAMPLEID"),
    "in any case": when("stringEqualsIgnoreCase", "AWS:SOURCEVPC", "vpc-12345678"),
    "one condition of several": {
        "Condition": {
            "Bool": {"aws:SecureTransport": "true"},
            "StringEquals": {"aws:PrincipalTag/team": "red", "aws:SourceVpc": ["vpc-12345678"]},
        }
    },
}


@pytest.mark.parametrize("change", PUBLIC.values(), ids=PUBLIC)
def test_what_is_for_everybody_goes(change: dict[str, Any]) -> None:
    assert without_everybody([statement(change)], NARROWING) == []


@pytest.mark.parametrize("change", PRIVATE.values(), ids=PRIVATE)
def test_what_is_for_some_stays(change: dict[str, Any]) -> None:
    assert without_everybody([statement(change)], NARROWING) == [statement(change)]


MIXED: dict[str, tuple[Any, Any]] = {
    "one besides": ({"AWS": ["*", PARTNER]}, {"AWS": PARTNER}),
    "one before": ({"AWS": [PARTNER, "*"]}, {"AWS": PARTNER}),
    "two besides, in their order": ({"AWS": [ROLE, "*", PARTNER]}, {"AWS": [ROLE, PARTNER]}),
    "another kind besides": ({"AWS": "*", "Service": "sns.amazonaws.com"}, {"Service": "sns.amazonaws.com"}),
    "a list of one that isn't touched": (
        {"AWS": "*", "Service": ["sns.amazonaws.com"]},
        {"Service": ["sns.amazonaws.com"]},
    ),
}


@pytest.mark.parametrize(("principal", "left"), MIXED.values(), ids=MIXED)
def test_who_is_named_beside_everybody_keeps_what_everybody_loses(principal: Any, left: Any) -> None:
    mixed = statement({"Principal": principal})
    assert without_everybody([mixed], NARROWING) == [mixed | {"Principal": left}]


CHANGES: list[Any] = [*PUBLIC.values(), *PRIVATE.values(), *({"Principal": one} for one, _ in MIXED.values())]


@unhurried
@given(st.lists(st.sampled_from(CHANGES).map(statement), max_size=6))
def test_nothing_is_added_nothing_is_reordered_and_once_is_enough(statements: list[Statement]) -> None:
    kept = copy.deepcopy(statements)
    after = without_everybody(statements, NARROWING)
    assert statements == kept
    assert without_everybody(after, NARROWING) == after
    remaining = iter(statements)
    for one in after:
        same = {**one, "Principal": None}
        assert any({**other, "Principal": None} == same for other in remaining), "in the order they came"


@pytest.mark.parametrize(("value", "several"), [(None, []), ("a", ["a"]), (["a", "b"], ["a", "b"]), ([], [])])
def test_one_thing_is_a_list_of_it(value: Any, several: list[str]) -> None:
    assert listed(value) == several
