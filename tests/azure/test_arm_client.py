"""Speak to Resource Manager: deadlines, retries, conditions, long-running operations, errors, and what is recorded."""

from __future__ import annotations

import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from azure.core.exceptions import AzureError, ServiceResponseError

from remediator.azure.arm_client import ArmClient, ArmError, Changed, Missing
from tests.azure.arm_script import SECRET, Answer, Clock, Credential, Script, client

HOST = "https://management.azure.com"
PATH = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.Sql/servers/s"
WHERE = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Sql/locations/westeurope"
STATUS = f"{HOST}{WHERE}/serverAzureAsyncOperation/1?api-version=1"
PLACE = f"{HOST}{WHERE}/serverOperationResults/1?api-version=1"
API = "2021-11-01-preview"
BUSY = Answer(429, {"error": {"code": "TooManyRequests", "message": "Slow down."}}, {"Retry-After": "7"})
OK = Answer(200, {"id": PATH})


def refusal(status: int, code: str = "Nope", **headers: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": f"The cloud says {code}."}}, dict(headers))


def is_at(status: str, **headers: str) -> Answer:
    return Answer(200, {"status": status}, headers)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TestARequest:
    def test_says_method_path_version_and_body(self, clock: Clock) -> None:
        script = Script(OK, OK, OK, Answer(204), OK)
        arm = client(script, clock)
        assert arm.get(PATH, api=API) == {"id": PATH}
        assert arm.patch(PATH, {"a": 1}, api=API) == {"id": PATH}
        assert arm.put(PATH, {"b": [2]}, api=API) == {"id": PATH}
        assert arm.delete(PATH, api=API) == {}
        assert arm.post(f"{PATH}/restart", {}, api=API) == {"id": PATH}
        assert [(one.method, one.path, one.body) for one in script.sent] == [
            ("GET", PATH, None),
            ("PATCH", PATH, {"a": 1}),
            ("PUT", PATH, {"b": [2]}),
            ("DELETE", PATH, None),
            ("POST", f"{PATH}/restart", {}),
        ]
        assert {(one.host, one.query["api-version"]) for one in script.sent} == {("management.azure.com", API)}

    def test_brings_a_token_for_resource_manager(self, clock: Clock) -> None:
        script = Script(OK)
        client(script, clock).get(PATH, api=API)
        assert script.sent[0].headers["Authorization"] == f"Bearer {SECRET}"
        assert ArmClient.SCOPE == "https://management.azure.com/.default"

    def test_has_its_odd_names_quoted(self, clock: Clock) -> None:
        script = Script(OK)
        client(script, clock).get(f"{PATH}/databases/a b?c#d", api=API)
        assert script.sent[0].path == f"{PATH}/databases/a b?c#d"
        assert script.sent[0].query == {"api-version": API}

    def test_waits_for_an_answer_no_longer_than_the_deadline(self, clock: Clock) -> None:
        script = Script(OK, OK)
        client(script, clock, deadline=clock.now + 5).get(PATH, api=API)
        client(script, clock, deadline=clock.now + 500).get(PATH, api=API)
        assert [one.timeout for one in script.sent] == [(5.0, 5.0), (10.0, 60.0)]

    def test_is_not_sent_after_the_deadline(self, clock: Clock) -> None:
        script = Script()
        arm = client(script, clock, deadline=clock.now)
        with arm.recording() as calls, pytest.raises(ArmError) as refused:
            arm.get(PATH, api=API)
        assert refused.value.code == "DeadlineReached"
        assert calls == []

    def test_can_have_an_empty_answer(self, clock: Clock) -> None:
        assert client(Script(Answer(200, ["a list"]), Answer(200)), clock).get(PATH, api=API) == {}

    def test_closes_its_connections_at_the_end(self, clock: Clock) -> None:
        closed: list[bool] = []
        script = Script(OK)
        script.close = lambda: closed.append(True)  # type: ignore[method-assign]  # to see it called
        with client(script, clock) as arm:
            arm.get(PATH, api=API)
        assert closed

    def test_is_made_for_the_real_network_unless_told_otherwise(self) -> None:
        assert isinstance(ArmClient(Credential(), deadline=0.0), ArmClient)


class TestErrors:
    @pytest.mark.parametrize(
        ("answer", "kind", "code", "message"),
        [
            (refusal(403, "Forbidden"), ArmError, "Forbidden", "The cloud says Forbidden."),
            (refusal(404, "ResourceNotFound"), Missing, "ResourceNotFound", "The cloud says ResourceNotFound."),
            (refusal(412, "PreconditionFailed"), Changed, "PreconditionFailed", "The cloud says PreconditionFailed."),
            (Answer(409, {"code": "Old", "message": "Unwrapped."}), ArmError, "Old", "Unwrapped."),
            (Answer(400), ArmError, "Http400", "Resource Manager didn't say why."),
            (Answer(400, raw=b"<html>"), ArmError, "Http400", "Resource Manager didn't say why."),
            (Answer(400, {"error": "no"}), ArmError, "Http400", "Resource Manager didn't say why."),
            (Answer(400, {"error": {"code": None}}), ArmError, "Http400", "Resource Manager didn't say why."),
        ],
    )  # fmt: skip
    def test_carry_what_the_cloud_said(
        self, clock: Clock, answer: Answer, kind: type[ArmError], code: str, message: str
    ) -> None:
        with pytest.raises(ArmError) as refused:
            client(Script(answer), clock).patch(PATH, {}, api=API)
        assert type(refused.value) is kind
        assert (refused.value.code, refused.value.message, refused.value.status) == (code, message, answer.status)

    def test_name_an_answer_that_is_no_json(self, clock: Clock) -> None:
        with pytest.raises(ArmError) as refused:
            client(Script(Answer(200, raw=b"<html>")), clock).get(PATH, api=API)
        assert refused.value.code == "InvalidResponse"

    def test_and_logs_never_show_the_token(self, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        script = Script(OK, refusal(403), requests.exceptions.ConnectionError("gone"), refusal(500), refusal(500))
        arm = client(script, clock, deadline=clock.now + 0.5)
        arm.get(PATH, api=API)
        told = []
        for _ in range(2):
            try:
                arm.patch(PATH, {"properties": {}}, api=API)
            except (ArmError, AzureError) as error:
                told.append("".join(traceback.format_exception(error)))
        assert len(told) == 2
        assert SECRET not in caplog.text + "".join(told)


class TestRetries:
    def test_wait_as_long_as_the_cloud_asks(self, clock: Clock) -> None:
        script = Script(BUSY, BUSY, OK)
        assert client(script, clock).patch(PATH, {}, api=API) == {"id": PATH}
        assert clock.slept == [7.0, 7.0]

    def test_do_not_wait_past_the_deadline(self, clock: Clock) -> None:
        script = Script(BUSY, BUSY)
        with pytest.raises(ArmError) as refused:
            client(script, clock, deadline=clock.now + 10).get(PATH, api=API)
        assert (refused.value.code, refused.value.status) == ("TooManyRequests", 429)
        assert clock.slept == [7.0]

    @pytest.mark.parametrize("seconds", ["100", "86400"])
    def test_do_not_believe_in_tomorrow(self, clock: Clock, seconds: str) -> None:
        script = Script(refusal(429, "TooManyRequests", **{"Retry-After": seconds}))
        with pytest.raises(ArmError):
            client(script, clock).get(PATH, api=API)
        assert clock.slept == []

    def test_wait_longer_from_try_to_try_where_the_cloud_does_not_ask(self, clock: Clock) -> None:
        script = Script(refusal(503), refusal(503), refusal(503), OK)
        client(script, clock).get(PATH, api=API)
        assert clock.slept == [0.0, 1.6, 3.2]

    @pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
    def test_end_after_a_few(self, clock: Clock, headers: dict[str, str]) -> None:
        script = Script(*[refusal(503, "Busy", **headers)] * 9)
        with pytest.raises(ArmError, match="Busy"):
            client(script, clock).get(PATH, api=API)
        assert len(script.sent) == 5

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
    def test_are_not_for_refusals(self, clock: Clock, status: int) -> None:
        script = Script(refusal(status))
        with pytest.raises((ArmError, AzureError)):
            client(script, clock).get(PATH, api=API)
        assert len(script.sent) == 1

    def test_are_made_when_nobody_was_reached(self, clock: Clock) -> None:
        script = Script(requests.exceptions.ConnectionError("refused"), OK)
        assert client(script, clock).get(PATH, api=API) == {"id": PATH}

    def test_are_not_made_of_a_patch_whose_answer_was_lost(self, clock: Clock) -> None:
        script = Script(requests.exceptions.ReadTimeout("lost"))
        with pytest.raises(ServiceResponseError):
            client(script, clock).patch(PATH, {}, api=API)
        assert len(script.sent) == 1

    def test_count_as_one_call(self, clock: Clock) -> None:
        arm = client(Script(BUSY, OK), clock)
        with arm.recording() as calls:
            arm.get(PATH, api=API)
        assert calls == ["Microsoft.Sql/servers/read"]


class TestRefusals:
    """Which of them leave open whether the write was accepted all the same."""

    BEGUN = Answer(202, headers={"Azure-AsyncOperation": STATUS})
    PLACED = Answer(202, headers={"Location": PLACE})
    FAILED = Answer(200, {"status": "Failed"})

    @pytest.mark.parametrize(
        ("answers", "unsure"),
        [
            ([refusal(403)], False),
            ([refusal(409)], False),
            ([requests.exceptions.ReadTimeout("lost"), refusal(409)], True),
            ([BUSY, refusal(412)], True),
            ([refusal(503)] * 5, True),
            ([refusal(501)], True),
            ([BEGUN, refusal(400)], True),
            ([BEGUN, FAILED], False),
            ([PLACED, refusal(409)], False),
            ([PLACED, refusal(501)], True),
        ],
    )
    def test_are_sure_if_the_only_try_was_answered(
        self, clock: Clock, answers: list[Answer | Exception], *, unsure: bool
    ) -> None:
        with pytest.raises(ArmError) as refused:
            client(Script(*answers), clock).put(PATH, {}, api=API)
        assert refused.value.unsure is unsure

    @pytest.mark.parametrize("begun", [BEGUN, PLACED])
    def test_after_the_deadline_leave_an_operation_out_of_sight(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch, begun: Answer
    ) -> None:
        def oversleep(_: float) -> None:
            clock.now += 100

        monkeypatch.setattr(clock, "sleep", oversleep)
        with pytest.raises(ArmError, match="deadline") as refused:
            client(Script(begun), clock, deadline=clock.now + 50).put(PATH, {}, api=API)
        assert refused.value.unsure


class TestConditions:
    TAGGED = Answer(200, {"etag": 'W/"body"'}, {"ETag": 'W/"head"'})

    def if_match(self, script: Script) -> str | None:
        return script.sent[-1].headers.get("If-Match")

    @pytest.mark.parametrize(
        ("answer", "tag"),
        [(TAGGED, 'W/"head"'), (Answer(200, {"etag": 'W/"body"'}), 'W/"body"'), (OK, None)],
    )
    def test_are_on_what_was_last_read(self, clock: Clock, answer: Answer, tag: str | None) -> None:
        script = Script(answer, OK)
        arm = client(script, clock)
        arm.get(PATH, api=API)
        arm.put(PATH.upper(), {}, api=API)
        assert self.if_match(script) == tag

    def test_are_on_that_path_alone(self, clock: Clock) -> None:
        script = Script(self.TAGGED, OK)
        arm = client(script, clock)
        arm.get(PATH, api=API)
        arm.patch(f"{PATH}/databases/d", {}, api=API)
        assert self.if_match(script) is None

    def test_are_forgotten_once_used(self, clock: Clock) -> None:
        script = Script(self.TAGGED, OK, OK)
        arm = client(script, clock)
        arm.get(PATH, api=API)
        arm.put(PATH, {}, api=API)
        arm.put(PATH, {}, api=API)
        assert self.if_match(script) is None

    def test_are_forgotten_when_there_is_no_tag_any_more(self, clock: Clock) -> None:
        script = Script(self.TAGGED, OK, OK)
        arm = client(script, clock)
        arm.get(PATH, api=API)
        arm.get(PATH, api=API)
        arm.delete(PATH, api=API)
        assert self.if_match(script) is None

    def test_that_fail_say_so(self, clock: Clock) -> None:
        arm = client(Script(self.TAGGED, refusal(412, "PreconditionFailed")), clock)
        arm.get(PATH, api=API)
        with pytest.raises(Changed):
            arm.put(PATH, {}, api=API)


class TestLongRunningOperations:
    def test_are_followed_by_their_status(self, clock: Clock) -> None:
        begun = Answer(202, headers={"Azure-AsyncOperation": STATUS, "Location": PLACE, "Retry-After": "3"})
        script = Script(begun, is_at("InProgress", **{"Retry-After": "5"}), is_at("Running"), is_at("Succeeded"))
        arm = client(script, clock)
        with arm.recording() as calls:
            arm.patch(PATH, {}, api=API)
        assert clock.slept == [3.0, 5.0, 2.0]
        assert calls == ["Microsoft.Sql/servers/write"] + ["Microsoft.Sql/locations/serverAzureAsyncOperation/read"] * 3
        assert script.left == []

    def test_are_followed_by_their_place_where_they_have_no_status(self, clock: Clock) -> None:
        waiting = Answer(202, headers={"Location": PLACE, "Retry-After": "1"})
        script = Script(waiting, waiting, OK)
        arm = client(script, clock)
        with arm.recording() as calls:
            arm.patch(PATH, {}, api=API)
        assert calls[1:] == ["Microsoft.Sql/locations/serverOperationResults/read"] * 2

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_are_followed_by_the_resources_own_state_where_they_say_nothing_else(
        self, clock: Clock, status: int
    ) -> None:
        def at(state: str) -> Answer:
            return Answer(status, {"properties": {"provisioningState": state}})

        script = Script(at("Updating"), at("Accepted"), at("Succeeded"))
        arm = client(script, clock)
        with arm.recording() as calls:
            arm.put(PATH, {}, api=API)
        assert calls == ["Microsoft.Sql/servers/write", "Microsoft.Sql/servers/read", "Microsoft.Sql/servers/read"]
        assert clock.slept == [2.0, 2.0]

    @pytest.mark.parametrize(
        "done",
        [
            OK,
            Answer(202),
            Answer(201, {"properties": {"provisioningState": "Succeeded"}}, {"Location": f"{HOST}{PATH}"}),
            Answer(200, {"properties": None}),
        ],
    )
    def test_that_are_none_are_not_waited_for(self, clock: Clock, done: Answer) -> None:
        client(Script(done), clock).put(PATH, {}, api=API)
        assert clock.slept == []

    @pytest.mark.parametrize("state", ["Failed", "Canceled", "Cancelled"])
    def test_that_fail_say_why(self, clock: Clock, state: str) -> None:
        begun = Answer(202, headers={"Azure-AsyncOperation": STATUS})
        failed = Answer(200, {"status": state, "error": {"code": "SkuNotAvailable", "message": "Not here."}})
        with pytest.raises(ArmError) as refused:
            client(Script(begun, failed), clock).patch(PATH, {}, api=API)
        assert (refused.value.code, refused.value.message, refused.value.status) == ("SkuNotAvailable", "Not here.", 0)

    def test_that_fail_without_a_word_fail_all_the_same(self, clock: Clock) -> None:
        begun = Answer(202, headers={"Azure-AsyncOperation": STATUS})
        with pytest.raises(ArmError) as refused:
            client(Script(begun, is_at("Failed")), clock).patch(PATH, {}, api=API)
        assert refused.value.code == "OperationFailed"

    def test_that_fail_at_their_place_say_why(self, clock: Clock) -> None:
        begun = Answer(202, headers={"Location": PLACE})
        with pytest.raises(ArmError, match="Conflict"):
            client(Script(begun, refusal(409, "Conflict")), clock).patch(PATH, {}, api=API)

    def test_are_left_when_patience_ends(self, clock: Clock) -> None:
        begun = Answer(202, headers={"Azure-AsyncOperation": STATUS, "Retry-After": "4"})
        script = Script(begun, *[is_at("InProgress", **{"Retry-After": "4"})] * 9)
        client(script, clock, patience=11).patch(PATH, {}, api=API)
        assert clock.slept == [4.0, 4.0]

    def test_are_left_before_the_deadline(self, clock: Clock) -> None:
        begun = Answer(202, headers={"Azure-AsyncOperation": STATUS})
        script = Script(begun, *[is_at("InProgress")] * 9)
        client(script, clock, deadline=clock.now + 5).patch(PATH, {}, api=API)
        assert sum(clock.slept) < 5

    def test_are_asked_about_now_and_then_however_long_they_ask_to_wait(self, clock: Clock) -> None:
        begun = Answer(202, headers={"Azure-AsyncOperation": STATUS, "Retry-After": "600"})
        client(Script(begun, is_at("Succeeded")), clock).patch(PATH, {}, api=API)
        assert clock.slept == [15.0]

    @pytest.mark.parametrize("status", [403, 404])
    def test_whose_progress_may_not_be_seen_are_followed_by_the_resource(self, clock: Clock, status: int) -> None:
        begun = Answer(202, headers={"Azure-AsyncOperation": STATUS})
        going_on, done = (Answer(200, {"properties": {"provisioningState": one}}) for one in ("Updating", "Succeeded"))
        arm = client(Script(begun, refusal(status), going_on, done), clock)
        with arm.recording() as calls:
            assert arm.patch(PATH, {}, api=API) == {}
        assert calls[2:] == ["Microsoft.Sql/servers/read"] * 2
        assert clock.slept == [2.0] * 3

    def test_of_what_says_nothing_of_itself_are_left_if_their_progress_may_not_be_seen(self, clock: Clock) -> None:
        begun = Answer(202, headers={"Location": PLACE})
        script = Script(begun, refusal(403), OK)
        client(script, clock).patch(PATH, {}, api=API)
        assert script.left == []

    def test_on_what_is_gone_meanwhile_say_so(self, clock: Clock) -> None:
        begun = Answer(200, {"properties": {"provisioningState": "Deleting"}})
        with pytest.raises(Missing):
            client(Script(begun, refusal(404, "ResourceNotFound")), clock).put(PATH, {}, api=API)

    @pytest.mark.parametrize(
        "elsewhere",
        ["https://evil.example/1", "http://management.azure.com/1", f"{HOST}.evil.example/1", f"{HOST}@evil.example/1"],
    )
    def test_are_asked_about_at_resource_manager_alone(self, clock: Clock, elsewhere: str) -> None:
        script = Script(Answer(202, headers={"Azure-AsyncOperation": elsewhere}))
        with pytest.raises(ArmError) as refused:
            client(script, clock).patch(PATH, {}, api=API)
        assert refused.value.code == "ForeignLocation"
        assert len(script.sent) == 1


def test_each_thread_records_its_own_calls(clock: Clock) -> None:
    arm = client(Script(*[OK] * 40), clock)

    def call(number: int) -> list[str]:
        with arm.recording() as calls:
            for _ in range(5):
                arm.get(f"{PATH}/databases/d{number}/transparentDataEncryption/current", api=API)
        return calls

    with ThreadPoolExecutor(4) as threads:
        recorded = list(threads.map(call, range(8)))
    assert recorded == [["Microsoft.Sql/servers/databases/transparentDataEncryption/read"] * 5] * 8


def test_nothing_is_recorded_that_nobody_asked_to_record(clock: Clock) -> None:
    arm = client(Script(OK, OK), clock)
    arm.get(PATH, api=API)
    with arm.recording() as calls:
        pass
    arm.get(PATH, api=API)
    assert calls == []


def test_the_token_is_asked_for_as_resource_managers(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    real = Credential.get_token

    def get_token(self: Credential, *scopes: str, **options: Any) -> Any:
        asked.append(scopes)
        return real(self, *scopes, **options)

    monkeypatch.setattr(Credential, "get_token", get_token)
    client(Script(OK), clock).get(PATH, api=API)
    assert asked == [(ArmClient.SCOPE,)]
