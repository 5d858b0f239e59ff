"""The log of calls: everything that arrived, who called, and what was decided."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from remediator.local.calls import Call, CallLog
from tests.local.iam.iam_account import ACCOUNT, REGION, Account, account, allow, refused, trust

__all__ = ["account"]  # the fixture of the neighbours


def call(arn: str = f"arn:aws:sts::{ACCOUNT}:assumed-role/rotator/session") -> Call:
    return Call(0.0, arn, "ASIA", "dynamodb", "PutItem", "dynamodb:PutItem", "*", allowed=True, reason="")


def test_an_allowed_call_is_logged_with_who_what_and_why(account: Account) -> None:
    log = account.installation.calls
    keys = account.session(allow("dynamodb:ListTables"))
    mark = log.mark()
    account.client("dynamodb", keys).list_tables()
    (logged,) = log.since(mark)
    assert (logged.principal_arn, logged.access_key, logged.allowed) == (keys.arn, keys.access_key, True)
    assert (logged.service, logged.operation, logged.action, logged.resource) == (
        "dynamodb",
        "ListTables",
        "dynamodb:ListTables",
        "*",
    )
    assert logged.reason == "allowed by identity policy 'own', statement '#1'"


def test_a_refused_call_is_logged_with_the_permission_that_was_missing(account: Account) -> None:
    log = account.installation.calls
    keys = account.session(allow("dynamodb:PutItem"))
    items = [
        {"Put": {"TableName": "t", "Item": {"pk": {"S": "a"}}}},
        {"Delete": {"TableName": "t", "Key": {"pk": {"S": "b"}}}},
    ]
    mark = log.mark()
    client = account.client("dynamodb", keys)
    assert refused(lambda: client.transact_write_items(TransactItems=items)) == "AccessDeniedException"
    (logged,) = log.since(mark)
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t"
    assert (logged.allowed, logged.operation, logged.action) == (False, "TransactWriteItems", "dynamodb:DeleteItem")
    assert logged.checked == (("dynamodb:PutItem", table), ("dynamodb:DeleteItem", table))
    assert "no identity policy allows dynamodb:DeleteItem" in logged.reason


def test_calls_are_found_by_role_and_from_a_mark_on(account: Account) -> None:
    log, caller = account.installation.calls, account.user()
    role = account.role(trust({"AWS": caller.arn}), allow("*"), name="logged")
    client = account.client("dynamodb", account.assume(caller, role))
    client.list_tables()
    mark = log.mark()
    client.list_tables()
    account.client("dynamodb").list_tables()
    assert [each.operation for each in log.by("logged")] == ["ListTables", "ListTables"]
    assert [each.operation for each in log.by("logged", since=mark)] == ["ListTables"]
    assert len(log.since(mark)) == 2


def test_what_was_not_authenticated_is_not_logged_as_anybodys(account: Account) -> None:
    log, keys = account.installation.calls, account.session()
    forged = type(keys)(keys.arn, keys.access_key, "wrong", keys.token)
    mark = log.mark()
    assert refused(lambda: account.client("dynamodb", forged).list_tables()) == "InvalidSignatureException"
    assert log.since(mark) == ()


@pytest.mark.parametrize(
    ("arn", "role"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/rotator/session", "rotator"),
        (f"arn:aws:iam::{ACCOUNT}:user/rotator", None),
        ("lambda.amazonaws.com", None),
        ("anonymous", None),
    ],
)
def test_a_call_knows_its_role(arn: str, role: str | None) -> None:
    assert call(arn).role == role


def test_no_call_is_lost_between_threads() -> None:
    log = CallLog()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: log.record(call()), range(1000)))
    assert log.mark() == len(log.since(0)) == 1000


def test_a_reset_forgets() -> None:
    log = CallLog()
    log.record(call())
    log.reset()
    assert log.since(0) == ()
    assert log.mark() == 0
