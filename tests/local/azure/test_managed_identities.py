"""An app's own identities sign in through the endpoint that App Service gives it, and through no other's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ManagedIdentityCredential

if TYPE_CHECKING:
    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.entra.directory import ServicePrincipal

VAULT = "https://vault.azure.net/.default"


@pytest.fixture
def mine(cloud: EmbeddedAzure) -> ServicePrincipal:
    return cloud.directory.add_managed_identity("mine", "/subscriptions/s/resourceGroups/g/mine")


@pytest.fixture
def theirs(cloud: EmbeddedAzure) -> ServicePrincipal:
    return cloud.directory.add_managed_identity("theirs", "/subscriptions/s/resourceGroups/g/theirs")


@pytest.fixture(autouse=True)
def signed_in_as_mine(cloud: EmbeddedAzure, mine: ServicePrincipal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.sign_in_here(mine.object_id).items():
        monkeypatch.setenv(name, value)


def test_an_identity_of_the_app_is_chosen_by_its_client_id(mine: ServicePrincipal) -> None:
    token = ManagedIdentityCredential(client_id=mine.app_id).get_token(VAULT).token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["oid"], claims["appid"], claims["aud"]) == (mine.object_id, mine.app_id, "https://vault.azure.net")
    assert claims["xms_mirid"] == mine.resource_id


def test_its_tokens_live_for_a_day(mine: ServicePrincipal) -> None:
    token = ManagedIdentityCredential(client_id=mine.app_id).get_token(VAULT).token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert 86_000 < claims["exp"] - claims["nbf"] < 87_000


def test_an_identity_of_another_app_is_not_given(theirs: ServicePrincipal) -> None:
    with pytest.raises((ClientAuthenticationError, HttpResponseError), match="No User Assigned"):
        ManagedIdentityCredential(client_id=theirs.app_id).get_token(VAULT)


def test_there_is_no_identity_that_the_app_has_by_itself(mine: ServicePrincipal) -> None:
    assert mine.kind == "ManagedIdentity"
    with pytest.raises((ClientAuthenticationError, HttpResponseError), match="Unable to load"):
        ManagedIdentityCredential().get_token(VAULT)


def test_the_endpoint_knows_its_header_and_its_version(cloud: EmbeddedAzure, mine: ServicePrincipal) -> None:
    access = cloud.sign_in_here(mine.object_id)
    query = {"resource": "https://vault.azure.net", "api-version": "2019-08-01", "client_id": mine.app_id}
    header = {"X-IDENTITY-HEADER": access["IDENTITY_HEADER"]}
    url = access["IDENTITY_ENDPOINT"]
    assert requests.get(url, query, headers=header, timeout=10).status_code == 200
    assert requests.get(url, query, timeout=10).status_code == 401
    assert requests.get(url, query | {"api-version": "2017-09-01"}, headers=header, timeout=10).status_code == 400
    assert requests.get(url, query | {"resource": "api://unknown"}, headers=header, timeout=10).status_code == 400
