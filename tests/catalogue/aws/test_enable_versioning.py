from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from remediator.catalogue.aws.s3.enable_versioning import EnableVersioning, versioning
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, NoParameters
from tests.laws.trials import AT_ONCE, Case, staged

FIX = EnableVersioning()


def broken(status: str | None) -> Case:
    return Case(FIX, Example(broken=versioning(status), fixed=versioning("Enabled")))


@pytest.mark.parametrize("status", [None, "Suspended"])
def test_of_mfa_delete_nothing_is_said(status: str | None) -> None:
    with staged(broken(status)) as trial:
        with trial.recording() as calls:
            trial.apply()
        ((_, sent),) = [call for call in calls.made if call[0] == "s3:PutBucketVersioning"]
        assert sent["VersioningConfiguration"] == {"Status": "Enabled"}
        assert "MFA" not in sent


def test_suspended_versioning_goes_back_and_versions_that_never_were_do_not() -> None:
    assert FIX.goes_back(versioning("Suspended"))
    assert not FIX.goes_back(versioning(None))
    with staged(broken("Suspended")) as trial:
        change, _ = trial.apply()
        assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.ROLLED_BACK
        assert trial.job.client.get_bucket_versioning(Bucket=trial.job.target["bucket"])["Status"] == "Suspended"


@pytest.mark.parametrize("status", [None, "Suspended"])
def test_a_bucket_that_demands_the_root_users_device_is_left_to_the_root_user(status: str | None) -> None:
    with pytest.raises(NotApplicable, match="root user"):
        FIX.desired(versioning(status, mfa_delete=True), NoParameters())


def test_a_versioned_bucket_with_mfa_delete_has_nothing_to_do() -> None:
    current = versioning("Enabled", mfa_delete=True)
    assert FIX.desired(current, NoParameters()) == current


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({}, versioning(None)),
        ({"Status": "Enabled"}, versioning("Enabled")),
        ({"Status": "Suspended", "MFADelete": "Disabled"}, versioning("Suspended")),
        ({"Status": "Suspended", "MFADelete": "Enabled"}, versioning("Suspended", mfa_delete=True)),
    ],
)
def test_what_s3_leaves_out_was_never_set(answer: Any, state: Any) -> None:
    with staged(broken(None)) as trial, Stubber(trial.job.client) as stub:
        stub.add_response("get_bucket_versioning", answer)
        assert trial.job.read() == state


def test_mfa_delete_that_was_switched_on_since_stops_the_rollback() -> None:
    with staged(broken("Suspended")) as trial:
        change, _ = trial.apply()
        with Stubber(trial.job.client) as stub:
            stub.add_response("get_bucket_versioning", {"Status": "Enabled", "MFADelete": "Enabled"})
            assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.DRIFTED


def test_a_bucket_that_is_not_there_is_an_error() -> None:
    with staged(broken(None)) as trial:
        trial.job.client.delete_bucket(Bucket=trial.job.target["bucket"])
        with pytest.raises(ClientError, match="NoSuchBucket"):
            trial.job.read()
