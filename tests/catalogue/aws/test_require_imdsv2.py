from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from remediator.catalogue.aws.ec2.require_imdsv2 import RequireImdsv2, options
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import NotApplicable, Underway
from remediator.catalogue.spec import Example, NoParameters
from tests.laws.trials import AT_ONCE, Case, Trial, staged

FIX = RequireImdsv2()
OPTIONAL, REQUIRED = options("enabled", "optional"), options("enabled", "required")


def broken(state: dict[str, str] = OPTIONAL) -> Case:
    return Case(FIX, Example(broken=state, fixed=REQUIRED))


def now(trial: Trial) -> dict[str, Any]:
    answer = trial.job.client.describe_instances(InstanceIds=[trial.job.target["instance"]])
    found: dict[str, Any] = answer["Reservations"][0]["Instances"][0]["MetadataOptions"]
    return found


def described(state: str = "running", **metadata: str) -> dict[str, Any]:
    instance = {"State": {"Name": state}, "MetadataOptions": {"State": "applied", **OPTIONAL, **metadata}}
    return {"Reservations": [{"Instances": [instance]}]}


def test_only_the_tokens_are_asked_for() -> None:
    with staged(broken()) as trial:
        with trial.recording() as calls:
            trial.apply()
        instance = trial.job.target["instance"]
        assert ("ec2:ModifyInstanceMetadataOptions", {"InstanceId": instance, "HttpTokens": "required"}) in calls.made


def test_hop_limit_ipv6_and_tags_stay_as_they_are() -> None:
    kept = {"HttpPutResponseHopLimit": 3, "HttpProtocolIpv6": "enabled", "InstanceMetadataTags": "enabled"}
    with staged(broken()) as trial:
        trial.job.client.modify_instance_metadata_options(InstanceId=trial.job.target["instance"], **kept)
        change, _ = trial.apply()
        assert now(trial) == {"State": "applied", **REQUIRED, **kept}
        trial.job.roll_back(change, pauses=AT_ONCE)
        assert now(trial) == {"State": "applied", **OPTIONAL, **kept}


@pytest.mark.parametrize("tokens", ["optional", "required"])
def test_an_endpoint_that_is_off_is_neither_switched_on_nor_changed(tokens: str) -> None:
    with staged(broken(options("disabled", tokens))) as trial:
        assert not trial.job.plan().needed


def test_tokens_that_are_required_already_are_left_alone() -> None:
    assert FIX.desired(REQUIRED, NoParameters()) == REQUIRED


def test_until_the_options_hold_the_fix_is_pending_and_then_it_is_fixed() -> None:
    with staged(broken()) as trial:
        trial.waiting.seconds = 60
        change = trial.job.plan()
        assert trial.job.apply(change, pauses=(None,)) is Outcome.PENDING
        assert (now(trial)["State"], now(trial)["HttpTokens"]) == ("pending", "required")
        with pytest.raises(Underway):
            trial.job.plan()
        trial.waiting.seconds = 0
        assert trial.job.shows(change.after)


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
def test_an_instance_that_is_gone_has_no_metadata_to_guard(state: str) -> None:
    with staged(broken()) as trial, Stubber(trial.job.client) as stub:
        stub.add_response("describe_instances", described(state, State="pending"))
        with pytest.raises(NotApplicable, match=f"the instance is {state}"):
            trial.job.read()


@pytest.mark.parametrize("state", ["pending", "running", "stopping", "stopped"])
def test_an_instance_that_is_stopped_or_on_its_way_is_read_like_any_other(state: str) -> None:
    with staged(broken()) as trial, Stubber(trial.job.client) as stub:
        expected = {"InstanceIds": [trial.job.target["instance"]]}
        stub.add_response("describe_instances", described(state), expected)
        assert trial.job.read() == OPTIONAL


def test_a_terminated_instance_is_refused_by_the_account_too() -> None:
    with staged(broken()) as trial:
        trial.job.client.terminate_instances(InstanceIds=[trial.job.target["instance"]])
        with pytest.raises(NotApplicable, match="the instance is terminated"):
            trial.job.plan()


def test_an_instance_that_is_not_there_is_an_error() -> None:
    with staged(broken()) as trial, Stubber(trial.job.client) as stub:
        stub.add_client_error("describe_instances", "InvalidInstanceID.NotFound")
        with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
            trial.job.read()
