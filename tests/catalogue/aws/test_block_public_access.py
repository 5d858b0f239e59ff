from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.s3.block_public_access import ALL_ON, SWITCHES, BlockPublicAccess
from remediator.catalogue.spec import Example, NoParameters
from tests.catalogue.toys import unhurried
from tests.laws.trials import AT_ONCE, Case, Trial, staged

FIX = BlockPublicAccess()


def broken(state: dict[str, bool] | None) -> Case:
    return Case(FIX, Example(broken=state, fixed=ALL_ON))


def now(trial: Trial) -> dict[str, bool]:
    bucket = trial.job.target["bucket"]
    found: dict[str, bool] = trial.job.client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    return found


def test_a_bucket_without_the_setting_gets_all_four_switches() -> None:
    with staged(broken(None)) as trial:
        trial.apply()
        assert now(trial) == ALL_ON


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_switch_that_is_off_is_switched_on(switch: str) -> None:
    with staged(broken(ALL_ON | {switch: False})) as trial:
        assert not now(trial)[switch]
        trial.apply()
        assert now(trial) == ALL_ON


def test_a_bucket_that_blocks_everything_is_left_alone() -> None:
    with staged(broken(ALL_ON)) as trial:
        assert not trial.job.plan().needed


def test_going_back_to_nothing_takes_the_setting_away() -> None:
    with staged(broken(None)) as trial:
        change, _ = trial.apply()
        trial.job.roll_back(change, pauses=AT_ONCE)
        with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
            now(trial)


def test_a_switch_that_s3_leaves_out_is_off() -> None:
    with staged(broken(None)) as trial, Stubber(trial.job.client) as stub:
        answer = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}
        stub.add_response("get_public_access_block", answer)
        assert trial.job.read() == dict.fromkeys(SWITCHES, False) | {"BlockPublicAcls": True}


def test_a_bucket_that_is_not_there_is_an_error_not_a_bucket_without_the_setting() -> None:
    with staged(broken(None)) as trial:
        trial.job.client.delete_bucket(Bucket=trial.job.target["bucket"])
        with pytest.raises(ClientError, match="NoSuchBucket"):
            trial.job.read()


@unhurried
@given(st.none() | st.fixed_dictionaries(dict.fromkeys(SWITCHES, st.booleans())))
def test_whatever_the_setting_is_it_should_be_all_on(state: dict[str, bool] | None) -> None:
    kept = None if state is None else dict(state)
    assert FIX.desired(state, NoParameters()) == ALL_ON
    assert state == kept


def test_the_state_that_is_wanted_is_nobodys_to_change() -> None:
    wanted = FIX.desired(None, NoParameters())
    assert wanted is not None
    wanted["BlockPublicAcls"] = False
    assert FIX.desired(None, NoParameters()) == dict.fromkeys(SWITCHES, True)
