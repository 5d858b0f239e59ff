"""The gate, passed: what STS is asked, and whose credentials a client has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from remediator.aws.external_ids import OfWindows
from remediator.aws.sessions import StsSessions
from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.core.gate import Opening, gate_value
from remediator.core.windows import window_at
from remediator.service.errors import GateShut, SessionTooLarge
from remediator.service.passage import Passage
from tests.aws.conftest import ACCOUNT, DEPLOYMENT

if TYPE_CHECKING:
    from tests.aws.conftest import Account

WRITE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/remediator-write"
PASSAGE = Passage(window_at(1_800_000_120), Opening(b"o" * 32), "the-session-s-name", 1_800_000_240)
FIX = registry.load("aws.s3.block-public-access")
TARGETS = [
    FIX.target.parse({"arn": f"arn:aws:s3:::{name}", "region": "eu-central-1"}, Home("aws", ACCOUNT))
    for name in ("one-bucket", "other-bucket")
]


@pytest.fixture
def sessions(account: Account) -> StsSessions:
    return StsSessions(account.session, external_ids=OfWindows(DEPLOYMENT), write_role=WRITE_ROLE)


def asked_of(sessions: StsSessions) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []
    sessions._sts.meta.events.register(
        "provide-client-params.sts.AssumeRole", lambda params, **_: asked.append(dict(params))
    )
    return asked


def failing(sessions: StsSessions, error: Exception) -> None:
    def fail(**_: Any) -> None:
        raise error

    sessions._sts.meta.events.register("provide-client-params.sts.AssumeRole", fail)


def test_sts_is_asked_with_the_value_that_only_the_opening_gives(sessions: StsSessions) -> None:
    asked = asked_of(sessions)
    with sessions.at(PASSAGE).open(FIX, TARGETS, write=True):
        pass
    (params,) = asked
    policy = json.loads(params.pop("Policy"))
    assert params == {
        "RoleArn": WRITE_ROLE,
        "RoleSessionName": "the-session-s-name",
        "ExternalId": gate_value(DEPLOYMENT, PASSAGE.window, PASSAGE.opening).text(),
        "DurationSeconds": 900,
    }
    for statement in policy["Statement"]:
        assert statement["Resource"] == [target.id for target in TARGETS]
        assert statement["Condition"]["DateLessThan"] == {"aws:CurrentTime": "2027-01-15T08:04:00Z"}


def test_a_plan_s_session_may_only_read(sessions: StsSessions) -> None:
    asked = asked_of(sessions)
    with sessions.at(PASSAGE).open(FIX, TARGETS, write=False):
        pass
    assert "Put" not in asked[0]["Policy"]


def test_a_client_is_the_region_s_and_has_the_session_s_credentials(sessions: StsSessions) -> None:
    with sessions.at(PASSAGE).open(FIX, TARGETS, write=True) as session:
        assert session.client.meta.region_name == "eu-central-1"
        assert session.credentials.token
        signed: list[Any] = []
        session.client.meta.events.register("before-send", lambda request, **_: signed.append(request.headers))
        session.client.list_buckets()
        assert session.credentials.access_key.encode() in signed[0]["Authorization"]


def test_one_client_serves_the_next_session_with_the_next_credentials(sessions: StsSessions) -> None:
    with sessions.at(PASSAGE).open(FIX, TARGETS, write=True) as first:
        client, key = first.client, first.credentials.access_key
    with sessions.at(PASSAGE).open(FIX, TARGETS, write=True) as second:
        assert second.client is client
        assert second.credentials.access_key != key


def test_two_sessions_at_the_same_time_have_a_client_each(sessions: StsSessions) -> None:
    with (
        sessions.at(PASSAGE).open(FIX, TARGETS, write=True) as first,
        sessions.at(PASSAGE).open(FIX, TARGETS, write=True) as second,
    ):
        assert first.client is not second.client
        assert first.credentials.access_key != second.credentials.access_key


def test_what_a_thread_calls_is_recorded_for_it_alone(sessions: StsSessions) -> None:
    with sessions.at(PASSAGE).open(FIX, TARGETS, write=True) as session:
        session.client.list_buckets()
        with session.recording() as calls:
            session.client.list_buckets()
        session.client.list_buckets()
    assert calls == ["s3:ListBuckets"]


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole"), GateShut),
        (ClientError({"Error": {"Code": "Throttling"}}, "AssumeRole"), GateShut),
        (EndpointConnectionError(endpoint_url="https://sts"), GateShut),
        (ClientError({"Error": {"Code": "PackedPolicyTooLarge"}}, "AssumeRole"), SessionTooLarge),
    ],
)
def test_a_refusal_of_sts_has_a_name(sessions: StsSessions, error: Exception, meaning: type[Exception]) -> None:
    failing(sessions, error)
    with pytest.raises(meaning), sessions.at(PASSAGE).open(FIX, TARGETS, write=True):
        pytest.fail("the gate opened")


def test_a_fix_s_error_is_explained_by_the_cloud_s_own_code(sessions: StsSessions) -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutPublicAccessBlock")
    assert sessions.explain(refused) == ("AccessDenied", "no")
    lost = EndpointConnectionError(endpoint_url="https://s3")
    assert sessions.explain(lost) == ("EndpointConnectionError", "The call didn't get through.")


def refused(status: int, retries: int = 0) -> ClientError:
    answered = {"HTTPStatusCode": status, "RetryAttempts": retries}
    return ClientError({"Error": {"Code": "Nope"}, "ResponseMetadata": answered}, "ModifyDBInstance")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "accepted"),
    [
        (refused(400), False),
        (refused(409), False),
        (refused(400, retries=1), True),
        (refused(500), True),
        (EndpointConnectionError(endpoint_url="https://rds"), True),
    ],
)
def test_a_refusal_is_sure_if_the_only_try_was_answered(
    sessions: StsSessions, error: Exception, *, accepted: bool
) -> None:
    assert sessions.may_be_accepted(error) is accepted


def test_a_target_without_a_region_is_reached_at_home(sessions: StsSessions) -> None:
    fix = registry.load("aws.iam.set-password-policy")
    target = fix.target.parse({"arn": f"arn:aws:iam::{ACCOUNT}:root"}, Home("aws", ACCOUNT))
    with sessions.at(PASSAGE).open(fix, [target], write=True) as session:
        assert session.client.meta.service_model.service_name == "iam"


def test_sessions_are_filled_as_the_policies_allow(sessions: StsSessions) -> None:
    many = TARGETS * 40
    sizes = list(sessions.chunks(FIX, many, deadline=PASSAGE.deadline, write=True))
    assert sum(sizes) == len(many)


def test_a_client_that_the_function_makes_later_is_the_function_s_own(account: Account, sessions: StsSessions) -> None:
    whose: Any = account.session
    own = whose.get_credentials().access_key
    with sessions.at(PASSAGE).open(FIX, TARGETS, write=True) as session:
        assert whose.get_credentials().access_key == own != session.credentials.access_key
