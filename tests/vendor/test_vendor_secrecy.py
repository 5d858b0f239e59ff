from __future__ import annotations

import base64
import logging
import sys
import traceback
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from remediator.core.gate import keys_of
from remediator.core.seeds import RING as SLOTS
from remediator.core.seeds import SeedRecord, slot_of
from remediator.core.windows import Window, window_at
from remediator.service.problems import Problem
from remediator.vendor import Client, Deployment, Finding, Patience, errors
from remediator.vendor.aws_access import AwsAccess, Role
from remediator.vendor.client import new_key
from remediator.vendor.transport import Call, Reply, Unsigned
from tests.vendor.speaking import (
    CREDENTIALS,
    DEPLOYMENT_ID,
    FINDING,
    START,
    HandClock,
    Scene,
    deployment_at,
    problem,
    secrets_of,
    seed_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ONE = [Finding(fix=FINDING["fix"], target=FINDING["target"])]
_OPENED: list[str] = []
_watching = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open" and arguments[1] and set(str(arguments[1])) & set("wax+"):
        _OPENED.append(str(arguments[0]))
    if event in ("os.mkdir", "os.rename", "shutil.copyfile", "tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect"):
        _OPENED.append(event)


sys.addaudithook(_audit)


@pytest.fixture
def written() -> Iterator[list[str]]:
    """Collect what is opened for writing while a test runs; an audit hook can't be taken back, only told to rest."""
    global _watching  # noqa: PLW0603 - the hook is the interpreter's, one for all tests
    _OPENED.clear()
    _watching = True
    yield _OPENED
    _watching = False


@pytest.fixture
def real_access(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsAccess]:
    """Reach a ring in a real SDK's hands, with every logger at DEBUG."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAVENDOR")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-vendors-own-secret-key")
    with mock_aws():
        session = boto3.Session(region_name="eu-west-1")
        secrets = session.client("secretsmanager")
        names = [f"remediator/seed/{slot}" for slot in range(SLOTS)]
        for ahead in range(SLOTS):
            window = window_at(START) + ahead
            record = SeedRecord(DEPLOYMENT_ID, window, seed_of(window)).to_json()
            secrets.create_secret(Name=names[slot_of(window)], SecretString=record)
        plain = deployment_at(scene.url)
        role = Role("arn:aws:iam::123456789012:role/remediator-reader", "vendor-issued-id")
        ring = Deployment(plain.id, plain.region, plain.endpoint, tuple(names), role.arn, "vendor-issued-id")
        yield Lenient(ring, session, role)


class Lenient(AwsAccess):
    """Read as always, but by the tests' time instead of the emulator's, and sign with a key that the server knows."""

    def credentials(self, now: float) -> Any:
        super().credentials(now)
        return CREDENTIALS

    def read(self, window: Window, now: float) -> Any:
        reading = super().read(window, now)
        return type(reading)(reading.record, None)


def forms(secret: bytes) -> set[str]:
    """Return a secret as text in every form it could leak in."""
    shapes = {
        secret.hex(),
        base64.b64encode(secret).decode(),
        base64.b32encode(secret).decode().rstrip("="),
        repr(secret),
    }
    return shapes | ({secret.decode()} if secret.isascii() and secret.decode().isprintable() else set())


def leaks(text: str, *windows: Window) -> list[str]:
    named = [
        (name, form) for window in windows for name, secret in secrets_of(window).items() for form in forms(secret)
    ]
    credentials = [("secret key", CREDENTIALS.secret_key), ("token", str(CREDENTIALS.token))]
    return [name for name, form in named + credentials if form in text]


FAILURES: dict[str, Callable[[Scene], None]] = {
    "nothing fails": lambda _: None,
    "a refusal": lambda scene: scene.speaker.script.append(problem(Problem.INVALID_REQUEST, detail="no")),
    "a second 401": lambda scene: scene.speaker.script.extend([problem(Problem.UNAUTHORIZED)] * 2),
    "the function URL": lambda scene: scene.speaker.script.append((403, {}, {"Message": "Forbidden"})),
    "nonsense": lambda scene: scene.speaker.script.append((200, {}, b"nonsense")),
    "a lost connection": lambda scene: scene.speaker.script.extend([(0, {}, b"")] * 9),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_secret_is_in_any_log_error_or_traceback_with_everything_at_debug(
    scene: Scene, real_access: AwsAccess, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    caplog.set_level(logging.DEBUG)
    for library in ("botocore", "boto3", "urllib3"):
        caplog.set_level(logging.DEBUG, library)
    FAILURES[failure](scene)
    said = ""
    try:
        said = repr(scene.client(access=real_access, patience=Patience(seconds=2)).plan(ONE))
    except errors.NotServed as error:
        said = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert scene.speaker.received
    assert scene.speaker.received[0].headers["remediation-code"]
    assert leaks(caplog.text + said, window_at(START)) == []


def test_the_search_would_find_a_leak() -> None:
    window = window_at(START)
    keys = keys_of(SeedRecord(DEPLOYMENT_ID, window, seed_of(window)))
    assert leaks(f"the opening is {keys.opening.hex()}", window) == ["opening"]
    assert leaks(SeedRecord(DEPLOYMENT_ID, window, seed_of(window)).to_json(), window) == ["seed"]


def test_nothing_is_written_to_disk(scene: Scene, tmp_path: Path, real_access: AwsAccess, written: list[str]) -> None:
    written.clear()
    scene.client(access=real_access).apply(ONE)
    assert written == []
    (tmp_path / "control").write_text("the hook sees this")
    assert written == [str(tmp_path / "control")]


def test_no_secret_is_in_the_repr_of_what_holds_one(scene: Scene) -> None:
    kept: list[object] = []

    class Keeping:
        def send(self, call: Call) -> Reply:
            kept.append(call)
            return Reply(200, {"x": "y"}, b'{"id":"i","mode":"plan","state":"done","results":[]}')

    client: Client = scene.client(transport=Keeping())
    client.plan(ONE)
    window = window_at(START)
    secrets = {"remediation-code": "123456", "remediation-opening": "ab" * 32}
    kept += [client, vars(client), vars(client._keyring), CREDENTIALS]
    kept.append(Unsigned("POST", scene.url, {"accept": "x"}, secrets, b"{}"))
    text = repr(kept)
    assert leaks(text, window) == []
    assert "ab" * 32 not in text
    assert "123456" not in text


def test_fresh_keys_come_from_the_operating_systems_entropy() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000


def test_the_clock_of_these_tests_is_a_clock() -> None:
    clock = HandClock()
    clock.sleep(2)
    assert clock.now() == START + 2
