"""Who calls, by an Entra token that is checked whole."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from remediator.azure.callers import STRANGER, Callers
from remediator.azure.settings import RemediateSettings
from remediator.catalogue.spec import Home
from remediator.service.requests import Principal, Role
from remediator.service.scope import Scope

TENANT, AUDIENCE = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
READER, OPERATOR = "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444"
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
    operator=OPERATOR,
    vendor_rollback=False,
    retention_days=400,
    scope=Scope(Home("azure", "s"), frozenset(), frozenset(), ()),
)


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> Callers:
    """Callers whose tenant publishes one key; where it is fetched from is the embedded Azure's to show."""
    callers = Callers(SETTINGS)
    published = SimpleNamespace(key=KEY.public_key())
    monkeypatch.setattr(callers._keys, "get_signing_key_from_jwt", lambda _: published)
    return callers


def token(key: Any = KEY, algorithm: str = "RS256", without: str = "", **more: Any) -> str:
    now = int(time.time())
    claims = {
        "aud": AUDIENCE,
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "tid": TENANT,
        "oid": READER,
        "roles": ["Remediation.Request"],
        "nbf": now - 10,
        "exp": now + 600,
    } | more
    claims.pop(without, None)
    return "Bearer " + jwt.encode(claims, key, algorithm)


def test_the_reader_is_known_by_object_id_and_app_role(callers: Callers) -> None:
    assert callers.principal(token()) == Principal(Role.READER, READER)


def test_the_operator_is_known_by_object_id_and_app_role(callers: Callers) -> None:
    operator = token(oid=OPERATOR, roles=["Remediation.Operate"])
    assert callers.principal(operator) == Principal(Role.OPERATOR, OPERATOR)


@pytest.mark.parametrize(
    "more",
    [
        {"roles": []},
        {"roles": ["Remediation.Operate"]},
        {"roles": "Remediation.Request"},
        {"oid": OPERATOR},
        {"oid": "55555555-5555-5555-5555-555555555555"},
        {"oid": 7},
    ],
)
def test_an_object_id_without_its_role_or_a_role_without_its_object_id_is_a_stranger_s(
    callers: Callers, more: dict[str, Any]
) -> None:
    assert callers.principal(token(**more)).role is Role.STRANGER


@pytest.mark.parametrize(
    "more",
    [
        {"aud": "https://management.azure.com"},
        {"iss": "https://sts.windows.net/x/"},
        {"iss": "https://login.microsoftonline.com/66666666-6666-6666-6666-666666666666/v2.0"},
        {"tid": "66666666-6666-6666-6666-666666666666"},
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"without": "exp"},
        {"without": "tid"},
        {"without": "oid"},
        {"without": "roles"},
        {"without": "nbf"},
        {"key": OTHER},
        {"key": "a shared secret that is long enough", "algorithm": "HS256"},
        {"key": "", "algorithm": "none"},
    ],
)
def test_a_token_that_isn_t_ours_is_a_stranger_s(callers: Callers, more: dict[str, Any]) -> None:
    assert callers.principal(token(**more)) == STRANGER


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer not.a.token", token()[7:]])
def test_an_authorization_that_isn_t_a_bearer_token_is_a_stranger_s(callers: Callers, value: str) -> None:
    assert callers.principal(value) == STRANGER
