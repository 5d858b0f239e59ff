"""Faults on purpose: each strikes exactly the calls it is meant for, and does exactly what it says."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from moto.dynamodb.models import DynamoDBBackend

from remediator.local.calls import Call
from remediator.local.faults import Effect, Fault, Faults, Match
from remediator.local.iam.hooks import wrap
from tests.local.iam.iam_account import Account, Keys, account, allow, faults, refused, trust

__all__ = ["account", "faults"]  # the fixtures of the neighbours

RIGHTS = ("dynamodb:*", "secretsmanager:*", "s3:*", "lambda:*", "ec2:*", "sns:*", "sqs:*", "sts:*", "iam:*")


@pytest.fixture(scope="module")
def table(account: Account) -> str:
    account.client("dynamodb").create_table(
        TableName="faulty",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "faulty"


@pytest.fixture(scope="module")
def rotator(account: Account) -> Keys:
    return _of_role(account, "rotator")


@pytest.fixture(scope="module")
def remediator(account: Account) -> Keys:
    return _of_role(account, "remediator")


def _of_role(account: Account, name: str) -> Keys:
    caller = account.user()
    return account.assume(caller, account.role(trust({"AWS": caller.arn}), allow(list(RIGHTS)), name=name))


def put(account: Account, keys: Keys, table: str, key: str = "k") -> Any:
    return account.client("dynamodb", keys).put_item(TableName=table, Item={"pk": {"S": key}})


def stored(account: Account, table: str, key: str) -> bool:
    return "Item" in account.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": key}})


THROTTLED: dict[str, tuple[Any, str, int]] = {
    "dynamodb": (lambda c: c.list_tables(), "ProvisionedThroughputExceededException", 400),
    "secretsmanager": (lambda c: c.list_secrets(), "ThrottlingException", 400),
    "lambda": (lambda c: c.list_functions(), "TooManyRequestsException", 429),
    "s3": (lambda c: c.list_buckets(), "SlowDown", 503),
    "ec2": (lambda c: c.describe_vpcs(), "RequestLimitExceeded", 503),
    "iam": (lambda c: c.list_roles(), "Throttling", 400),
}


@pytest.mark.parametrize("service", THROTTLED)
def test_a_throttled_call_hears_it_in_its_services_words(
    account: Account, faults: Faults, rotator: Keys, service: str
) -> None:
    call, code, status = THROTTLED[service]
    client = account.client(service, rotator)
    faults.throttle(Match(role="rotator"))
    with pytest.raises(client.exceptions.ClientError) as raised:
        call(client)
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    call(client)


def test_an_error_has_its_code_and_status_and_nothing_happens(
    account: Account, faults: Faults, rotator: Keys, table: str
) -> None:
    faults.error(Match(action="dynamodb:PutItem"), "InternalServerError", 500)
    client = account.client("dynamodb", rotator)
    with pytest.raises(client.exceptions.ClientError) as raised:
        client.put_item(TableName=table, Item={"pk": {"S": "error"}})
    assert raised.value.response["Error"]["Code"] == "InternalServerError"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert not stored(account, table, "error")


def test_the_sdk_retries_a_throttled_call_by_itself(account: Account, faults: Faults, remediator: Keys) -> None:
    import boto3  # noqa: PLC0415 - the one client here with the SDK's own retries
    from botocore.config import Config  # noqa: PLC0415

    faults.throttle(Match(role="remediator", action="dynamodb:ListTables"))
    client = boto3.client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=account.url,
        aws_access_key_id=remediator.access_key,
        aws_secret_access_key=remediator.secret,
        aws_session_token=remediator.token,
        config=Config(retries={"mode": "standard", "max_attempts": 2}),
    )
    assert client.list_tables()["ResponseMetadata"]["RetryAttempts"] == 1


def test_the_third_call_of_a_role_is_struck_and_no_other(
    account: Account, faults: Faults, rotator: Keys, remediator: Keys
) -> None:
    faults.error(Match(role="rotator", nth=3), "InternalServerError", 500)
    calls = {"rotator": account.client("dynamodb", rotator), "remediator": account.client("dynamodb", remediator)}
    outcomes = []
    for name in ("rotator", "remediator", "rotator", "remediator", "remediator", "rotator", "rotator"):
        try:
            calls[name].list_tables()
            outcomes.append("fine")
        except calls[name].exceptions.ClientError:
            outcomes.append("struck")
    assert outcomes == ["fine", "fine", "fine", "fine", "fine", "struck", "fine"]


def test_every_call_of_an_action_can_be_struck_also_within_a_transaction(
    account: Account, faults: Faults, rotator: Keys, table: str
) -> None:
    faults.error(Match(action="dynamodb:PutItem", times=None), "InternalServerError", 500)
    client = account.client("dynamodb", rotator)
    element = {"Put": {"TableName": table, "Item": {"pk": {"S": "t"}}}}
    for _ in range(2):
        assert refused(lambda: put(account, rotator, table)) == "InternalServerError"
        assert refused(lambda: client.transact_write_items(TransactItems=[element])) == "InternalServerError"
    client.list_tables()


def test_a_roles_assume_role_can_be_struck(account: Account, faults: Faults, remediator: Keys, rotator: Keys) -> None:
    role = account.role(trust({"AWS": "*"}))
    faults.error(Match(role="remediator", action="sts:AssumeRole"), "RegionDisabledException", 403)
    account.assume(rotator, role)
    assert refused(lambda: account.assume(remediator, role)) == "RegionDisabledException"
    account.assume(remediator, role)


def test_calls_on_one_resource_can_be_struck(account: Account, faults: Faults, rotator: Keys, table: str) -> None:
    faults.error(Match(resource=f"*:table/{table}", times=None), "InternalServerError", 500)
    client = account.client("dynamodb", rotator)
    client.list_tables()
    assert refused(lambda: client.describe_table(TableName=table)) == "InternalServerError"


def test_a_lost_reply_took_effect(account: Account, faults: Faults, rotator: Keys, table: str) -> None:
    faults.lose_reply(Match(role="rotator", action="dynamodb:PutItem"))
    with pytest.raises(ConnectionClosedError):
        put(account, rotator, table, "lost")
    assert stored(account, table, "lost")


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_kills_the_caller_before_or_after_the_call(
    account: Account, faults: Faults, rotator: Keys, table: str, *, after: bool
) -> None:
    killed: list[tuple[str, bool]] = []
    key = f"crash-{after}"
    faults.kill = lambda access_key: killed.append((access_key, stored(account, table, key)))
    (faults.crash_after if after else faults.crash_before)(Match(role="rotator"))
    with pytest.raises(ConnectionClosedError):
        put(account, rotator, table, key)
    assert killed == [(rotator.access_key, after)]
    assert stored(account, table, key) is after
    assert [fault.effect for fault, _ in faults.struck] == [Effect.CRASH_AFTER if after else Effect.CRASH_BEFORE]


def test_a_crash_that_nobody_can_carry_out_is_an_error(account: Account, faults: Faults, rotator: Keys) -> None:
    faults.kill = None
    faults.crash_before(Match(role="rotator"))
    client = account.client("dynamodb", rotator)
    with pytest.raises(client.exceptions.ClientError) as raised:
        client.list_tables()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_every_call_waits_its_latency(account: Account, faults: Faults, rotator: Keys) -> None:
    client = account.client("dynamodb", rotator)
    client.list_tables()
    faults.latency(60)
    started = time.perf_counter()
    client.list_tables()
    assert time.perf_counter() - started >= 0.06


def test_calls_under_latency_wait_side_by_side(account: Account, faults: Faults, rotator: Keys) -> None:
    client = account.client("dynamodb", rotator, max_pool_connections=8)
    faults.latency(100)
    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.list_tables(), range(8)))
    assert time.perf_counter() - started < 0.6


def test_what_iam_refuses_is_not_counted(account: Account, faults: Faults) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}), allow("dynamodb:ListTables"), name="weak")
    client = account.client("dynamodb", account.assume(caller, role))
    faults.error(Match(role="weak", nth=2), "InternalServerError", 500)
    client.list_tables()
    assert refused(lambda: client.describe_table(TableName="faulty")) == "AccessDeniedException"
    assert refused(client.list_tables) == "InternalServerError"


def test_clear_switches_everything_off(account: Account, faults: Faults, rotator: Keys) -> None:
    faults.throttle(Match(times=None))
    faults.latency(1000)
    faults.propagation(1000)
    faults.settling(1000)
    faults.clear()
    account.client("dynamodb", rotator).list_tables()
    assert (faults.latency_seconds, faults.propagation_seconds, faults.struck) == (0, 0, ())
    assert faults.settling_seconds == 0


def test_dynamodb_does_one_thing_at_a_time(account: Account, rotator: Keys, table: str) -> None:
    # moto checks a condition and writes afterwards; a second writer in between would make both conditions hold.
    inside: list[int] = []
    busy = 0

    def slow(original: Any, *args: Any, **named: Any) -> Any:
        nonlocal busy
        busy += 1
        inside.append(busy)
        time.sleep(0.01)
        busy -= 1
        return original(*args, **named)

    undo = wrap(DynamoDBBackend, "put_item", slow)
    client = account.client("dynamodb", rotator, max_pool_connections=8)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: client.put_item(TableName=table, Item={"pk": {"S": "busy"}}), range(16)))
    finally:
        undo()
    assert inside == [1] * 16


def call(action: str = "dynamodb:PutItem", role: str = "rotator", resource: str = "*") -> Call:
    arn = f"arn:aws:sts::123456789012:assumed-role/{role}/session"
    return Call(0.0, arn, "ASIA", "dynamodb", "PutItem", action, resource, allowed=True, reason="")


def test_the_first_rule_whose_turn_it_is_wins_and_the_others_count_all_the_same() -> None:
    rules = Faults()
    rules.error(Match(nth=2), "First", 500)
    rules.error(Match(action="dynamodb:*", nth=2, times=2), "Second", 500)
    struck = [rules.strike(call()) for _ in range(4)]
    assert struck == [None, Fault(Effect.ERROR, "First", 500), Fault(Effect.ERROR, "Second", 500), None]


@pytest.mark.parametrize(
    ("match", "chosen"),
    [
        (Match(), True),
        (Match(role="rotator"), True),
        (Match(role="rot"), False),
        (Match(action="dynamodb:putitem"), True),
        (Match(action="dynamodb:*"), True),
        (Match(action="s3:*"), False),
        (Match(resource="*"), True),
        (Match(resource="arn:*"), False),
    ],
)
def test_a_match_chooses_by_role_action_and_resource(match: Match, *, chosen: bool) -> None:
    assert match.chooses(call()) is chosen


def test_a_rule_counts_each_call_once_however_many_callers() -> None:
    rules = Faults()
    rules.throttle(Match(nth=50, times=10))
    with ThreadPoolExecutor(8) as pool:
        struck = list(pool.map(lambda _: rules.strike(call()), range(400)))
    assert len([fault for fault in struck if fault]) == len(rules.struck) == 10
