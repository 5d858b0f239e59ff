"""Who calls, by an Entra token that is checked whole."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from remediator.azure.callers import STRANGER, Callers
from remediator.azure.settings import RemediateSettings
from remediator.azure.signing_keys import FRESH, PAUSE, KeysUnavailable, SigningKeys, UnknownKey
from remediator.catalogue.spec import Home
from remediator.service.requests import Principal, Role
from remediator.service.scope import Scope

TENANT, AUDIENCE = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
READER, OPERATOR = "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444"
READER_APP, OPERATOR_APP = "77777777-7777-7777-7777-777777777777", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SETTINGS = RemediateSettings(
    deployment="d",
    identity="i",
    tables="t",
    tenant=TENANT,
    app_id="a",
    audience=AUDIENCE,
    reader=READER,
    reader_app=READER_APP,
    operator=OPERATOR.upper(),
    operator_app=OPERATOR_APP,
    vendor_rollback=False,
    retention_days=400,
    admission_vault="",
    event_topic="https://topic",
    account_alias="shop",
    scope=Scope(Home("azure", "s"), frozenset(), frozenset(), ()),
)


@dataclass
class Entra:
    """What the tenant publishes, and how often it was asked; `down` is what asking it ends with."""

    published: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"first": KEY})
    down: Any = None
    asked: int = 0

    def document(self, *_: Any) -> Any:
        self.asked += 1
        if isinstance(self.down, Exception):
            raise self.down
        return (
            {"keys": [published(name, key) for name, key in self.published.items()]} if self.down is None else self.down
        )


def published(name: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    return jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": name, "use": "sig"}


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> Entra:
    """The keys' document, without the network; over it, they come in tests/azure/test_azure_functions.py."""
    entra = Entra()
    monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", entra.document)
    return entra


@pytest.fixture
def callers(entra: Entra) -> Callers:
    assert entra.asked == 0
    return Callers(SETTINGS)


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(entra: Entra, clock: Clock) -> SigningKeys:
    assert entra.asked == 0
    return SigningKeys("https://login.microsoftonline.com/t/discovery/v2.0/keys", clock=clock)


def token(
    key: Any = KEY, algorithm: str = "RS256", without: str = "", header: dict[str, Any] | None = None, **more: Any
) -> str:
    now = int(time.time())
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "tid": TENANT,
        "oid": READER,
        "azp": READER_APP,
        "roles": ["Remediation.Request"],
        "ver": "2.0",
        "nbf": now - 10,
        "exp": now + 600,
    } | more
    claims = {name: value(now) if callable(value) else value for name, value in claims.items() if name != without}
    return "Bearer " + jwt.encode(claims, key, algorithm, headers={"kid": "first"} | (header or {}))


OPERATING: dict[str, Any] = {"oid": OPERATOR, "azp": OPERATOR_APP, "roles": ["Remediation.Operate"]}


def test_the_reader_is_known_by_object_id_app_and_app_role(callers: Callers) -> None:
    assert callers.principal(token()) == Principal(Role.READER, READER)


def test_the_operator_is_known_by_object_id_app_and_app_role(callers: Callers) -> None:
    assert callers.principal(token(**OPERATING)) == Principal(Role.OPERATOR, OPERATOR)


@pytest.mark.parametrize(
    "more",
    [
        {"roles": []},
        {"roles": ["Remediation.Operate"]},
        {"roles": "Remediation.Request"},
        {"roles": {"Remediation.Request": 1}},
        {"roles": [["Remediation.Request"], {}]},
        {"oid": OPERATOR},
        {"oid": "55555555-5555-5555-5555-555555555555"},
        {"oid": 7},
        {"oid": ["x"]},
    ],
)
def test_an_object_id_without_its_role_or_a_role_without_its_object_id_is_a_stranger_s(
    callers: Callers, more: dict[str, Any]
) -> None:
    assert callers.principal(token(**more)).role is Role.STRANGER


@pytest.mark.parametrize(
    "more",
    [
        {"azp": OPERATOR_APP},
        {"azp": ""},
        {"azp": [READER_APP]},
        {"without": "azp"},
        {"without": "azp", "appid": READER_APP},
        OPERATING | {"azp": READER_APP},
        OPERATING | {"azp": "66666666-6666-6666-6666-666666666666"},
    ],
)
def test_a_caller_s_token_that_another_app_got_is_a_stranger_s(callers: Callers, more: dict[str, Any]) -> None:
    assert callers.principal(token(**more)).role is Role.STRANGER


