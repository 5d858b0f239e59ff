"""Entra signs apps in as azure-identity asks it to, and refuses as Entra does."""

from __future__ import annotations

import base64
import time
import uuid
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential

from remediator.local.azure.certificates import Certificate, self_signed
from remediator.local.azure.entra.tokens import thumbprints
from remediator.local.azure.identities import new_application, new_principal
from remediator.local.azure.places import LOGIN, TENANT

if TYPE_CHECKING:
    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.entra.directory import Application

ARM = "https://management.azure.com/.default"
TOKEN_URL = f"https://{LOGIN}/{TENANT}/oauth2/v2.0/token"
OTHER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return self_signed("remediator")


def registered(cloud: EmbeddedAzure, certificate: Certificate | None = None, **document: Any) -> Application:
    app = new_application(cloud.directory, "an app", **document)
    new_principal(cloud.directory, app)
    if certificate is not None:
        give(cloud, app, certificate)
    return app


def give(cloud: EmbeddedAzure, app: Application, certificate: Certificate) -> None:
    start = certificate.certificate.not_valid_before_utc.timestamp()
    end = certificate.certificate.not_valid_after_utc.timestamp()
    app.keys = (*app.keys, cloud.directory.new_key(certificate.der, start, end, None))


def claims_of(token: str) -> dict[str, Any]:
    keys = jwt.PyJWKClient(f"https://{LOGIN}/{TENANT}/discovery/v2.0/keys")
    key = keys.get_signing_key_from_jwt(token)
    read: dict[str, Any] = jwt.decode(token, key.key, algorithms=["RS256"], options={"verify_aud": False})
    return read


def assertion(
    app: Application, certificate: Certificate, *, signed_by: Certificate | None = None, **claims: Any
) -> str:
    now = int(time.time())
    own = {
        "iss": app.app_id,
        "sub": app.app_id,
        "aud": TOKEN_URL,
        "jti": uuid.uuid4().hex,
        "nbf": now,
        "exp": now + 300,
    }
    named = base64.urlsafe_b64encode(thumbprints(certificate.der)[0]).decode().rstrip("=")
    return jwt.encode(own | claims, (signed_by or certificate).key, "PS256", headers={"x5t#S256": named})


def ask(app: Application, **changes: str) -> dict[str, Any]:
    form = {
        "grant_type": "client_credentials",
        "client_id": app.app_id,
        "scope": ARM,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        **changes,
    }
    answered: dict[str, Any] = requests.post(TOKEN_URL, data=form, timeout=10).json()
    return answered


def refusal(app: Application, **changes: str) -> list[int]:
    codes: list[int] = ask(app, **changes)["error_codes"]
    return codes


def test_a_certificate_signs_in(cloud: EmbeddedAzure, certificate: Certificate) -> None:
    app = registered(cloud, certificate)
    token = CertificateCredential(TENANT, app.app_id, certificate_data=certificate.pem).get_token(ARM)
    claims = claims_of(token.token)
    principal = cloud.directory.principal_of(app.app_id)
    assert principal is not None
    assert (claims["oid"], claims["appid"], claims["appidacr"]) == (principal.object_id, app.app_id, "2")
    assert (claims["tid"], claims["aud"], claims["iss"]) == (
        TENANT,
        "https://management.azure.com",
        f"https://sts.windows.net/{TENANT}/",
    )
    assert token.expires_on == pytest.approx(time.time() + 3599, abs=5)


def test_a_secret_signs_in_until_it_ends(cloud: EmbeddedAzure) -> None:
    app = registered(cloud)
    secret = cloud.directory.add_password(app, end=time.time() + 600)
    ClientSecretCredential(TENANT, app.app_id, secret.secret).get_token(ARM)
    cloud.clock.shift(601)
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000222"):
        ClientSecretCredential(TENANT, app.app_id, secret.secret).get_token(ARM)


def test_a_wrong_secret_is_refused(cloud: EmbeddedAzure) -> None:
    app = registered(cloud)
    cloud.directory.add_password(app)
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        ClientSecretCredential(TENANT, app.app_id, "wrong").get_token(ARM)


def test_a_certificate_that_is_not_registered_is_refused(cloud: EmbeddedAzure, certificate: Certificate) -> None:
    app = registered(cloud, self_signed("another"))
    with pytest.raises(ClientAuthenticationError, match=r"AADSTS700027.*The key was not found"):
        CertificateCredential(TENANT, app.app_id, certificate_data=certificate.pem).get_token(ARM)


def test_naming_a_registered_certificate_without_having_its_key_is_refused(
    cloud: EmbeddedAzure, certificate: Certificate
) -> None:
    app = registered(cloud, certificate)
    forged = assertion(app, certificate, signed_by=self_signed("thief"))
    answer = ask(app, client_assertion=forged)
    assert answer["error_codes"] == [700027]
    assert "failed signature validation" in answer["error_description"]


def test_a_certificate_counts_only_while_it_is_valid(cloud: EmbeddedAzure, certificate: Certificate) -> None:
    app = registered(cloud, certificate)
    cloud.clock.shift(91 * 86_400)
    assert refusal(app, client_assertion=assertion(app, certificate)) == [700027]


