"""Trust policies as the gate uses them: dates, external ids, who exactly, and when a change counts."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from moto.iam.models import iam_backends

from tests.local.iam.iam_account import ACCOUNT, Account, Keys, allow, deny, document, refused, trust

if TYPE_CHECKING:
    from remediator.local.faults import Faults

START = 1_800_000_000.0


def window(first: float, last: float) -> dict[str, Any]:
    def text(moment: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))

    return {
        "StringEquals": {"sts:ExternalId": "gate"},
        "DateGreaterThanEquals": {"aws:CurrentTime": text(first)},
        "DateLessThan": {"aws:CurrentTime": text(last)},
    }


def test_a_dated_statement_opens_and_closes_by_the_clock(account: Account) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}, Condition=window(START, START + 360)))
    outcomes = {}
    for offset in (-1, 0, 359, 360):
        with time_machine.travel(START + offset, tick=False):
            try:
                account.assume(caller, role, ExternalId="gate")
                outcomes[offset] = "open"
            except account.client("sts").exceptions.ClientError:
                outcomes[offset] = "closed"
    assert outcomes == {-1: "closed", 0: "open", 359: "open", 360: "closed"}


def test_one_statement_for_each_window_is_enough(account: Account) -> None:
    caller = account.user()
    statements = [
        {
            **trust({"AWS": caller.arn}, Condition=window(START + 300 * n, START + 300 * n + 360))["Statement"][0],
            "Sid": f"w{n}",
        }
        for n in range(5)
    ]
    role = account.role(document(*statements))
    with time_machine.travel(START + 1300, tick=False):
        account.assume(caller, role, ExternalId="gate")
        assert refused(lambda: account.assume(caller, role, ExternalId="other")) == "AccessDenied"


def test_a_session_policy_ends_by_the_clock(account: Account) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}), allow("dynamodb:ListTables"))
    deadline = {"DateLessThan": {"aws:CurrentTime": "2027-01-15T08:01:00Z"}}
    with time_machine.travel(START, tick=False):
        policy = json.dumps(document(allow("dynamodb:ListTables", Condition=deadline)))
        keys = account.assume(caller, role, Policy=policy)
        account.client("dynamodb", keys).list_tables()
    with time_machine.travel(START + 61, tick=False):
        assert refused(lambda: account.client("dynamodb", keys).list_tables()) == "AccessDeniedException"


def test_managed_session_policies_narrow_too(account: Account) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}), allow("*"))
    narrow = account.policy(document(allow("dynamodb:ListTables")))
    keys = account.assume(caller, role, PolicyArns=[{"arn": narrow}])
    account.client("dynamodb", keys).list_tables()
    assert refused(lambda: account.client("iam", keys).list_users()) == "AccessDenied"
    both = account.assume(
        caller, role, PolicyArns=[{"arn": narrow}], Policy=json.dumps(document(allow("iam:ListUsers")))
    )
    account.client("dynamodb", both).list_tables()
    account.client("iam", both).list_users()
    assert refused(lambda: account.client("iam", both).list_roles()) == "AccessDenied"


def test_session_tags_and_source_identity_need_their_own_trust_and_count(account: Account) -> None:
    caller = account.user()
    tag = {"Tags": [{"Key": "team", "Value": "a"}]}
    red = {"StringEquals": {"aws:PrincipalTag/team": "a", "aws:SourceIdentity": "finding"}}
    plain = account.role(trust({"AWS": caller.arn}))
    assert refused(lambda: account.assume(caller, plain, **tag)) == "AccessDenied"
    assert refused(lambda: account.assume(caller, plain, SourceIdentity="finding")) == "AccessDenied"
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    trusted = document({"Effect": "Allow", "Principal": {"AWS": caller.arn}, "Action": actions})
    role = account.role(trusted, allow("dynamodb:ListTables", Condition=red))
    account.client("dynamodb", account.assume(caller, role, **tag, SourceIdentity="finding")).list_tables()
    untagged = account.assume(caller, role, SourceIdentity="finding")
    assert refused(lambda: account.client("dynamodb", untagged).list_tables()) == "AccessDeniedException"


def test_a_user_made_again_under_its_name_is_not_trusted(account: Account) -> None:
    iam, first = account.client("iam"), account.user()
    role = account.role(trust({"AWS": first.arn}))
    account.assume(first, role)
    name = first.arn.rpartition("/")[2]
    iam.delete_access_key(UserName=name, AccessKeyId=first.access_key)
    iam.delete_user(UserName=name)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    second = Keys(first.arn, key["AccessKeyId"], key["SecretAccessKey"])
    assert refused(lambda: account.assume(second, role)) == "AccessDenied"
    iam.update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(trust({"AWS": first.arn}))
    )
    account.assume(second, role)


def test_sessions_die_with_their_role_even_if_it_comes_back(account: Account) -> None:
    iam, caller, name = account.client("iam"), account.user(), account.name("role")
    role = account.role(trust({"AWS": caller.arn}), name=name)
    keys = account.assume(caller, role)
    iam.delete_role(RoleName=name)
    assert refused(lambda: account.client("sts", keys).get_caller_identity()) == "InvalidClientTokenId"
    account.role(trust({"AWS": caller.arn}), name=name)
    assert refused(lambda: account.client("sts", keys).get_caller_identity()) == "InvalidClientTokenId"


def test_sessions_issued_before_a_moment_can_be_cut_off(account: Account) -> None:
    iam, caller, name = account.client("iam"), account.user(), account.name("role")
    role = account.role(trust({"AWS": caller.arn}), allow("dynamodb:ListTables"), name=name)
    with time_machine.travel(START, tick=False):
        old = account.assume(caller, role)
    cut = {"DateLessThan": {"aws:TokenIssueTime": "2027-01-15T08:00:30Z"}}
    iam.put_role_policy(RoleName=name, PolicyName="cut", PolicyDocument=json.dumps(document(deny("*", Condition=cut))))
    with time_machine.travel(START + 60, tick=False):
        new = account.assume(caller, role)
        assert refused(lambda: account.client("dynamodb", old).list_tables()) == "AccessDeniedException"
        account.client("dynamodb", new).list_tables()


def test_a_role_of_another_account_needs_both_sides(account: Account) -> None:
    other = "999999999999"
    backend = iam_backends[other]["aws"]
    backend.create_user("us-east-1", "vendor")
    key = backend.create_access_key("vendor")
    vendor = Keys(f"arn:aws:iam::{other}:user/vendor", key.access_key_id, key.secret_access_key)
    role = account.role(
        trust({"AWS": vendor.arn}, Condition={"StringEquals": {"sts:ExternalId": "id"}}), allow("iam:ListUsers")
    )
    assert refused(lambda: account.assume(vendor, role, ExternalId="id")) == "AccessDenied"
    backend.put_user_policy("vendor", "own", json.dumps(document(allow("sts:AssumeRole", role))))
    assert refused(lambda: account.assume(vendor, role)) == "AccessDenied"
    keys = account.assume(vendor, role, ExternalId="id")
    assert f":{ACCOUNT}:assumed-role/" in keys.arn
    account.client("iam", keys).list_users()


@pytest.fixture
def opened(account: Account, faults: Faults) -> tuple[Keys, str]:
    """A role that trusts somebody else, with propagation of 10 seconds switched on, seen by a clock of its own."""
    caller = account.user()
    role = account.role(trust({"AWS": account.user().arn}), allow("dynamodb:ListTables"))
    faults.propagation(10)
    return caller, role


def test_a_trust_policy_counts_once_it_has_propagated(account: Account, opened: tuple[Keys, str]) -> None:
    caller, role = opened
    iam, name = account.client("iam"), role.rpartition("/")[2]
    changed = trust({"AWS": caller.arn})
    with time_machine.travel(time.time() + 3600, tick=True) as clock:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(changed))
        assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == changed
        assert refused(lambda: account.assume(caller, role)) == "AccessDenied"
        clock.shift(9)
        assert refused(lambda: account.assume(caller, role)) == "AccessDenied"
        clock.shift(2)
        account.assume(caller, role)


def test_a_deny_counts_once_it_has_propagated(account: Account, faults: Faults) -> None:
    caller, name = account.user(), account.name("role")
    role = account.role(trust({"AWS": caller.arn}), allow("dynamodb:ListTables"), name=name)
    dynamodb = account.client("dynamodb", account.assume(caller, role))
    faults.propagation(5)
    with time_machine.travel(time.time() + 1800, tick=True) as clock:
        account.client("iam").put_role_policy(
            RoleName=name, PolicyName="no", PolicyDocument=json.dumps(document(deny("*")))
        )
        dynamodb.list_tables()
        clock.shift(6)
        assert refused(dynamodb.list_tables) == "AccessDeniedException"


def test_a_new_role_can_be_assumed_only_once_it_has_propagated(account: Account, faults: Faults) -> None:
    caller = account.user()
    faults.propagation(5)
    with time_machine.travel(time.time() + 1800, tick=True) as clock:
        role = account.role(trust({"AWS": caller.arn}))
        assert refused(lambda: account.assume(caller, role)) == "AccessDenied"
        clock.shift(6)
        account.assume(caller, role)


def test_without_propagation_every_write_counts_at_once(
    account: Account, opened: tuple[Keys, str], faults: Faults
) -> None:
    caller, role = opened
    faults.clear()
    trusted = json.dumps(trust({"AWS": caller.arn}))
    account.client("iam").update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=trusted)
    account.assume(caller, role)


def test_writes_in_quick_succession_become_effective_in_order(account: Account, faults: Faults) -> None:
    caller, name = account.user(), account.name("role")
    role = account.role(trust({"AWS": caller.arn}, Condition={"StringEquals": {"sts:ExternalId": "id-0"}}), name=name)
    faults.propagation(10)
    with time_machine.travel(time.time() + 1800, tick=False) as clock:
        for number in range(1, 4):
            trusted = trust({"AWS": caller.arn}, Condition={"StringEquals": {"sts:ExternalId": f"id-{number}"}})
            account.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trusted))
            clock.shift(4)
        open_with = []
        for _ in range(4):
            codes = [str(number) for number in range(4) if _opens(account, caller, role, f"id-{number}")]
            open_with.append("".join(codes))
            clock.shift(4)
        assert open_with == ["1", "2", "3", "3"]


def _opens(account: Account, caller: Keys, role: str, external_id: str) -> bool:
    sts = account.client("sts", caller)
    try:
        sts.assume_role(RoleArn=role, RoleSessionName="session", ExternalId=external_id)
    except sts.exceptions.ClientError:
        return False
    return True
