from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from remediator.catalogue.aws.cloudtrail.validate_logs import ValidateLogs
from remediator.catalogue.spec import Example
from tests.laws import stages
from tests.laws.trials import AT_ONCE, Case, staged

FIX = ValidateLogs()
ARN = FIX.target.example["arn"]
BROKEN = Case(FIX, Example(broken=False, fixed=True))


def trail(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get_trail(Name=ARN)["Trail"]
    return found


def test_nothing_else_of_a_trail_is_said_so_everything_else_stays() -> None:
    with staged(BROKEN) as trial:
        client = trial.job.client
        client.update_trail(
            Name=ARN, IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False, S3KeyPrefix="all", KmsKeyId="alias/x"
        )
        before = trail(client)
        with trial.recording() as calls:
            change, _ = trial.apply()
        assert trail(client) == before | {"LogFileValidationEnabled": True}
        assert ("cloudtrail:UpdateTrail", {"Name": ARN, "EnableLogFileValidation": True}) in calls.made
        trial.job.roll_back(change, pauses=AT_ONCE)
        assert trail(client) == before


def test_a_trail_of_several_regions_is_asked_in_its_home_region_by_its_arn() -> None:
    with staged(BROKEN) as trial:
        assert trial.job.target.region == "eu-west-1"
        assert trial.job.client.meta.region_name == "eu-west-1"
        with trial.recording() as calls:
            trial.apply()
        assert {request["Name"] for _, request in calls.made} == {ARN}


def test_a_trail_of_the_same_name_in_another_region_is_another_trail() -> None:
    with staged(BROKEN) as trial:
        abroad = stages.client("cloudtrail", "us-east-1")
        abroad.create_trail(Name="audit", S3BucketName="audit-logs")
        trial.apply()
        assert not abroad.get_trail(Name="audit")["Trail"]["LogFileValidationEnabled"]


@pytest.mark.parametrize(("answer", "validated"), [({}, False), ({"LogFileValidationEnabled": True}, True)])
def test_a_trail_that_does_not_say_does_not_validate(answer: Any, *, validated: bool) -> None:
    with staged(BROKEN) as trial, Stubber(trial.job.client) as stub:
        stub.add_response("get_trail", {"Trail": answer})
        assert trial.job.read() is validated


def test_a_trail_that_is_not_there_is_an_error() -> None:
    with staged(BROKEN) as trial:
        trial.job.client.delete_trail(Name="audit")
        with pytest.raises(ClientError, match="TrailNotFound"):
            trial.job.read()