@pytest.mark.parametrize(
    "more",
    [
        {"aud": "https://management.azure.com"},
        {"aud": [AUDIENCE]},
        {"aud": [AUDIENCE, "https://management.azure.com"]},
        {"aud": f"api://{AUDIENCE}"},
        {"iss": "https://sts.windows.net/x/"},
        {"iss": f"https://sts.windows.net/{TENANT}/"},
        {"iss": "https://login.microsoftonline.com/66666666-6666-6666-6666-666666666666/v2.0"},
        {"tid": "66666666-6666-6666-6666-666666666666"},
        {"ver": "1.0"},
        {"exp": 1},
        {"exp": lambda now: now - 1},
        {"exp": "soon"},
        {"nbf": 4_000_000_000},
        {"nbf": lambda now: now + 2},
        {"iat": 4_000_000_000},
        *({"without": name} for name in ("aud", "exp", "iss", "nbf", "oid", "roles", "tid", "ver")),
        {"key": OTHER},
        {"key": "a shared secret that is long enough", "algorithm": "HS256"},
        {"key": "", "algorithm": "none"},
        {"algorithm": "RS512"},
        {"algorithm": "PS256"},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "dpop+jwt"}},
        {"header": {"typ": None}},
        {"header": {"crit": ["exp"]}},
        {"header": {"kid": ""}},
        {"header": {"kid": "another"}},
    ],
)
def test_a_token_that_isn_t_ours_is_a_stranger_s(callers: Callers, more: dict[str, Any]) -> None:
    assert callers.principal(token(**more)) == STRANGER


@pytest.mark.parametrize("algorithm", ["HS256", "none", "None", "RS256"])
def test_the_public_key_is_no_shared_secret(callers: Callers, algorithm: str) -> None:
    """The library refuses to sign so; an attacker doesn't use it."""
    header, claims = token()[7:].split(".")[:2]
    forged = json.loads(base64.urlsafe_b64decode(header + "==")) | {"alg": algorithm}
    signed = f"{encoded(json.dumps(forged).encode())}.{claims}"
    secret = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.digest(secret, signed.encode(), hashlib.sha256)
    for signature in (encoded(mac), ""):
        assert callers.principal(f"Bearer {signed}.{signature}") == STRANGER


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


DOWN = [
    jwt.PyJWKClientConnectionError("no answer"),
    TimeoutError(),
    ConnectionResetError(),
    ValueError("not JSON"),
    ["a list"],
    {"keys": []},
    {},
]


@pytest.mark.parametrize("down", DOWN)
def test_that_the_keys_can_t_be_had_is_our_fault_and_not_the_caller_s(
    callers: Callers, entra: Entra, down: Any
) -> None:
    entra.down = down
    with pytest.raises(KeysUnavailable):
        callers.principal(token())


def test_what_needs_no_key_to_be_refused_asks_for_none(callers: Callers, entra: Entra) -> None:
    entra.down = TimeoutError()
    for value in ("", "Bearer x.y.z", token(algorithm="PS256"), token(header={"typ": "at+jwt"})):
        assert callers.principal(value) == STRANGER
    assert entra.asked == 0


def test_keys_are_fetched_once_and_again_when_they_are_old(keys: SigningKeys, entra: Entra, clock: Clock) -> None:
    for _ in range(3):
        assert keys.key("first").key.public_numbers() == KEY.public_key().public_numbers()
    clock.now += FRESH - 1
    keys.key("first")
    assert entra.asked == 1
    clock.now += 1
    keys.key("first")
    assert entra.asked == 2


def test_a_key_that_entra_begins_to_use_is_found_at_once(keys: SigningKeys, entra: Entra, clock: Clock) -> None:
    keys.key("first")
    entra.published["second"] = OTHER
    clock.now += PAUSE
    assert keys.key("second").key.public_numbers() == OTHER.public_key().public_numbers()
    assert entra.asked == 2


def test_a_key_that_entra_withdraws_is_worth_nothing_when_the_set_is_old(
    keys: SigningKeys, entra: Entra, clock: Clock
) -> None:
    keys.key("first")
    entra.published = {"second": OTHER}
    clock.now += FRESH
    with pytest.raises(UnknownKey):
        keys.key("first")


def test_made_up_key_ids_can_t_make_us_flood_entra(keys: SigningKeys, entra: Entra, clock: Clock) -> None:
    for number in range(200):
        with pytest.raises(UnknownKey):
            keys.key(f"made up {number}")
        clock.now += 0.1
    assert entra.asked <= 1 + 20 / PAUSE
    assert keys.key("first")


def test_an_entra_that_is_down_isn_t_asked_by_every_request(keys: SigningKeys, entra: Entra, clock: Clock) -> None:
    entra.down = TimeoutError()
    for _ in range(50):
        with pytest.raises(KeysUnavailable):
            keys.key("first")
    assert entra.asked == 1
    entra.down = None
    clock.now += PAUSE
    assert keys.key("first")


def test_while_entra_is_down_known_keys_are_good_until_they_are_old(
    keys: SigningKeys, entra: Entra, clock: Clock
) -> None:
    keys.key("first")
    entra.down = TimeoutError()
    clock.now += FRESH - 1
    assert keys.key("first")
    with pytest.raises(UnknownKey):
        keys.key("another")
    clock.now += 1
    with pytest.raises(KeysUnavailable):
        keys.key("first")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer not.a.token", token()[7:]])
def test_an_authorization_that_isn_t_a_bearer_token_is_a_stranger_s(callers: Callers, value: str) -> None:
    assert callers.principal(value) == STRANGER
