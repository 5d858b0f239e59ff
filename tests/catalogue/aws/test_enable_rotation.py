from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.kms.enable_rotation import OFF, ON, EnableRotation, Period
from remediator.catalogue.engine import Job
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example
from tests.catalogue.toys import unhurried
from tests.laws import stages
from tests.laws.trials import AT_ONCE, HOME, Case, staged

FIX = EnableRotation()
TARGET = FIX.target.parse(FIX.target.example, HOME)
PRIMARY = "arn:aws:kms:us-east-1:123456789012:key/mrk-" + "0a" * 16


def metadata(**change: Any) -> dict[str, Any]:
    usual = {
        "KeyId": TARGET["key"],
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS",
        "KeyState": "Enabled",
    }
    return {"KeyMetadata": usual | change}


def read(key: dict[str, Any], status: dict[str, Any] | None = None) -> Any:
    """Read a key as KMS describes it; without a status, asking for it is an error."""
    client = stages.client("kms", "eu-west-1")
    with Stubber(client) as stub:
        stub.add_response("describe_key", key, {"KeyId": TARGET["key"]})
        if status is not None:
            stub.add_response("get_key_rotation_status", status, {"KeyId": TARGET["key"]})
        return Job(FIX, client, TARGET, Period()).read()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"KeyManager": "AWS"}, "AWS manages the key"),
        ({"KeySpec": "RSA_2048"}, "only symmetric keys, this one is RSA_2048"),
        ({"KeySpec": "HMAC_256"}, "only symmetric keys, this one is HMAC_256"),
        ({"Origin": "EXTERNAL"}, r"isn't KMS's own \(EXTERNAL\)"),
        ({"Origin": "AWS_CLOUDHSM"}, r"isn't KMS's own \(AWS_CLOUDHSM\)"),
        ({"Origin": "EXTERNAL_KEY_STORE"}, r"isn't KMS's own \(EXTERNAL_KEY_STORE\)"),
        ({"KeyState": "Disabled"}, "the key is Disabled"),
        ({"KeyState": "PendingDeletion"}, "the key is PendingDeletion"),
        (
            {"MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA", "PrimaryKey": {"Arn": PRIMARY}}},
            f"send its primary key, {PRIMARY}",
        ),
    ],
)
def test_a_key_that_cannot_be_rotated_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotApplicable, match=reason):
        read(metadata(**change))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"MultiRegionConfiguration": {"MultiRegionKeyType": "PRIMARY", "PrimaryKey": {"Arn": PRIMARY}}},
    ],
)
def test_a_key_that_can_be_rotated_is_read(change: dict[str, Any]) -> None:
    assert read(metadata(**change), {"KeyRotationEnabled": False}) == OFF


def test_a_period_that_kms_remembers_of_a_key_that_is_not_rotated_is_no_setting() -> None:
    assert read(metadata(), {"KeyRotationEnabled": False, "RotationPeriodInDays": 180}) == OFF


def test_a_key_that_is_rotated_is_read_with_its_period() -> None:
    status = {"KeyRotationEnabled": True, "RotationPeriodInDays": 180}
    assert read(metadata(), status) == {"enabled": True, "period_days": 180}


def test_where_kms_names_no_period_it_is_a_year() -> None:
    assert read(metadata(), {"KeyRotationEnabled": True}) == {"enabled": True, "period_days": 365}


@unhurried
@given(st.integers(90, 2560), st.integers(90, 2560))
def test_a_key_that_is_rotated_keeps_its_period(period: int, asked: int) -> None:
    current = {"enabled": True, "period_days": period}
    assert FIX.desired(current, Period(asked)) == {"enabled": True, "period_days": period}
    assert FIX.desired(OFF, Period(asked)) == {"enabled": True, "period_days": asked}
    assert OFF == {"enabled": False, "period_days": None}


def test_the_period_is_said_when_rotation_is_switched_on() -> None:
    with staged(Case(FIX, Example(broken=OFF, fixed=ON))) as trial:
        with trial.recording() as calls:
            trial.apply()
        key = trial.job.target["key"]
        assert ("kms:EnableKeyRotation", {"KeyId": key, "RotationPeriodInDays": 365}) in calls.made


def test_going_back_switches_rotation_off() -> None:
    with staged(Case(FIX, Example(broken=OFF, fixed=ON))) as trial:
        change, _ = trial.apply()
        trial.job.roll_back(change, pauses=AT_ONCE)
        status = trial.job.client.get_key_rotation_status(KeyId=trial.job.target["key"])
        assert status["KeyRotationEnabled"] is False


def test_an_asymmetric_key_is_refused_by_the_account_too() -> None:
    with staged(Case(FIX, Example(broken=OFF, fixed=ON))) as trial:
        client = trial.job.client
        made = client.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        job = Job(FIX, client, FIX.target.parse({"arn": made["Arn"]}, HOME), Period())
        with pytest.raises(NotApplicable, match="RSA_2048"):
            job.plan()


def test_a_key_that_is_not_there_is_an_error() -> None:
    with staged(Case(FIX, Example(broken=OFF, fixed=ON))) as trial:
        job = Job(FIX, trial.job.client, TARGET, Period())
        with pytest.raises(ClientError, match="NotFoundException"):
            job.read()
