"""Hold the vendor's way into Azure to what Key Vault and Entra may answer."""

from __future__ import annotations

import io
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter

from remediator.core.seeds import EPOCH, SeedRecord, vault_name_of
from remediator.core.windows import Window, window_at
from remediator.vendor import Client, errors
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.transport import Unsigned
from tests.vendor.speaking import DEPLOYMENT_ID, START, Scene, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUTS = {
    "Deployment": DEPLOYMENT_ID,
    "Endpoint": "https://remediator.azurewebsites.net/",
    "Audience": "api://remediator",
    "SeedVault": "https://seeds.vault.azure.net/",
}
NOW = window_at(START)


class Credential:
    """Give a token that names what it was asked for."""

    def __init__(self, *, refused: bool = False) -> None:
        self.refused = refused

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        if self.refused:
            raise ClientAuthenticationError("AADSTS7000215: invalid secret.\nTrace ID: 1")
        return AccessToken(f"token-for-{scopes[0]}", 2**33)


class Vault(BaseAdapter):
    """Demand a token, as Key Vault does, and then answer as told."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = requests.Response()
        answer.request, answer.url, answer.raw = request, str(request.url), io.BytesIO(b"{}")
        answer.headers["Date"] = formatdate(START + 7, usegmt=True)
        answer.headers["Content-Type"] = "application/json"
        if "Authorization" not in request.headers:
            answer.status_code = 401
            answer.headers["WWW-Authenticate"] = (
                'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"'
            )
            return answer
        self.asked.append(request)
        answer.status_code, body = self.answers.pop(0)
        answer.raw = io.BytesIO(json.dumps(body).encode())
        return answer

    def close(self) -> None:
        """Nothing is held."""


def access(*answers: tuple[int, Any], refused: bool = False) -> tuple[AzureAccess, Vault]:
    session, vault = requests.Session(), Vault(*answers)
    session.mount("https://", vault)
    transport: Any = RequestsTransport(session=session, session_owner=False)
    credential: Any = Credential(refused=refused)
    return AzureAccess(AzureDeployment.from_outputs(OUTPUTS), credential, transport=transport), vault


def secret(value: str) -> dict[str, str]:
    return {"value": value, "id": "https://seeds.vault.azure.net/secrets/seed/0123456789abcdef0123456789abcdef"}


def refusal(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "Caller is not authorized.\nCaller: the vendor"}}


def record_of(window: Window) -> str:
    return SeedRecord(DEPLOYMENT_ID, window, seed_of(window)).to_json()


def test_the_seed_is_read_under_the_name_of_its_epoch_and_slot_with_the_store_s_time() -> None:
    reader, vault = access((200, secret(record_of(NOW))))
    reading = reader.read(NOW, START)
    assert reading.record.window == NOW
    assert reading.date == formatdate(START + 7, usegmt=True)
    [request] = vault.asked
    assert f"/secrets/seed-{NOW.number // 1152}-{NOW.number % 6}" in str(request.url)


def test_a_name_comes_again_every_six_windows_of_an_epoch_and_never_in_another() -> None:
    first = Window(EPOCH * 5000)
    assert vault_name_of(first + 6) == vault_name_of(first)
    names = [vault_name_of(first + ahead) for ahead in range(EPOCH)]
    assert set(names) == {f"seed-5000-{slot}" for slot in range(6)}
    assert vault_name_of(first + EPOCH) == "seed-5001-0"


def test_a_call_carries_the_endpoint_s_token_and_the_second_lock() -> None:
    reader, _ = access()
    call = Unsigned("POST", "https://x/", {"accept": "a"}, {"remediation-code": "123456"}, b"{}")
    assert reader.authorize(call, START).headers == {
        "accept": "a",
        "remediation-code": "123456",
        "authorization": "Bearer token-for-api://remediator/.default",
    }


@pytest.mark.parametrize("value", ["", "{}", "not json"])
def test_what_is_not_a_seed_record_is_no_live_seed(value: str) -> None:
    reader, _ = access((200, secret(value)))
    with pytest.raises(errors.NoLiveSeed):
        reader.read(NOW, START)


def test_a_vault_without_the_secret_has_no_live_seed() -> None:
    reader, _ = access((404, refusal("SecretNotFound")))
    with pytest.raises(errors.NoLiveSeed, match="seed-"):
        reader.read(NOW, START)


def test_a_refusal_of_the_vault_is_told_in_its_own_words() -> None:
    reader, _ = access((403, refusal("Forbidden")))
    with pytest.raises(errors.NoAccess) as refused:
        reader.read(NOW, START)
    assert (refused.value.service, refused.value.code) == ("Key Vault", "Forbidden")
    assert "Caller:" not in str(refused.value)


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: reader.read(NOW, START),
        lambda reader: reader.authorize(Unsigned("GET", "https://x/", {}, {}, b""), START),
    ],
)
def test_who_cannot_sign_in_is_told_so_by_entra(ask: Callable[[AzureAccess], object]) -> None:
    reader, vault = access(refused=True)
    with pytest.raises(errors.NoAccess, match="AADSTS7000215") as refused:
        ask(reader)
    assert refused.value.service == "Entra"
    assert vault.asked == []


@pytest.mark.parametrize("lacking", sorted(OUTPUTS))
def test_outputs_that_lack_something_are_refused_by_its_name(lacking: str) -> None:
    with pytest.raises(errors.BadDeployment, match=lacking):
        AzureDeployment.from_outputs({name: value for name, value in OUTPUTS.items() if name != lacking})


def test_nothing_is_sent_to_an_address_that_others_can_read() -> None:
    with pytest.raises(errors.BadDeployment):
        AzureDeployment.from_outputs(OUTPUTS | {"Endpoint": "http://example.org/"})


def test_the_one_client_reads_the_vault_signs_and_shows_the_token(scene: Scene) -> None:
    scene.speaker.any_signer = True
    reader, _ = access((200, secret(record_of(NOW))))
    there = AzureDeployment(DEPLOYMENT_ID, scene.url, "api://remediator", OUTPUTS["SeedVault"])
    answer = Client(there, reader, clock=scene.clock).refresh("0123456789abcdef")
    assert answer.id == scene.speaker.received[-1].headers["idempotency-key"]
    assert scene.speaker.received[-1].window == NOW
    assert scene.speaker.received[-1].headers["authorization"] == "Bearer token-for-api://remediator/.default"
