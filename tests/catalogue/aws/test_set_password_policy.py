from __future__ import annotations

import copy
from dataclasses import asdict
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.iam.set_password_policy import (
    KINDS,
    MIXED,
    NO_POLICY,
    STRONG,
    Demands,
    SetPasswordPolicy,
)
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example
from tests.catalogue.toys import unhurried
from tests.laws.trials import AT_ONCE, Case, Trial, staged

FIX = SetPasswordPolicy()

policies = st.fixed_dictionaries(
    {
        "MinimumPasswordLength": st.integers(6, 128),
        **dict.fromkeys(KINDS, st.booleans()),
        "AllowUsersToChangePassword": st.booleans(),
        "HardExpiry": st.booleans(),
        "MaxPasswordAge": st.none() | st.integers(1, 1095),
        "PasswordReusePrevention": st.none() | st.integers(1, 24),
    }
)
demands = st.builds(
    Demands,
    minimum_length=st.integers(6, 128),
    reuse_prevention=st.integers(1, 24),
    require_symbols=st.booleans(),
    require_numbers=st.booleans(),
    require_uppercase=st.booleans(),
    require_lowercase=st.booleans(),
    maximum_age=st.none() | st.integers(1, 1095),
    users_may_change=st.booleans(),
)


def strictness(policy: dict[str, Any]) -> dict[str, int]:
    """Return each demand as a number that is greater where it is stricter."""
    return {
        "length": policy["MinimumPasswordLength"],
        "reuse": policy["PasswordReusePrevention"] or 0,
        "age": -(policy["MaxPasswordAge"] or 10_000),
        **{kind: int(policy[kind]) for kind in KINDS},
    }


def test_an_account_without_a_policy_gets_the_benchmarks() -> None:
    assert FIX.desired(None, Demands()) == {
        "MinimumPasswordLength": 14,
        "RequireSymbols": True,
        "RequireNumbers": True,
        "RequireUppercaseCharacters": True,
        "RequireLowercaseCharacters": True,
        "AllowUsersToChangePassword": False,
        "HardExpiry": False,
        "MaxPasswordAge": None,
        "PasswordReusePrevention": 24,
    }


@unhurried
@given(policies, demands)
def test_nothing_that_was_stricter_is_weakened_and_everything_asked_is_met(
    policy: dict[str, Any], asked: Demands
) -> None:
    kept = copy.deepcopy(policy)
    after = FIX.desired(policy, asked)
    assert after is not None
    assert policy == kept
    assert FIX.desired(after, asked) == after
    before = strictness(policy)
    least = {
        "length": asked.minimum_length,
        "reuse": asked.reuse_prevention,
        "age": -(asked.maximum_age or 10_000),
        "RequireSymbols": int(asked.require_symbols),
        "RequireNumbers": int(asked.require_numbers),
        "RequireUppercaseCharacters": int(asked.require_uppercase),
        "RequireLowercaseCharacters": int(asked.require_lowercase),
    }
    assert strictness(after) == {name: max(before[name], least[name]) for name in before}
    assert after["HardExpiry"] is policy["HardExpiry"]
    assert after["AllowUsersToChangePassword"] is (policy["AllowUsersToChangePassword"] or asked.users_may_change)


@unhurried
@given(demands)
def test_a_first_policy_is_never_weaker_than_what_aws_demands_without_one(asked: Demands) -> None:
    kinds = [asked.require_symbols, asked.require_numbers, asked.require_uppercase, asked.require_lowercase]
    if sum(kinds) < 3:
        with pytest.raises(NotApplicable, match="ask for as many"):
            FIX.desired(None, asked)
        return
    after = FIX.desired(None, asked)
    assert after is not None
    assert after["MinimumPasswordLength"] == max(8, asked.minimum_length)
    assert FIX.desired(after, asked) == after


def test_a_policy_that_stands_may_be_raised_in_one_point_alone() -> None:
    few = Demands(require_symbols=False, require_numbers=False, require_uppercase=False, require_lowercase=False)
    weak = NO_POLICY | {"MinimumPasswordLength": 6}
    after = FIX.desired(weak, few)
    assert after == weak | {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24}


def test_the_defaults_are_nobodys_to_change() -> None:
    kept = dict(NO_POLICY)
    after = FIX.desired(None, Demands())
    assert after is not None
    after["MinimumPasswordLength"] = 1
    assert kept == NO_POLICY


def broken(state: dict[str, Any] | None, **parameters: Any) -> Case:
    return Case(FIX, Example(broken=state, fixed=None, parameters=parameters))


def sent(trial: Trial) -> dict[str, Any]:
    with trial.recording() as calls:
        trial.apply()
    ((_, request),) = [call for call in calls.made if call[0] == "iam:UpdateAccountPasswordPolicy"]
    return dict(request)


def test_everything_is_said_again_for_what_is_not_said_is_reset() -> None:
    with staged(broken(MIXED)) as trial:
        assert sent(trial) == MIXED | dict.fromkeys(KINDS, True) | {"PasswordReusePrevention": 24}


def test_expiry_is_not_said_where_passwords_do_not_expire() -> None:
    with staged(broken(None)) as trial:
        assert sent(trial) == {name: value for name, value in STRONG.items() if name != "MaxPasswordAge"}


def test_users_may_be_let_change_their_passwords() -> None:
    with staged(broken(MIXED | {"AllowUsersToChangePassword": False}, users_may_change=True)) as trial:
        assert sent(trial)["AllowUsersToChangePassword"] is True


def test_going_back_to_no_policy_deletes_it() -> None:
    with staged(broken(None)) as trial:
        change, _ = trial.apply()
        trial.job.roll_back(change, pauses=AT_ONCE)
        with pytest.raises(ClientError, match="NoSuchEntity"):
            trial.job.client.get_account_password_policy()


def test_another_error_is_not_taken_for_no_policy() -> None:
    with staged(broken(None)) as trial, Stubber(trial.job.client) as stub:
        stub.add_client_error("get_account_password_policy", "AccessDenied")
        with pytest.raises(ClientError, match="AccessDenied"):
            trial.job.read()


def test_what_iam_leaves_out_or_derives_is_read_the_same_way_always() -> None:
    with staged(broken(None)) as trial, Stubber(trial.job.client) as stub:
        answer = {"MinimumPasswordLength": 9, "ExpirePasswords": False, "RequireSymbols": True}
        stub.add_response("get_account_password_policy", {"PasswordPolicy": answer})
        assert trial.job.read() == NO_POLICY | {"MinimumPasswordLength": 9, "RequireSymbols": True}


def test_the_parameters_default_to_the_benchmark() -> None:
    assert asdict(Demands()) == {
        "minimum_length": 14,
        "reuse_prevention": 24,
        "require_symbols": True,
        "require_numbers": True,
        "require_uppercase": True,
        "require_lowercase": True,
        "maximum_age": None,
        "users_may_change": False,
    }
