from __future__ import annotations

import pytest
from moto import mock_aws

from remediator.catalogue import policies
from remediator.catalogue.aws.ec2.encrypt_ebs_by_default import EncryptEbsByDefault
from remediator.catalogue.engine import Job
from remediator.catalogue.errors import BadTarget
from remediator.catalogue.spec import Example, NoParameters
from tests.laws import stages
from tests.laws.trials import AT_ONCE, HOME, Case, staged

FIX = EncryptEbsByDefault()
ROOT = "arn:aws:iam::123456789012:root"


def job(region: str) -> Job:
    target = FIX.target.parse({"arn": ROOT, "region": region}, HOME)
    return Job(FIX, stages.client("ec2", region), target, NoParameters())


def test_one_regions_setting_is_not_anothers() -> None:
    with mock_aws():
        ours, other = job("eu-west-1"), job("eu-central-1")
        ours.apply(ours.plan(), pauses=AT_ONCE)
        assert (ours.read(), other.read()) == (True, False)


def test_new_volumes_are_encrypted_and_old_ones_stay() -> None:
    with staged(Case(FIX, Example(broken=False, fixed=True))) as trial:
        old = trial.job.client.create_volume(AvailabilityZone="eu-west-1a", Size=8)["VolumeId"]
        trial.apply()
        assert trial.job.client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
        [volume] = trial.job.client.describe_volumes(VolumeIds=[old])["Volumes"]
        assert volume["Encrypted"] is False


def test_a_session_is_held_to_the_regions_that_are_named() -> None:
    policy = policies.session_policy(FIX, [job("eu-west-1").target], deadline=1_900_000_000, write=True)
    [statement] = policy["Statement"]
    assert statement["Resource"] == "*"
    assert statement["Condition"]["StringEquals"] == {"aws:RequestedRegion": ["eu-west-1"]}


def test_the_region_must_be_said() -> None:
    with pytest.raises(BadTarget, match="region"):
        FIX.target.parse({"arn": ROOT}, HOME)
