"""What AWS carries out later, the embedded account carries out later too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError
from moto import mock_aws

from remediator.local.emulator import slow_changes
from remediator.local.emulator.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 1_800_000_000.0


@dataclass
class Cloud:
    """An account whose changes take `seconds`, at a time that only the test moves."""

    clock: time_machine.Traveller
    seconds: float = 0

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("testing", "testing", region_name="eu-west-1")
        return session.client(service)

    def database(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("rds").describe_db_instances()["DBInstances"][0]
        return found

    def metadata(self) -> dict[str, Any]:
        instance = self.client("ec2").describe_instances()["Reservations"][0]["Instances"][0]
        options: dict[str, Any] = instance["MetadataOptions"]
        return options


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    hooks = Hooks()
    with mock_aws(), time_machine.travel(START, tick=False) as clock:
        cloud = Cloud(clock)
        slow_changes.install(hooks, lambda: cloud.seconds)
        try:
            yield cloud
        finally:
            hooks.remove()


@pytest.fixture
def rds(cloud: Cloud) -> Any:
    client = cloud.client("rds")
    client.create_db_instance(
        DBInstanceIdentifier="db",
        Engine="mysql",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
        PubliclyAccessible=True,
    )
    return client


@pytest.fixture
def ec2(cloud: Cloud) -> Any:
    client = cloud.client("ec2")
    image = client.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    client.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    return client


def require_tokens(ec2: Any) -> None:
    instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]["InstanceId"]
    ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required")


def test_a_database_is_modified_when_its_time_has_come(cloud: Cloud, rds: Any) -> None:
    cloud.seconds = 60
    answer = rds.modify_db_instance(DBInstanceIdentifier="db", PubliclyAccessible=False)["DBInstance"]
    assert (answer["DBInstanceStatus"], answer["PubliclyAccessible"]) == ("modifying", True)
    for seconds, status, public in ((59, "modifying", True), (60, "available", False), (600, "available", False)):
        cloud.clock.move_to(START + seconds)
        assert (cloud.database()["DBInstanceStatus"], cloud.database()["PubliclyAccessible"]) == (status, public)


def test_a_database_that_is_being_modified_takes_no_second_change(cloud: Cloud, rds: Any) -> None:
    cloud.seconds = 60
    rds.modify_db_instance(DBInstanceIdentifier="db", PubliclyAccessible=False)
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        rds.modify_db_instance(DBInstanceIdentifier="db", PubliclyAccessible=True)
    cloud.clock.move_to(START + 60)
    rds.modify_db_instance(DBInstanceIdentifier="db", PubliclyAccessible=True)
    cloud.clock.move_to(START + 120)
    assert cloud.database()["PubliclyAccessible"] is True


def test_without_the_knob_a_database_is_modified_at_once(cloud: Cloud, rds: Any) -> None:
    answer = rds.modify_db_instance(DBInstanceIdentifier="db", PubliclyAccessible=False)["DBInstance"]
    assert (answer["DBInstanceStatus"], answer["PubliclyAccessible"]) == ("available", False)
    cloud.seconds = 60
    assert cloud.database()["DBInstanceStatus"] == "available"


def test_other_changes_of_a_database_are_motos_own(cloud: Cloud, rds: Any) -> None:
    cloud.seconds = 60
    rds.modify_db_instance(DBInstanceIdentifier="db", DeletionProtection=True)
    assert (cloud.database()["DBInstanceStatus"], cloud.database()["DeletionProtection"]) == ("available", True)


def test_metadata_options_are_pending_until_they_hold_and_never_again(cloud: Cloud, ec2: Any) -> None:
    cloud.seconds = 60
    require_tokens(ec2)
    assert (cloud.metadata()["State"], cloud.metadata()["HttpTokens"]) == ("pending", "required")
    cloud.clock.move_to(START + 60)
    assert cloud.metadata()["State"] == "applied"
    cloud.seconds = 3600
    assert cloud.metadata()["State"] == "applied"


def test_options_that_held_at_once_do_not_cease_to_when_the_knob_is_turned(cloud: Cloud, ec2: Any) -> None:
    require_tokens(ec2)
    cloud.seconds = 3600
    assert cloud.metadata()["State"] == "applied"


def test_metadata_options_that_are_not_said_stay(cloud: Cloud, ec2: Any) -> None:
    instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]["InstanceId"]
    said = {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 5,
        "HttpEndpoint": "disabled",
        "HttpProtocolIpv6": "enabled",
        "InstanceMetadataTags": "enabled",
    }
    for name, value in said.items():
        ec2.modify_instance_metadata_options(InstanceId=instance, **{name: value})
    assert cloud.metadata() == {"State": "applied", **said}
