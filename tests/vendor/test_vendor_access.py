from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from remediator.core.seeds import SeedRecord
from remediator.core.windows import window_at
from remediator.vendor import Deployment, errors
from remediator.vendor.aws_access import AwsAccess, Role, reader_access
from tests.vendor.speaking import DEPLOYMENT_ID, START, seed_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "arn:aws:iam::123456789012:role/remediator-reader"
GIVEN = {
    "AccessKeyId": "ASIAAAAAAAAAAAAAAAAA",
    "SecretAccessKey": "secret-key",
    "SessionToken": "token",
    "Expiration": datetime.fromtimestamp(START + 3600, UTC),
}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIAVENDOR", "AWS_SECRET_ACCESS_KEY": "vendor-secret"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield boto3.Session(region_name="eu-west-1")


def deployment(ring: tuple[str, ...] = ("a",) * 6) -> Deployment:
    return Deployment(DEPLOYMENT_ID, "eu-west-1", "https://example.org/", ring, ROLE, "vendor-issued-id")


def ring_of(session: boto3.Session, *texts: str | None) -> tuple[str, ...]:
    secrets = session.client("secretsmanager")
    names = [f"remediator/seed/{slot}" for slot in range(6)]
    for name, text in zip(names, texts, strict=False):
        secrets.create_secret(Name=name)
        if text is not None:
            secrets.put_secret_value(SecretId=name, SecretString=text)
    return tuple(names)


class Stubbed:
    """Hand out one stubbed STS client, and count what is asked of it."""

    def __init__(self, session: boto3.Session) -> None:
        self.sts = session.client("sts")
        self.stub = Stubber(self.sts)

    def client(self, service: str, **_: Any) -> Any:
        assert service == "sts"
        return self.sts


def test_the_reader_role_is_assumed_with_the_external_id_and_kept_while_it_lives(session: boto3.Session) -> None:
    asked = {"RoleArn": ROLE, "RoleSessionName": "remediator-vendor", "ExternalId": "vendor-issued-id"}
    stubbed = Stubbed(session)
    stubbed.stub.add_response("assume_role", {"Credentials": GIVEN}, asked)
    with stubbed.stub:
        access = AwsAccess(deployment(), stubbed, Role(ROLE, "vendor-issued-id"))  # type: ignore[arg-type]
        first = access.credentials(START)
        assert access.credentials(START + 3200) is first
        assert (first.access_key, first.token) == ("ASIAAAAAAAAAAAAAAAAA", "token")
        stubbed.stub.add_response("assume_role", {"Credentials": GIVEN}, asked)
        assert access.credentials(START + 3301) is not first
        stubbed.stub.assert_no_pending_responses()


def test_a_role_that_cannot_be_assumed_is_no_access_with_the_clouds_own_words(session: boto3.Session) -> None:
    stubbed = Stubbed(session)
    stubbed.stub.add_client_error("assume_role", "AccessDenied", "not authorized to perform: sts:AssumeRole")
    with stubbed.stub, pytest.raises(errors.NoAccess) as refused:
        AwsAccess(deployment(), stubbed, Role(ROLE)).credentials(START)  # type: ignore[arg-type]
    assert (refused.value.service, refused.value.code) == ("STS", "AccessDenied")
    assert "not authorized" in str(refused.value)


def test_a_record_is_read_from_its_slot_with_the_assumed_role(session: boto3.Session) -> None:
    record = SeedRecord(DEPLOYMENT_ID, window_at(START), seed_of(window_at(START)))
    ring = ring_of(session, "{}", record.to_json())
    reading = reader_access(deployment(ring), session).read(window_at(START) + 3, START)
    assert reading.record == record


def test_a_slot_without_a_value_says_that_the_rotator_has_not_run(session: boto3.Session) -> None:
    ring = ring_of(session, None)
    with pytest.raises(errors.NoLiveSeed, match="slot 0"):
        reader_access(deployment(ring), session).read(window_at(START) + 2, START)


@pytest.mark.parametrize("text", ["", "{}", "hello", json.dumps({"version": 2})])
def test_a_slot_that_holds_something_else_is_no_seed_and_is_not_quoted(session: boto3.Session, text: str) -> None:
    ring = ring_of(session, text or " ")
    with pytest.raises(errors.NoLiveSeed, match="seed record") as refused:
        reader_access(deployment(ring), session).read(window_at(START) + 2, START)
    assert "version" not in str(refused.value)


def test_a_reader_without_the_right_to_the_ring_is_told_so(session: boto3.Session) -> None:
    access = AwsAccess(deployment(), session, Role(ROLE))
    secrets = session.client("secretsmanager")
    access.credentials(START)
    access._secrets = secrets
    with Stubber(secrets) as stub:
        stub.add_client_error("get_secret_value", "AccessDeniedException", "no")
        with pytest.raises(errors.NoAccess, match="AccessDenied"):
            access.read(window_at(START) + 2, START)


def test_without_a_role_the_sessions_own_credentials_are_used() -> None:
    own = boto3.Session(aws_access_key_id="AKIAVENDOR", aws_secret_access_key="vendor-secret")
    held = AwsAccess(deployment(), own, None).credentials(START)
    assert held.access_key == "AKIAVENDOR"


def test_no_credentials_at_all_is_no_access(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(errors.NoAccess, match="no credentials"):
        AwsAccess(deployment(), boto3.Session(), None).credentials(START)


def test_a_cloud_that_does_not_answer_is_unreachable() -> None:
    class Cut:
        def client(self, *_: object, **__: object) -> object:
            raise EndpointConnectionError(endpoint_url="https://sts.eu-west-1.amazonaws.com")

    with pytest.raises(errors.Unreachable, match="STS"):
        AwsAccess(deployment(), Cut(), Role(ROLE)).credentials(START)  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", ["Deployment", "Region", "Endpoint", "SeedSecrets", "ReaderRoleArn", "ExternalId"])
def test_outputs_that_lack_something_are_refused_by_its_name(missing: str) -> None:
    outputs = {
        "Deployment": DEPLOYMENT_ID,
        "Region": "eu-west-1",
        "Endpoint": "https://example.org/",
        "SeedSecrets": "a,b,c,d,e,f",
        "ReaderRoleArn": ROLE,
        "ExternalId": "vendor-issued-id",
    }
    assert Deployment.from_outputs(outputs).seed_secrets == ("a", "b", "c", "d", "e", "f")
    del outputs[missing]
    with pytest.raises(errors.BadDeployment, match=missing):
        Deployment.from_outputs(outputs)


def test_a_ring_of_another_size_is_refused() -> None:
    with pytest.raises(errors.BadDeployment, match="names 5"):
        deployment(("a",) * 5)
