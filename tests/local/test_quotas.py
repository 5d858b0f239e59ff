"""The quotas that bite in production, and not in a bare emulator."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from moto.iam.models import IAMBackend
from moto.secretsmanager.models import SecretsManagerBackend
from moto.sts.responses import TokenResponse

from remediator.local import quotas
from tests.local.iam.iam_account import ACCOUNT, REGION, Account, account, allow, document, refused, trust

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["account"]  # the fixture of the neighbours

DAY = 24 * 3600


@pytest.fixture(scope="module", autouse=True)
def _quotas() -> Iterator[None]:
    uninstall = quotas.install()
    yield
    uninstall()


def text(characters: int, *, space: str = "") -> str:
    """A policy of exactly so many characters, plus white space."""
    bare = json.dumps(document(allow("s3:*", "arn:aws:s3:::")), separators=(",", ":"))
    filler = "x" * (characters - len(bare))
    return bare.replace("arn:aws:s3:::", f"arn:aws:s3:::{filler}") + space


def trusting(characters: int) -> str:
    policy = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Condition={"StringEquals": {"sts:ExternalId": ""}})
    bare = json.dumps(policy, separators=(",", ":"))
    return bare.replace('ExternalId":""', f'ExternalId":"{"e" * (characters - len(bare))}"')


def version(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def put(account: Account, name: str, number: int, value: str | None = None) -> Any:
    secrets = account.client("secretsmanager")
    value = value or f"value {number}"
    return secrets.put_secret_value(SecretId=name, ClientRequestToken=version(number), SecretString=value)


def test_the_101st_version_of_a_secret_within_a_day_is_refused(account: Account) -> None:
    name = account.name("secret")
    account.client("secretsmanager").create_secret(Name=name)
    for number in range(100):
        put(account, name, number)
    assert refused(lambda: put(account, name, 100)) == "LimitExceededException"
    current = account.client("secretsmanager").get_secret_value(SecretId=name)
    assert current["SecretString"] == "value 99"


def test_the_same_write_again_is_no_new_version_even_at_the_quota(account: Account) -> None:
    name = account.name("secret")
    account.client("secretsmanager").create_secret(Name=name)
    for number in range(100):
        put(account, name, number)
    assert put(account, name, 50)["VersionId"] == version(50)
    assert refused(lambda: put(account, name, 50, "another value")) == "ResourceExistsException"


def test_versions_make_room_once_they_are_a_day_old_and_unlabelled(account: Account) -> None:
    name, secrets = account.name("secret"), account.client("secretsmanager")
    secrets.create_secret(Name=name)
    for number in range(100):
        put(account, name, number)
    with time_machine.travel(time.time() + DAY + 60, tick=True):
        put(account, name, 100)
        put(account, name, 101)
        stages = secrets.describe_secret(SecretId=name)["VersionIdsToStages"]
    assert len(stages) == 100
    assert not {version(0), version(1)} & stages.keys()
    assert {version(2), version(99), version(100), version(101)} <= stages.keys()


def test_six_slots_take_a_days_windows_each_written_twice_with_new_tokens(account: Account) -> None:
    # 288 windows in 6 secrets: 48 writes each, 96 if every write happens twice; one secret alone jams at 100.
    name = account.name("secret")
    account.client("secretsmanager").create_secret(Name=name)
    for number in range(96):
        put(account, name, number)
    assert put(account, name, 96)["VersionId"] == version(96)


def test_a_trust_policy_has_2048_characters_and_white_space_is_free(account: Account) -> None:
    iam, name = account.client("iam"), account.name("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(2048) + " " * 500)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusting(2048))
    update = lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusting(2049))  # noqa: E731
    assert refused(update) == "LimitExceeded"
    other = account.name("role")
    assert refused(lambda: iam.create_role(RoleName=other, AssumeRolePolicyDocument=trusting(2049))) == "LimitExceeded"


def test_a_managed_policy_has_6144_characters(account: Account) -> None:
    iam = account.client("iam")
    arn = iam.create_policy(PolicyName=account.name("policy"), PolicyDocument=text(6144, space=" " * 9))["Policy"][
        "Arn"
    ]
    name = account.name("policy")
    assert refused(lambda: iam.create_policy(PolicyName=name, PolicyDocument=text(6145))) == "LimitExceeded"
    assert refused(lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=text(6145))) == "LimitExceeded"


def test_a_roles_inline_policies_have_10240_characters_together(account: Account) -> None:
    iam, name = account.client("iam"), account.name("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(300))
    iam.put_role_policy(RoleName=name, PolicyName="one", PolicyDocument=text(6000))
    iam.put_role_policy(RoleName=name, PolicyName="two", PolicyDocument=text(4240))
    iam.put_role_policy(RoleName=name, PolicyName="one", PolicyDocument=text(6000))
    more = lambda: iam.put_role_policy(RoleName=name, PolicyName="two", PolicyDocument=text(4241))  # noqa: E731
    assert refused(more) == "LimitExceeded"


def test_a_users_inline_policies_have_2048_characters(account: Account) -> None:
    iam, name = account.client("iam"), account.user().arn.rpartition("/")[2]
    iam.put_user_policy(UserName=name, PolicyName="one", PolicyDocument=text(2048))
    more = lambda: iam.put_user_policy(UserName=name, PolicyName="one", PolicyDocument=text(2049))  # noqa: E731
    assert refused(more) == "LimitExceeded"


@pytest.fixture
def assume(account: Account) -> Any:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}), MaxSessionDuration=7200)

    def call(**parameters: Any) -> Any:
        parameters.setdefault("RoleSessionName", "session")
        return account.client("sts", caller, parameter_validation=False).assume_role(RoleArn=role, **parameters)

    return call


def test_a_session_policy_has_2048_characters_with_its_white_space(assume: Any) -> None:
    assume(Policy=text(2040, space=" " * 8))
    assert refused(lambda: assume(Policy=text(2040, space=" " * 9))) == "ValidationError"


def test_a_session_policy_of_names_that_do_not_compress_is_too_large_when_packed(assume: Any) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
    keys = [f"{key}{uuid.UUID(version(number)[:32])}" for number in range(23)]
    policy = json.dumps(document(allow("kms:EnableKeyRotation", keys)), separators=(",", ":"))
    assert len(policy) <= 2048
    assert refused(lambda: assume(Policy=policy)) == "PackedPolicyTooLarge"
    halved = json.dumps(document(allow("kms:EnableKeyRotation", keys[:11])), separators=(",", ":"))
    assert 0 < assume(Policy=halved)["PackedPolicySize"] <= 100


def test_a_session_policy_that_is_no_json_is_malformed(assume: Any) -> None:
    assert refused(lambda: assume(Policy="{")) == "MalformedPolicyDocument"


def test_without_policy_nothing_is_packed(assume: Any) -> None:
    assert assume()["PackedPolicySize"] == 0


@pytest.mark.parametrize("name", ["s", "s" * 65, "a b", "ä" * 5, "a/b"])
def test_a_session_name_of_the_wrong_form_is_refused(assume: Any, name: str) -> None:
    assert refused(lambda: assume(RoleSessionName=name)) == "ValidationError"


@pytest.mark.parametrize("seconds", [899, 7201, 43_201])
def test_a_session_shorter_than_15_minutes_or_longer_than_its_role_allows_is_refused(assume: Any, seconds: int) -> None:
    assert refused(lambda: assume(DurationSeconds=seconds)) == "ValidationError"


def test_a_session_as_long_as_its_role_allows_is_given(assume: Any) -> None:
    assume(DurationSeconds=900)
    assume(DurationSeconds=7200)


def test_a_chained_session_lasts_an_hour_at_most(account: Account) -> None:
    first = account.session(allow("sts:AssumeRole"))
    role = account.role(trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), MaxSessionDuration=7200)
    account.assume(first, role, DurationSeconds=3600)
    assert refused(lambda: account.assume(first, role, DurationSeconds=3601)) == "ValidationError"


@pytest.mark.parametrize("external_id", ["x", "a b", "x" * 1225])
def test_an_external_id_of_the_wrong_form_is_refused(account: Account, external_id: str) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}))
    sts = account.client("sts", caller, parameter_validation=False)
    call = lambda: sts.assume_role(RoleArn=role, RoleSessionName="session", ExternalId=external_id)  # noqa: E731
    assert refused(call) == "ValidationError"


def test_moto_itself_refuses_the_61st_rule_of_a_security_group(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName=account.name("group"), Description="d", VpcId=vpc)["GroupId"]

    def open_ports(first: int, number: int) -> None:
        ranges = [{"CidrIp": f"10.0.{first + index}.0/24"} for index in range(number)]
        permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ranges}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])

    open_ports(0, 60)
    assert refused(lambda: open_ports(60, 1)) == "RulesPerSecurityGroupLimitExceeded"


def test_moto_itself_refuses_too_large_items_and_too_many_at_once(account: Account) -> None:
    dynamodb, name = account.client("dynamodb", parameter_validation=False), account.name("table")
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    huge = {"pk": {"S": "a"}, "value": {"S": "x" * 410_000}}
    assert refused(lambda: dynamodb.put_item(TableName=name, Item=huge)) == "ValidationException"
    puts = [{"Put": {"TableName": name, "Item": {"pk": {"S": str(number)}}}} for number in range(101)]
    assert refused(lambda: dynamodb.transact_write_items(TransactItems=puts)) == "ValidationException"


def test_every_quota_can_be_taken_out_again() -> None:
    before = {method: getattr(owner, method) for owner, method in HOOKED}
    quotas.install()()
    assert {method: getattr(owner, method) for owner, method in HOOKED} == before


HOOKED = [
    (TokenResponse, "assume_role"),
    (SecretsManagerBackend, "_add_secret"),
    *((IAMBackend, name) for name in ("create_role", "update_assume_role_policy", "create_policy")),
    *((IAMBackend, name) for name in ("create_policy_version", "put_role_policy", "put_user_policy")),
]
