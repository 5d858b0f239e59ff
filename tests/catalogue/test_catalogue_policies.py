from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue import policies, registry
from remediator.catalogue.aws.resources import S3_BUCKET
from remediator.catalogue.spec import Home, allow
from tests.catalogue.toys import HOME, TurnUp, unhurried

if TYPE_CHECKING:
    from remediator.catalogue.spec import Target

DEADLINE = 1_764_000_120
UNTIL = {"DateLessThan": {"aws:CurrentTime": "2025-11-24T16:02:00Z"}}
HERE = {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
REGIONS = ["eu-west-1", "us-east-1"]

BLOCK = registry.load("aws.s3.block-public-access")
CLOSE = registry.load("aws.ec2.close-port")
PASSWORDS = registry.load("aws.iam.set-password-policy")
SNAPSHOT = registry.load("aws.rds.unshare-snapshot")
POLICIES = 10
"""How many managed policies IAM attaches to a role."""
SIX = registry.all_fixes("aws")


def bucket(name: str, region: str = "eu-west-1") -> Target:
    return S3_BUCKET.parse({"arn": f"arn:aws:s3:::{name}", "region": region}, HOME)


def group(number: int) -> Target:
    return CLOSE.target.parse({"arn": f"arn:aws:ec2:eu-west-1:123456789012:security-group/sg-{number:017x}"}, HOME)


def snapshot(name: str) -> Target:
    return SNAPSHOT.target.parse({"arn": f"arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:{name}"}, HOME)


def size(targets: tuple[Target, ...], *, write: bool) -> int:
    return len(policies.compact(policies.session_policy(SNAPSHOT, targets, deadline=DEADLINE, write=write)))


def test_a_plans_session_may_read_the_targets_until_the_deadline_and_nothing_else() -> None:
    assert policies.session_policy(BLOCK, [bucket("one"), bucket("two")], deadline=DEADLINE, write=False) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetBucketPublicAccessBlock"],
                "Resource": ["arn:aws:s3:::one", "arn:aws:s3:::two"],
                "Condition": UNTIL | HERE,
            }
        ],
    }


def test_an_applys_session_may_write_as_well() -> None:
    policy = policies.session_policy(BLOCK, [bucket("one")], deadline=DEADLINE, write=True)
    (statement,) = policy["Statement"]
    assert statement["Action"] == ["s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"]
    assert statement["Condition"] == UNTIL | HERE


