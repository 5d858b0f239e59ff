"""The functions' entry points, as the platform calls them: who is let in, when, and what they let be seen."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import re
import sys
import time
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

from remediator.azure import remediate_function, rotate_function
from remediator.azure.rotate_function import RotationFailed
from remediator.azure.stored_credential import SECRET, SOON
from remediator.azure.windows_table import CONTROL_TABLE, LEASE, PARTITION, RECEIPTS_TABLE, WINDOWS_TABLE, row_of
from remediator.core.codes import Code
from remediator.core.gate import Opening, ProofKey, keys_of
from remediator.core.messages import Request, sign
from remediator.core.seeds import SeedRecord
from remediator.core.windows import PERIOD, staged_at, window_at
from remediator.local.azure.faults import Match
from remediator.local.azure.places import SUBSCRIPTION
from tests.azure.azure_house import HTTPS, KEY, TABLES, asking
from tests.azure.test_azure_remediations import APPLY
from tests.azure.test_azure_rotation_stores import WRITING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.core.gate import WindowKeys
    from tests.azure.azure_house import Answered, House

pytestmark = pytest.mark.xdist_group("azure functions")


@pytest.fixture
def ready(house: House) -> House:
    house.rotate()
    return house


def metrics(log: str) -> dict[str, float]:
    lines = [json.loads(line) for line in re.findall(r"\{.*\}", log)]
    return {line["metric"]: line["value"] for line in lines if "metric" in line}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "remediator")
    return caplog


def test_a_rotation_measures_itself(house: House, log: pytest.LogCaptureFixture) -> None:
    house.rotate()
    assert metrics(log.text) == {"Rotated": 1, "StagedWindows": 4}


def test_a_rotation_that_finds_another_at_work_fails_with_a_safe_message(
    ready: House, log: pytest.LogCaptureFixture
) -> None:
    lease = {"PartitionKey": PARTITION, "RowKey": LEASE, "holder": "another", "until": int(time.time()) + 900}
    ready.table(WINDOWS_TABLE).upsert_entity(lease)
    ready.table(WINDOWS_TABLE).delete_entity(PARTITION, row_of(window_at(time.time())))
    log.clear()
    with pytest.raises(RotationFailed, match="another run"):
        ready.rotate()
    assert metrics(log.text) == {"RotationFailed": 1}


@pytest.mark.parametrize(("left", "rings"), [(SOON + 3_600, False), (SOON - 1, True), (-1, True), (None, True)])
def test_a_certificate_rings_in_its_last_three_weeks_and_not_before(
    ready: House, log: pytest.LogCaptureFixture, left: int | None, *, rings: bool
) -> None:
    current = ready.credentials.secret(SECRET).current
    ready.credentials.change(SECRET, "", {"expires": left and int(time.time()) + left})
    log.clear()
    for _ in range(2):
        ready.rotate()
        assert ("CredentialEndsSoon" in metrics(log.text)) is rings
        ready.pass_time(PERIOD)
        log.clear()
    ready.credentials.change(SECRET, "", {"expires": current.expires})


def test_a_request_repairs_the_setting_and_is_measured(ready: House, log: pytest.LogCaptureFixture) -> None:
    target = ready.target()
    answered = ready.post(asking(target))
    assert (answered.status, answered.outcomes) == (200, ["fixed"])
    assert ready.encrypted(target)
    assert metrics(log.text)["Fixed"] == 1
    assert answered.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("who", "mode", "status"), [
    ("vendor", "apply", 200), ("vendor", "plan", 200), ("operator", "plan", 200), ("operator", "apply", 403),
])  # fmt: skip
def test_a_caller_is_who_the_token_says(ready: House, who: str, mode: str, status: int) -> None:
    assert ready.post(asking(ready.target(), mode=mode), who=who).status == status


def test_a_key_that_entra_begins_to_use_needs_no_restart(ready: House) -> None:
    assert ready.post(asking(ready.target(), mode="plan")).status == 200
    ready.cloud.mint.roll_keys()
    try:
        remediate_function._callers()._keys._tried -= 10
        assert ready.post(asking(ready.target(), mode="plan"), key="signed-by-a-new-key").status == 200
    finally:
        ready.cloud.mint.forget_old_keys()


def test_where_entra_s_keys_can_t_be_had_it_is_our_fault_and_rings(ready: House, log: pytest.LogCaptureFixture) -> None:
    request = ready.request(asking(ready.target()))
    keys = Match(service="entra", operation="Discover", resource="*/discovery/v2.0/keys", times=None)
    ready.cloud.faults.error(keys, "temporarily_unavailable", 503)
    log.clear()
    answered = ready.answer(request)
    assert (answered.status, answered.problem, answered.headers["retry-after"]) == (503, "gate_unavailable", "60")
    assert metrics(log.text) == {"GateUnavailable": 1}
    assert ready.entities(RECEIPTS_TABLE) == {}
    ready.cloud.faults.clear()
    remediate_function._callers()._keys._tried -= 10
    assert ready.answer(request).status == 200


def test_a_failure_inside_is_a_problem_that_tells_nothing(
    ready: House, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    def fail() -> Any:
        raise RuntimeError("the seed is 12345")

    request = ready.request(asking(ready.target()))
    monkeypatch.setattr(remediate_function, "_endpoint", fail)
    response = remediate_function.answer(request)
    assert (response.status_code, response.headers["retry-after"]) == (500, "30")
    assert "12345" not in log.text + response.get_body().decode()
    assert metrics(log.text)["Failed"] == 1


# I1, first half: time.


def sent_at(house: House, now: float, number: int) -> Answered:
    """Send what a caller sends whose clock says `now`, with that window's keys; the token is always good."""
    keys = house.keys(window_at(now))
    return house.post(asking(TARGET, mode="plan"), keys=keys, created=now, key=f"a-plan-of-number-{number:04}")


