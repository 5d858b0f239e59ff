"""Azure's gate, passed: who signs in with what, how often, and what nothing signs in with."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.data.tables import UpdateMode
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from remediator.azure import remediate_function
from remediator.azure.arm_client import ArmClient, ArmError
from remediator.azure.seed_ring import name_of
from remediator.azure.sessions import AzureSession
from remediator.azure.stored_credential import SECRET
from remediator.azure.windows_table import PARTITION, WINDOWS_TABLE, row_of
from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.core.gate import Opening, opening
from remediator.core.windows import PERIOD, window_at
from remediator.local.azure.faults import Match
from remediator.local.azure.places import SUBSCRIPTION
from remediator.service.errors import GateShut
from remediator.service.passage import Passage
from tests.azure.arm_script import Answer, Clock, Script, client
from tests.azure.azure_house import HTTPS

if TYPE_CHECKING:
    from remediator.azure.sessions import EntraSessions
    from tests.azure.azure_house import House

pytestmark = pytest.mark.xdist_group("azure sessions")

FIX = registry.load(HTTPS)


@pytest.fixture
def open_house(house: House) -> House:
    house.rotate()
    return house


def sessions() -> EntraSessions:
    found: Any = remediate_function._endpoint().remediator.sessions
    passed: EntraSessions = found
    return passed


def passage(house: House, **more: Any) -> Passage:
    now = time.time()
    window = window_at(now)
    return replace(Passage(window, house.keys(window).opening, "a-session-s-name", int(now) + 120), **more)


def target(house: House) -> Any:
    return FIX.target.parse({"id": house.target()}, Home("azure", SUBSCRIPTION))


def sign_ins(house: House, mark: int) -> list[str]:
    """Return who signed in, leaving out managed identities, which have no secret to sign in with."""
    found = house.cloud.calls.of("entra", since=mark)
    return [call.principal for call in found if call.operation == "SignIn" and call.status == 200]


def test_who_brings_the_opening_signs_in_as_the_app_registration(open_house: House) -> None:
    mark, one = open_house.cloud.calls.mark(), target(open_house)
    with sessions().at(passage(open_house)).open(FIX, [one], write=True) as session:
        FIX.write(session.client, one, before=False, after=True)
    assert open_house.encrypted(one.id)
    assert sign_ins(open_house, mark) == [open_house.remediator]
    assert {call.principal for call in open_house.cloud.calls.of("arm", since=mark)} == {open_house.remediator}


def test_a_request_signs_in_once_however_many_sessions_it_opens(open_house: House) -> None:
    mark, doorway = open_house.cloud.calls.mark(), sessions().at(passage(open_house))
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(doorway.open(FIX, [], write=True))
    assert len(sign_ins(open_house, mark)) == 1


def test_nothing_of_a_sign_in_is_left_for_the_next_request(open_house: House) -> None:
    mark, gate = open_house.cloud.calls.mark(), sessions()
    for _ in range(2):
        with gate.at(passage(open_house)).open(FIX, [], write=True):
            pass
    assert len(sign_ins(open_house, mark)) == 2


@pytest.mark.parametrize("wrong", ["guess", "next window's", "last window's", "another deployment's"])
def test_without_the_window_s_opening_nobody_signs_in(open_house: House, wrong: str) -> None:
    open_house.pass_time(PERIOD)
    open_house.rotate()
    window = window_at(time.time())
    forged = {
        "guess": Opening(bytes(32)),
        "next window's": open_house.keys(window + 1).opening,
        "last window's": open_house.keys(window + -1).opening,
        "another deployment's": opening("another-deployment", window, open_house.seed(window)),
    }
    mark = open_house.cloud.calls.mark()
    with (
        pytest.raises(GateShut),
        sessions().at(passage(open_house, opening=forged[wrong])).open(FIX, [], write=True),
    ):
        pytest.fail("the gate opened")
    assert open_house.cloud.calls.of("entra", since=mark) == ()


@pytest.mark.parametrize("seconds", [-180 - 1, -PERIOD, 240 + 60, PERIOD + 240])
def test_a_window_that_isn_t_live_is_refused_before_anything_is_read(open_house: House, seconds: int) -> None:
    brought = passage(open_house)
    open_house.pass_time(brought.window.not_before + 60 - time.time())
    remediate_function._endpoint()
    open_house.pass_time(seconds + (120 if seconds < 0 else 0))
    mark = open_house.cloud.calls.mark()
    with pytest.raises(GateShut, match="window"), sessions().at(brought).open(FIX, [], write=True):
        pytest.fail("the gate opened")
    assert open_house.cloud.calls.since(mark) == ()


def test_where_nothing_is_sealed_the_gate_is_shut(open_house: House) -> None:
    brought = passage(open_house)
    bare = {"PartitionKey": PARTITION, "RowKey": row_of(brought.window), "c": b""}
    open_house.table(WINDOWS_TABLE).update_entity(bare, mode=UpdateMode.REPLACE)
    with pytest.raises(GateShut, match="nothing is sealed"), sessions().at(brought).open(FIX, [], write=True):
        pytest.fail("the gate opened")
    open_house.table(WINDOWS_TABLE).delete_entity(PARTITION, row_of(brought.window))
    with pytest.raises(GateShut, match="nothing is sealed"), sessions().at(brought).open(FIX, [], write=True):
        pytest.fail("the gate opened")


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client", "temporarily_unavailable"])
def test_a_refusal_of_entra_shuts_the_gate_and_shows_nothing(open_house: House, code: str) -> None:
    brought = passage(open_house)
    signing_in = Match(service="entra", operation="SignIn", principal=open_house.remediator, times=None)
    open_house.cloud.faults.error(signing_in, code, 400)
    with pytest.raises(GateShut) as shut, sessions().at(brought).open(FIX, [], write=True):
        pytest.fail("the gate opened")
    assert str(shut.value) == "ClientAuthenticationError"
    assert shut.value.__suppress_context__


def test_a_certificate_that_is_registered_no_more_shuts_the_gate(open_house: House) -> None:
    brought = passage(open_house)
    app = open_house.cloud.directory.application(remediate_function._settings().app_id)
    assert app is not None
    before = app.keys
    try:
        app.keys = ()
        with pytest.raises(GateShut), sessions().at(brought).open(FIX, [], write=True):
            pytest.fail("the gate opened")
    finally:
        app.keys = before


def test_after_the_deadline_a_session_sends_nothing(open_house: House) -> None:
    one = target(open_house)
    with sessions().at(passage(open_house)).open(FIX, [one], write=True) as session:
        mark = open_house.cloud.calls.mark()
        open_house.pass_time(120)
        with pytest.raises(ArmError, match="deadline"):
            FIX.write(session.client, one, before=False, after=True)
    assert open_house.cloud.calls.of("arm", since=mark) == ()


def test_what_a_thread_calls_is_recorded_for_it_alone(open_house: House) -> None:
    one = target(open_house)
    with sessions().at(passage(open_house)).open(FIX, [one], write=True) as session:
        FIX.read(session.client, one)
        with session.recording() as calls:
            FIX.read(session.client, one)
        FIX.read(session.client, one)
    assert calls == ["Microsoft.Storage/storageAccounts/read"]


def test_a_fix_s_error_is_explained_by_the_cloud_s_own_code(open_house: House) -> None:
    assert open_house
    refused = ArmError("AuthorizationFailed", "no", 403)
    assert sessions().explain(refused) == ("AuthorizationFailed", "no")
    assert sessions().explain(ServiceRequestError(""))[0] == "ServiceRequestError"
    assert sessions().explain(HttpResponseError(""))[1]


@pytest.mark.parametrize(
    ("error", "accepted"),
    [
        (ArmError("Conflict", "no", 409), False),
        (ArmError("Conflict", "no", 409, unsure=True), True),
        (ServiceRequestError(""), True),
    ],
)
def test_a_refusal_is_as_sure_as_resource_manager_s_client_says(
    open_house: House, error: Exception, *, accepted: bool
) -> None:
    assert open_house
    assert sessions().may_be_accepted(error) is accepted


def test_a_session_isn_t_narrowed_so_one_serves_all_targets(open_house: House) -> None:
    targets = [target(open_house) for _ in range(3)]
    assert list(sessions().chunks(FIX, targets * 40, deadline=0, write=True)) == [120]
    assert list(sessions().chunks(FIX, [], deadline=0, write=True)) == []


def test_the_remediator_s_own_identity_reads_no_seed_and_no_credential_and_repairs_nothing(open_house: House) -> None:
    own, one = ManagedIdentityCredential(client_id=remediate_function._settings().identity), target(open_house)
    for vault, name in (("SeedVault", name_of(window_at(time.time()))), ("CredentialVault", SECRET)):
        with pytest.raises(HttpResponseError, match="Forbidden"):
            SecretClient(open_house.cloud.outputs[vault], own, api_version="7.4").get_secret(name)
    with ArmClient(own, deadline=time.time() + 60) as client, pytest.raises(ArmError, match="authorization"):
        FIX.write(client, one, before=False, after=True)


@pytest.mark.parametrize("properties", [{}, {"tags": None}, {"tags": {}}])
def test_a_resource_without_tags_has_none_however_azure_says_so(properties: dict[str, Any]) -> None:
    target = FIX.target.parse(FIX.target.example, Home("azure", ""))
    script = Script(Answer(body={"properties": properties}))
    assert AzureSession(client(script, Clock())).tags([target]) == {target.id: {}}
