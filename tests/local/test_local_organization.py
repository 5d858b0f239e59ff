"""A service control policy: the most that anybody in the account may do, and nothing to anybody else."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.local.account import EmbeddedAccount

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ASSUME = {"Effect": "Deny", "Action": "sts:Assume*", "Resource": "*"}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture
def assume(embedded: EmbeddedAccount) -> Iterator[Callable[[], Any]]:
    """Let the operator assume a role that trusts it."""
    name = f"trusting-{uuid.uuid4().hex[:8]}"
    trusts = {"Effect": "Allow", "Principal": {"AWS": embedded.identities.operator.arn}, "Action": "sts:AssumeRole"}
    iam: Any = embedded.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document(trusts)))["Role"]["Arn"]
    sts: Any = embedded.client("sts", embedded.identities.operator.credentials)
    yield lambda: sts.assume_role(RoleArn=made, RoleSessionName="name-of-it")
    embedded.control(None)
    iam.delete_role(RoleName=name)


def test_what_it_denies_nobody_does_until_it_is_taken_away(embedded: EmbeddedAccount, assume: Any) -> None:
    embedded.control(document(ALL, ASSUME))
    with pytest.raises(ClientError, match="service control"):
        assume()
    embedded.control(None)
    assert assume()


def test_what_it_doesn_t_allow_is_denied(embedded: EmbeddedAccount, assume: Any) -> None:
    embedded.control(document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
    with pytest.raises(ClientError, match="AccessDenied"):
        assume()


def test_a_condition_lets_some_of_them_through(embedded: EmbeddedAccount, assume: Any) -> None:
    others = {"ArnNotLike": {"aws:PrincipalArn": [embedded.identities.operator.arn]}}
    embedded.control(document(ALL, ASSUME | {"Condition": others}))
    assert assume()
    nobody = {"ArnNotLike": {"aws:PrincipalArn": [embedded.identities.admin.arn]}}
    embedded.control(document(ALL, ASSUME | {"Condition": nobody}))
    with pytest.raises(ClientError, match="AccessDenied"):
        assume()


def test_another_account_isn_t_under_it(embedded: EmbeddedAccount, assume: Any) -> None:
    embedded.control(document({"Effect": "Deny", "Action": "*", "Resource": "*"}))
    with pytest.raises(ClientError):
        assume()
    vendor = embedded.identities.vendor
    client: Any = embedded.client("iam", vendor.credentials)
    with pytest.raises(ClientError) as caught:
        client.list_roles()
    assert "service control" not in str(caught.value)