TARGET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/skewed"


@pytest.mark.parametrize("rotator", [-310, -150, 0, 150, 310])
def test_nothing_is_accepted_outside_the_window_and_its_grace_whatever_the_clocks(ready: House, rotator: int) -> None:
    """The rotator's clock is off by `rotator`, the caller's by -310 to +310 seconds; the deployment's decides."""
    ready.cloud.arm.add(TARGET)
    ready.pass_time(PERIOD)
    ready.rotate()
    replace(rotate_function._rotator(), clock=lambda: time.time() + rotator).run("a run with a clock of its own")
    accepted = set()
    for skew in range(-310, 311, 31 if rotator else 10):
        started = time.time()
        answered = sent_at(ready, started + skew, skew + 310)
        assert answered.status in (200, 401, 503)
        if answered.status == 200:
            accepted.add(skew)
            assert window_at(started + skew).honoured_at(started)
            assert abs(skew) <= 60
    assert accepted == (set() if rotator > 180 else {0, -31, 31} if rotator else set(range(-50, 60, 10)) | accepted)


@pytest.mark.parametrize(("after", "status"), [(0, 200), (50, 200), (60, 401), (61, 401), (PERIOD, 401)])
def test_a_window_is_honoured_in_its_grace_and_not_longer(ready: House, after: int, status: int) -> None:
    window = window_at(time.time())
    ready.cloud.arm.add(TARGET)
    keys = ready.keys(window)
    ready.pass_time(window.not_after + after - time.time())
    assert ready.post(asking(TARGET, mode="plan"), keys=keys, created=window.not_after - 1).status == status


# I3: everything is bound to its window, deployment and request.


def forged(house: House) -> dict[str, tuple[WindowKeys, Any]]:
    """Return keys that aren't this window's or this deployment's, and changes to a message after it was signed."""
    window = window_at(time.time())
    own, following = house.keys(window), house.keys(window + 1)
    foreign = keys_of(SeedRecord("another-deployment", window, house.seed(window)))
    return {
        "code of the next window": (replace(own, code=following.code), {}),
        "opening of the next window": (replace(own, opening=following.opening), {}),
        "signature of the next window": (replace(own, proof_key=following.proof_key), {}),
        "all of the next window": (following, {}),
        "all of the next window under this one's name": (replace(following, window=window), {}),
        "opening of another deployment": (replace(own, opening=foreign.opening), {}),
        "signature of another deployment": (replace(own, proof_key=foreign.proof_key), {}),
        "all of another deployment": (foreign, {}),
        "no code": (replace(own, code=Code(b"000000")), {}),
        "no opening": (replace(own, opening=Opening(bytes(32))), {}),
        "no signature": (replace(own, proof_key=ProofKey(bytes(32))), {}),
        "another key": (own, {"idempotency-key": "another-key-than-signed"}),
    }


FORGED = [
    "code of the next window", "opening of the next window", "signature of the next window", "all of the next window",
    "all of the next window under this one's name", "opening of another deployment",
    "signature of another deployment", "all of another deployment", "no code", "no opening", "no signature",
    "another key",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["plan", "apply"])
@pytest.mark.parametrize("what", FORGED)
def test_what_is_bound_to_something_else_is_worth_nothing(ready: House, what: str, mode: str) -> None:
    keys, headers = forged(ready)[what]
    target, mark = ready.target(), ready.cloud.calls.mark()
    answered = ready.post(asking(target, mode=mode), keys=keys, headers=headers)
    assert answered.body == {
        "type": "urn:remediator:problem:unauthorized",
        "title": "Code, opening or signature isn't live for this request",
        "status": 401,
    }
    assert ready.entities(RECEIPTS_TABLE) == {}
    assert ready.cloud.calls.of("arm", since=mark) == ()
    assert not [one for one in ready.cloud.calls.of("entra", since=mark) if one.principal == ready.remediator]