def test_what_cannot_be_narrowed_to_the_target_is_narrowed_to_its_region() -> None:
    narrow, wide = policies.session_policy(CLOSE, [group(1)], deadline=DEADLINE, write=True)["Statement"]
    assert narrow["Resource"] == [group(1).id]
    assert narrow["Action"] == ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
    assert narrow["Condition"] == UNTIL
    assert wide == {
        "Effect": "Allow",
        "Action": ["ec2:DescribeSecurityGroups"],
        "Resource": "*",
        "Condition": UNTIL | {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
    }


def test_a_session_may_read_tags_only_if_it_is_to_and_only_in_its_region() -> None:
    plain = policies.session_policy(BLOCK, [bucket("one")], deadline=DEADLINE, write=True)
    narrow, wide = policies.session_policy(BLOCK, [bucket("one")], deadline=DEADLINE, write=True, tags=True)[
        "Statement"
    ]
    assert [narrow] == plain["Statement"]
    assert wide == {
        "Effect": "Allow",
        "Action": ["tag:GetResources"],
        "Resource": "*",
        "Condition": UNTIL | {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
    }


def test_sessions_that_read_tags_leave_room_for_it() -> None:
    targets = [bucket(f"bucket-{number:03}") for number in range(200)]
    chunks = policies.chunks(BLOCK, targets, deadline=DEADLINE, write=True, tags=True)
    sizes = [
        len(policies.compact(policies.session_policy(BLOCK, chunk, deadline=DEADLINE, write=True, tags=True)))
        for chunk in chunks
    ]
    assert max(sizes) <= policies.SESSION_LIMIT
    assert [target for chunk in chunks for target in chunk] == targets
    assert len(chunks[0]) < len(policies.chunks(BLOCK, targets, deadline=DEADLINE, write=True)[0])


def test_where_no_target_shows_its_tags_nobody_may_read_any() -> None:
    assert "tag:GetResources" not in str(policies.write_role_statements([PASSWORDS], HOME, REGIONS))
    assert "tag:GetResources" not in str(policies.boundary_statements([PASSWORDS], [], REGIONS))


def test_the_regions_of_several_targets_are_all_named_in_order() -> None:
    other = CLOSE.target.parse({"arn": group(2).id.replace("eu-west-1", "ap-east-1")}, HOME)
    (wide,) = policies.session_policy(CLOSE, [group(1), other], deadline=DEADLINE, write=False)["Statement"]
    assert wide["Condition"]["StringEquals"] == {"aws:RequestedRegion": ["ap-east-1", "eu-west-1"]}


def test_an_account_wide_setting_has_no_region_to_be_narrowed_to() -> None:
    target = PASSWORDS.target.parse({"arn": "arn:aws:iam::123456789012:root"}, HOME)
    (statement,) = policies.session_policy(PASSWORDS, [target], deadline=DEADLINE, write=False)["Statement"]
    assert statement["Resource"] == "*"
    assert statement["Condition"] == UNTIL


def test_a_target_named_twice_stands_once_in_the_policy() -> None:
    policy = policies.session_policy(BLOCK, [bucket("one"), bucket("one")], deadline=DEADLINE, write=True)
    assert policy["Statement"][0]["Resource"] == ["arn:aws:s3:::one"]


@unhurried
@given(
    lengths=st.lists(st.tuples(st.integers(1, 255), st.sampled_from(REGIONS)), max_size=120),
    write=st.booleans(),
)
def test_chunks_keep_the_order_of_each_region_and_are_as_full_as_can_be(
    lengths: list[tuple[int, str]], *, write: bool
) -> None:
    targets = [
        SNAPSHOT.target.parse({"arn": f"arn:aws:rds:{region}:123456789012:snapshot:{'a' * length}"}, HOME)
        for length, region in lengths
    ]

    chunks = policies.chunks(SNAPSHOT, targets, deadline=DEADLINE, write=write)
    for region in REGIONS:
        here = [chunk for chunk in chunks if chunk[0].region == region]
        assert [one for chunk in here for one in chunk] == [one for one in targets if one.region == region]
        assert all(one.region == region for chunk in here for one in chunk)
        assert all(size(chunk, write=write) <= policies.SESSION_LIMIT for chunk in here)
        for chunk, following in pairwise(here):
            distinct = {one.id for one in (*chunk, following[0])}
            assert len(distinct) <= len(chunk) or size((*chunk, following[0]), write=write) > policies.SESSION_LIMIT


@pytest.mark.parametrize("write", [False, True])
def test_whatever_the_length_of_names_a_session_takes_as_many_as_fit(*, write: bool) -> None:
    for length in range(1, 253):
        targets = [snapshot(f"a{number:02}" + "b" * length) for number in range(60)]
        chunks = policies.chunks(SNAPSHOT, targets, deadline=DEADLINE, write=write)
        assert max(size(chunk, write=write) for chunk in chunks) <= policies.SESSION_LIMIT, length
        for chunk, following in pairwise(chunks):
            assert size((*chunk, following[0]), write=write) > policies.SESSION_LIMIT, length


def filled(padding: int) -> list[Target]:
    return [snapshot("a" * padding), *(snapshot(f"b{number}" + "c" * 98) for number in range(10))]


def test_a_session_policy_may_be_as_long_as_sts_takes() -> None:
    for padding in range(1, 255):
        targets = filled(padding)
        policy = policies.session_policy(SNAPSHOT, targets, deadline=DEADLINE, write=True)
        fits = len(policies.compact(policy)) <= 2048
        assert len(policies.chunks(SNAPSHOT, targets, deadline=DEADLINE, write=True)) == (1 if fits else 2)
    assert not fits


def test_no_target_makes_no_chunk() -> None:
    assert policies.chunks(BLOCK, [], deadline=DEADLINE, write=True) == []


def test_a_session_takes_dozens_of_targets() -> None:
    one: Any = {"deadline": DEADLINE, "write": True}
    assert len(policies.chunks(CLOSE, [group(number) for number in range(22)], **one)) == 1
    assert len(policies.chunks(CLOSE, [group(number) for number in range(23)], **one)) == 2
    assert len(policies.chunks(BLOCK, [bucket("b" * 60 + f"{number:03}") for number in range(20)], **one)) == 1


def test_what_has_no_target_in_its_policy_is_one_session() -> None:
    target = PASSWORDS.target.parse({"arn": "arn:aws:iam::123456789012:root"}, HOME)
    assert policies.chunks(PASSWORDS, [target] * 99, deadline=DEADLINE, write=True) == [(target,) * 99]


def test_the_write_role_may_do_what_the_fixes_declare_at_home_and_in_the_regions() -> None:
    statements = policies.write_role_statements([CLOSE, BLOCK], Home("aws-cn", "210987654321"), REGIONS)
    here = {"aws:RequestedRegion": REGIONS}
    assert statements == [
        {
            "Effect": "Allow",
            "Action": ["s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"],
            "Resource": ["arn:aws-cn:s3:::*"],
            "Condition": {"StringEquals": here | {"aws:ResourceAccount": "210987654321"}},
        },
        {
            "Effect": "Allow",
            "Action": ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"],
            "Resource": ["arn:aws-cn:ec2:*:210987654321:security-group/*"],
            "Condition": {"StringEquals": here},
        },
        {
            "Effect": "Allow",
            "Action": ["ec2:DescribeSecurityGroups"],
            "Resource": "*",
            "Condition": {"StringEquals": here},
        },
        {
            "Effect": "Allow",
            "Action": ["tag:GetResources"],
            "Resource": "*",
            "Condition": {"StringEquals": here},
        },
    ]


def test_an_account_wide_setting_is_allowed_whatever_the_regions() -> None:
    (statement,) = policies.write_role_statements([PASSWORDS], HOME, REGIONS)
    assert "Condition" not in statement
    assert statement["Resource"] == "*"


def test_fixes_of_one_kind_share_statements() -> None:
    tls = registry.load("aws.s3.require-tls")
    statement, _ = policies.write_role_statements([BLOCK, tls], HOME, REGIONS)
    assert statement["Action"] == [
        "s3:DeleteBucketPolicy",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
    ]


def test_without_a_region_there_is_no_policy_rather_than_one_for_all() -> None:
    with pytest.raises(ValueError, match="regions"):
        policies.write_role_statements([BLOCK], HOME, [])
    with pytest.raises(ValueError, match="regions"):
        policies.boundary_statements([BLOCK], ["arn:aws:s3:::own"], [])


def test_every_session_is_within_the_write_role() -> None:
    statements = policies.write_role_statements(SIX, HOME, REGIONS)
    allowed = {action for statement in statements for action in statement["Action"]}
    for fix in SIX:
        target = fix.target.parse(fix.target.example, HOME)
        session = policies.session_policy(fix, [target], deadline=DEADLINE, write=True)
        assert {action for statement in session["Statement"] for action in statement["Action"]} <= allowed


def test_no_session_reaches_another_region_than_its_target_is_said_to_be_in() -> None:
    for fix in SIX:
        target = fix.target.parse(fix.target.example, HOME)
        for statement in policies.session_policy(fix, [target], deadline=DEADLINE, write=True)["Statement"]:
            named = statement["Resource"] == [target.id] and target.id.split(":")[3] == target.region
            there = {"aws:RequestedRegion": [target.region]}
            assert target.region is None or named or statement["Condition"]["StringEquals"] == there, fix.id


def test_the_boundary_knows_no_action_but_the_fixes_and_denies_what_is_our_own() -> None:
    boundary = policies.boundary_statements([BLOCK, PASSWORDS], ["arn:aws:s3:::own-b", "arn:aws:s3:::own-a"], REGIONS)
    regional, everywhere, own, gate = boundary
    assert regional["Action"] == ["s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock", "tag:GetResources"]
    assert regional["Condition"] == {"StringEquals": {"aws:RequestedRegion": REGIONS}}
    assert regional["Resource"] == everywhere["Resource"] == "*"
    assert everywhere["Action"] == [
        "iam:DeleteAccountPasswordPolicy",
        "iam:GetAccountPasswordPolicy",
        "iam:UpdateAccountPasswordPolicy",
    ]
    assert own == {"Effect": "Deny", "Action": "*", "Resource": ["arn:aws:s3:::own-a", "arn:aws:s3:::own-b"]}
    assert gate["Effect"] == "Deny"
    assert {"sts:AssumeRole", *policies.FORBIDDEN_ACTIONS} == set(gate["Action"])
    assert gate["Resource"] == "*"


def test_a_boundary_without_account_wide_fixes_says_nothing_of_them() -> None:
    effects = [one["Effect"] for one in policies.boundary_statements([BLOCK], ["arn:aws:s3:::own"], REGIONS)]
    assert effects == ["Allow", "Deny", "Deny"]


def test_the_remediators_own_role_is_denied_the_gate_but_may_assume_the_write_role() -> None:
    assert policies.forbidden_deny()["Action"] == sorted(policies.FORBIDDEN_ACTIONS)


@pytest.mark.parametrize(
    "action",
    [
        "iam:ListRoles",
        "IAM:listroles",
        "iam:GetAccountAuthorizationDetails",
        "cloudtrail:LookupEvents",
        "cloudtrail:StartQuery",
        "cloudtrail:GetQueryResults",
        "config:GetResourceConfigHistory",
        "config:BatchGetResourceConfig",
        "config:BatchGetAggregateResourceConfig",
        "config:GetAggregateResourceConfig",
        "config:SelectResourceConfig",
        "config:SelectAggregateResourceConfig",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
        "logs:StartQuery",
        "logs:GetQueryResults",
        "logs:StartLiveTail",
        "securityhub:GetFindings",
        "s3:GetObject",
        "events:PutRule",
        "events:PutTargets",
        "sts:AssumeRole",
    ],
)
def test_no_fix_may_declare_what_shows_the_gate(action: str) -> None:
    assert policies.is_forbidden(action)


@pytest.mark.parametrize(
    "action", ["config:PutConfigurationRecorder", "logs:PutRetentionPolicy", "s3:GetObjectAcl", "iam:GetRole"]
)
def test_a_fix_may_declare_what_does_not(action: str) -> None:
    assert not policies.is_forbidden(action)


@unhurried
@given(st.lists(st.integers(1, 80), max_size=40))
def test_managed_policies_hold_all_statements_in_order_within_the_limit(sizes: list[int]) -> None:
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": [f"service:Action{number:04}" for number in range(size)], "Resource": "*"}
        for size in sizes
    ]
    packed = policies.managed_policies(statements)
    assert [statement for policy in packed for statement in policy["Statement"]] == statements
    assert all(len(policies.compact(policy)) <= policies.MANAGED_LIMIT for policy in packed)
    for policy, following in pairwise(packed):
        grown = policies.document([*policy["Statement"], following["Statement"][0]])
        assert len(policies.compact(grown)) > policies.MANAGED_LIMIT


def test_a_managed_policy_may_be_as_long_as_iam_takes() -> None:
    bare = len(policies.compact(policies.document([{"Effect": "Allow", "Action": [""], "Resource": "*"}])))
    longest = {"Effect": "Allow", "Action": ["x" * (6144 - bare)], "Resource": "*"}
    assert [len(policies.compact(policy)) for policy in policies.managed_policies([longest])] == [6144]
    half = {"Effect": "Allow", "Action": ["x" * 100], "Resource": "*"}
    both = len(policies.compact(policies.document([half, half | {"Action": [""]}])))
    other = half | {"Action": ["y" * (6144 - both)]}
    assert len(policies.managed_policies([half, other])) == 1
    assert len(policies.managed_policies([half, other | {"Action": ["y" * (6145 - both)]}])) == 2


def test_a_statement_too_long_for_any_policy_is_an_error() -> None:
    statement = {"Effect": "Allow", "Action": ["x" * policies.MANAGED_LIMIT], "Resource": "*"}
    with pytest.raises(ValueError, match="6144"):
        policies.managed_policies([statement])


def test_the_whole_catalogue_fits_in_the_policies_that_a_role_may_have() -> None:
    statements = policies.write_role_statements(SIX, HOME, ["eu-west-1"])
    assert len(policies.managed_policies(statements)) == 1
    every_region = [f"ap-southeast-{number}" for number in range(1, 31)]
    assert len(policies.managed_policies(policies.write_role_statements(SIX, HOME, every_region))) <= POLICIES
    boundary = policies.boundary_statements(SIX, ["x" * 100] * 18, every_region)
    assert len(policies.compact(policies.document(boundary))) <= policies.MANAGED_LIMIT


def test_operations_have_the_sdks_names() -> None:
    assert policies.operations(BLOCK) == {
        "s3:GetPublicAccessBlock",
        "s3:PutPublicAccessBlock",
        "s3:DeletePublicAccessBlock",
    }
    assert policies.operations(TurnUp()) >= {"s3:ListAllMyBuckets"}


def test_the_sdk_may_call_a_service_otherwise_than_iam_does() -> None:
    assert policies.operations_of("opensearch", allow("es:UpdateDomainConfig")) == {"opensearch:UpdateDomainConfig"}


def test_a_policy_as_text_has_no_white_space() -> None:
    policy = policies.session_policy(CLOSE, [group(1)], deadline=DEADLINE, write=True)
    text = policies.compact(policy)
    assert " " not in text
    assert json.loads(text) == policy