def test_a_new_certificate_counts_only_when_all_of_entra_knows_it(
    cloud: EmbeddedAzure, certificate: Certificate
) -> None:
    cloud.faults.delays.credentials = 120
    app = registered(cloud, certificate)
    assert refusal(app, client_assertion=assertion(app, certificate)) == [700027]
    cloud.clock.shift(121)
    assert "access_token" in ask(app, client_assertion=assertion(app, certificate))


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1_000}, 700024),
        ({"nbf": 4_000_000_000, "exp": 4_000_000_100}, 700024),
        ({"aud": "https://elsewhere.example"}, 700023),
        ({"sub": OTHER}, 700021),
        ({"iss": OTHER}, 700021),
    ],
)
def test_an_assertion_of_another_time_place_or_app_is_refused(
    cloud: EmbeddedAzure, certificate: Certificate, claims: dict[str, Any], code: int
) -> None:
    app = registered(cloud, certificate)
    assert refusal(app, client_assertion=assertion(app, certificate, **claims)) == [code]


def test_an_assertion_of_somebody_else_needs_a_federated_credential_which_no_app_here_has(
    cloud: EmbeddedAzure, certificate: Certificate
) -> None:
    app = registered(cloud, certificate)
    foreign = jwt.encode({"iss": "https://issuer.example", "sub": "x", "aud": TOKEN_URL}, certificate.key, "RS256")
    assert refusal(app, client_assertion=foreign) == [700213]


def test_nonsense_is_refused_as_entra_refuses_it(cloud: EmbeddedAzure) -> None:
    app = registered(cloud)
    secret = cloud.directory.add_password(app).secret
    assert refusal(app, client_assertion="nonsense") == [50027]
    assert refusal(app) == [7000218]
    assert refusal(app, client_secret=secret, grant_type="password") == [70003]
    assert refusal(app, client_secret=secret, scope="https://management.azure.com/user_impersonation") == [1002012]
    assert refusal(app, client_secret=secret, scope="https://unknown.example/.default") == [500011]
    assert refusal(app, client_id=OTHER, client_secret=secret) == [700016]


def test_another_tenant_is_not_known(cloud: EmbeddedAzure) -> None:
    admin = cloud.identities.admin
    with pytest.raises(ClientAuthenticationError, match="Unable to get authority configuration"):
        ClientSecretCredential(OTHER, admin.client_id, admin.secret).get_token(ARM)
    answer = requests.get(f"https://{LOGIN}/{OTHER}/v2.0/.well-known/openid-configuration", timeout=10)
    assert answer.json()["error_codes"] == [90002]


def test_an_app_without_a_principal_here_or_with_a_disabled_one_is_refused(cloud: EmbeddedAzure) -> None:
    app = new_application(cloud.directory, "no principal")
    secret = cloud.directory.add_password(app).secret
    assert refusal(app, client_secret=secret) == [700016]
    new_principal(cloud.directory, app).document["accountEnabled"] = False
    assert refusal(app, client_secret=secret) == [7000112]


def api_of(cloud: EmbeddedAzure, version: int | None) -> tuple[Application, str]:
    role: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "value": "Things.Do",
        "isEnabled": True,
        "allowedMemberTypes": ["Application"],
    }
    api = registered(cloud, appRoles=[role])
    api.document["identifierUris"] = [f"api://{api.app_id}"]
    api.document["api"]["requestedAccessTokenVersion"] = version
    return api, role["id"]


@pytest.mark.parametrize("version", [None, 2])
def test_a_token_for_an_api_holds_the_roles_that_were_assigned(cloud: EmbeddedAzure, version: int | None) -> None:
    api, role = api_of(cloud, version)
    resource = cloud.directory.principal_of(api.app_id)
    assert resource is not None
    vendor = cloud.identities.vendor
    credential = ClientSecretCredential(TENANT, vendor.client_id, vendor.secret)
    assert "roles" not in claims_of(credential.get_token(f"{api.app_id}/.default").token)
    cloud.directory.assign(vendor.object_id, resource.object_id, role)
    claims = claims_of(credential.get_token(f"api://{api.app_id}/.default").token)
    assert claims["roles"] == ["Things.Do"]
    if version == 2:
        assert (claims["aud"], claims["azp"]) == (api.app_id, vendor.client_id)
        assert claims["iss"] == f"https://{LOGIN}/{TENANT}/v2.0"
    else:
        assert (claims["aud"], claims["appid"]) == (f"api://{api.app_id}", vendor.client_id)
        assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"


def test_an_api_that_requires_assignment_gives_tokens_to_those_alone_who_have_a_role(cloud: EmbeddedAzure) -> None:
    api, role = api_of(cloud, 2)
    resource = cloud.directory.principal_of(api.app_id)
    assert resource is not None
    resource.document["appRoleAssignmentRequired"] = True
    vendor = cloud.identities.vendor
    with pytest.raises(ClientAuthenticationError, match="AADSTS501051"):
        ClientSecretCredential(TENANT, vendor.client_id, vendor.secret).get_token(f"{api.app_id}/.default")
    cloud.directory.assign(vendor.object_id, resource.object_id, role)
    # A credential of its own: MSAL remembers refusals for a minute.
    assert ClientSecretCredential(TENANT, vendor.client_id, vendor.secret).get_token(f"{api.app_id}/.default").token


def test_rolled_keys_are_published_and_old_ones_end_when_they_are_forgotten(cloud: EmbeddedAzure) -> None:
    admin = cloud.identities.admin
    before = ClientSecretCredential(TENANT, admin.client_id, admin.secret).get_token(ARM).token
    cloud.mint.roll_keys()
    after = ClientSecretCredential(TENANT, admin.client_id, admin.secret).get_token(ARM).token
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
    assert claims_of(before)["oid"] == claims_of(after)["oid"]
    cloud.mint.forget_old_keys()
    with pytest.raises(jwt.PyJWKClientError):
        claims_of(before)