@pytest.mark.parametrize("other", ["body", "path", "method"])
def test_a_signature_is_of_this_request_alone(ready: House, other: str) -> None:
    body, target = asking(ready.target()), ready.target()
    signed = ready.request(body)
    raw = json.dumps(asking(target)).encode()
    changed = {"method": "POST", "url": signed.url, "headers": dict(signed.headers), "body": signed.get_body()}
    if other == "body":
        digest = dict(sign(Request("POST", "/v1/remediations", raw, KEY), ready.keys(), created=int(time.time())))
        changed |= {"body": raw, "headers": {**changed["headers"], "content-digest": digest["content-digest"]}}
    if other == "path":
        changed |= {"url": f"https://app/v1/remediations/{KEY}/refresh", "body": b"{}"}
        empty = dict(sign(Request("POST", "/", b"{}", KEY), ready.keys(), created=int(time.time())))
        changed["headers"] = {**changed["headers"], "content-digest": empty["content-digest"]}
    if other == "method":
        changed |= {"method": "PUT"}
    answered = ready.answer(func.HttpRequest(**changed))
    assert answered.status == (405 if other == "method" else 401)
    assert ready.entities(RECEIPTS_TABLE) == {}


# I8: secrets.


def _forms(secret: bytes) -> list[str]:
    texts = [secret.hex(), secret.hex().upper(), repr(secret)[2:-1]]
    texts += [base64.b32encode(secret).decode().rstrip("="), base64.b64encode(secret).decode().rstrip("=")]
    return [*texts, base64.urlsafe_b64encode(secret).decode().rstrip("=")]


def secrets_of(house: House, keys: WindowKeys) -> list[str]:
    """Return all that nobody may see, in every form: seeds, keys, openings, the code, the credential, its token."""
    found = []
    for window in staged_at(keys.window.not_before + 1):
        one = house.keys(window)
        parts = (house.seed(window).reveal(), one.opening.reveal(), one.proof_key.reveal())
        found += [form for part in parts for form in _forms(part)]
    code = keys.code.reveal().decode()
    pem = house.credentials.secret(SECRET).current.value.partition("-----BEGIN CERTIFICATE")[0]
    lines = [line for line in pem.splitlines() if line and "-----" not in line]
    return [*found, f'"{code}"', f" {code} ", f"'{code}'", f"={code}", "PRIVATE KEY", *lines]


@pytest.fixture
def talkative() -> Iterator[io.StringIO]:
    """The root logger at DEBUG, as a careless customer might set it, and everything it writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("step", [None, *sorted(set(APPLY))])
@pytest.mark.parametrize("wrong", ["", "code"])
def test_no_secret_is_in_a_log_an_answer_a_receipt_or_the_environment(
    ready: House, talkative: io.StringIO, capfd: pytest.CaptureFixture[str], step: str | None, wrong: str
) -> None:
    ready.post(asking(ready.target(), mode="plan"), key="an-earlier-request-1")
    keys = ready.keys()
    sent = replace(keys, code=Code(b"135791")) if wrong else keys
    request = ready.request(asking(ready.target()), keys=sent)
    talkative.truncate(0)
    with ready.wire.counting(breaking=step):
        answered = ready.answer(request)
    kept = [list(ready.table(name).list_entities()) for name in (CONTROL_TABLE, RECEIPTS_TABLE)]
    printed = capfd.readouterr()
    logged = talkative.getvalue()
    seen = "\n".join([logged, printed.out, printed.err, repr(answered), repr(kept), repr(dict(os.environ))])
    bearer = str(request.headers["authorization"]).partition(" ")[2]
    hidden = [*secrets_of(ready, keys), "135791", bearer, *filter(None, ready.wire.shown)]
    assert [secret for secret in hidden if secret in seen] == []
    assert ("fixed" in repr(answered)) is (not wrong and step in (None, "events POST events"))  # done before it's told
    assert "refused" in logged or not wrong or step in APPLY[:2]


@pytest.mark.parametrize("step", [None, *sorted(set(WRITING))])
def test_no_secret_of_a_rotation_is_in_a_log_an_error_or_the_environment(
    ready: House, talkative: io.StringIO, capfd: pytest.CaptureFixture[str], step: str | None
) -> None:
    keys = ready.keys()
    ready.pass_time(PERIOD)
    shown = ""
    talkative.truncate(0)
    with ready.wire.counting(breaking=step):
        try:
            rotate_function.rotate()
        except RotationFailed:
            shown = "".join(traceback.format_exception(*sys.exc_info()))
    printed = capfd.readouterr()
    seen = "\n".join([talkative.getvalue(), printed.out, printed.err, shown, repr(dict(os.environ))])
    assert bool(shown) is bool(step)
    assert "metric" in seen
    ready.pass_time(-PERIOD)
    hidden = [*secrets_of(ready, keys), *filter(None, ready.wire.shown)]
    assert [secret for secret in hidden if secret in seen] == []


def test_no_table_that_others_may_read_holds_what_opens(ready: House) -> None:
    ready.post(asking(ready.target()))
    shown = repr([list(ready.table(name).list_entities()) for name in TABLES])
    keys = ready.keys()
    for secret in (ready.seed(keys.window).reveal(), keys.opening.reveal()):
        assert [form for form in _forms(secret) if form in shown] == []
    assert "PRIVATE KEY" not in shown
    assert HTTPS in shown
