"""Graph, as an installer meets it over REST: what it makes, finds, changes and may not do."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential

from remediator.local.azure.certificates import Certificate, self_signed
from remediator.local.azure.entra import first_party
from remediator.local.azure.faults import Match
from remediator.local.azure.places import TENANT, TENANT_DOMAIN
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.identities import Identity

GRAPH = "https://graph.microsoft.com"
OTHER = "00000000-0000-4000-8000-000000000000"
ROLE = {
    "id": str(uuid.uuid4()),
    "value": "Things.Do",
    "displayName": "Do things",
    "description": "Does things",
    "isEnabled": True,
    "allowedMemberTypes": ["Application"],
}


@dataclass(frozen=True)
class Caller:
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        answer = requests.request(method, f"{GRAPH}/v1.0{path}", json=body, headers=sent, timeout=10)
        return answer.status_code, answer.json() if answer.content else None

    def made(self, path: str, body: Any) -> Any:
        status, document = self.ask("POST", path, body)
        assert status == 201, document
        return document

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        status, document = self.ask(method, path, body)
        assert status >= 400, document
        return status, document["error"]["code"]


def caller(identity: Identity) -> Caller:
    return Caller(signed_in(identity).get_token(f"{GRAPH}/.default").token)


@pytest.fixture
def graph(cloud: EmbeddedAzure) -> Caller:
    return caller(cloud.identities.admin)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return self_signed("an app")


def credential(certificate: Certificate, **changes: Any) -> dict[str, Any]:
    key = base64.b64encode(certificate.der).decode()
    return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": key, "displayName": "one"} | changes


def permitted(cloud: EmbeddedAzure, *values: str) -> Caller:
    """Return the operator as a caller who was given these of Graph's app roles."""
    resource = cloud.directory.principal_of(first_party.GRAPH.app_id)
    assert resource is not None
    offered = {role["value"]: role["id"] for role in cloud.directory.roles_of(resource)}
    for value in values:
        cloud.directory.assign(cloud.identities.operator.object_id, resource.object_id, offered[value])
    return caller(cloud.identities.operator)


def test_an_app_is_found_by_its_ids_by_its_name_and_by_its_unique_name(graph: Caller) -> None:
    made = graph.made("/applications", {"displayName": "It's mine", "uniqueName": "mine-1"})
    for path in (
        f"/applications/{made['id']}",
        f"/applications(appId='{made['appId']}')",
        "/applications(uniqueName='mine-1')",
    ):
        assert graph.ask("GET", path)[1]["id"] == made["id"]
    for clause in (f"appId eq '{made['appId']}'", "displayName eq 'It''s mine'"):
        found = graph.ask("GET", f"/applications?$filter={clause}&$select=id,appId")[1]["value"]
        assert found == [{"id": made["id"], "appId": made["appId"]}]
    assert graph.ask("GET", "/applications?$filter=displayName eq 'nobody'")[1]["value"] == []
    assert graph.refused("GET", f"/applications/{OTHER}") == (404, "Request_ResourceNotFound")


def test_patching_a_unique_name_makes_the_app_once_and_changes_it_afterwards(graph: Caller) -> None:
    path = "/applications(uniqueName='mine-2')"
    body = {"displayName": "first"}
    assert graph.refused("PATCH", path, body) == (404, "Request_ResourceNotFound")
    status, made = graph.ask("PATCH", path, body, Prefer="create-if-missing")
    assert status == 201
    assert graph.ask("PATCH", path, {"displayName": "second"}, Prefer="create-if-missing") == (204, None)
    assert graph.ask("GET", f"/applications/{made['id']}")[1]["displayName"] == "second"


def test_a_unique_name_is_taken_until_the_app_is_gone_for_good(graph: Caller) -> None:
    body = {"displayName": "x", "uniqueName": "mine-3"}
    made = graph.made("/applications", body)
    assert graph.refused("POST", "/applications", body) == (409, "ObjectConflict")
    assert graph.ask("DELETE", f"/applications/{made['id']}")[0] == 204
    assert graph.refused("POST", "/applications", body) == (409, "ObjectConflict")
    assert graph.ask("DELETE", f"/directory/deletedItems/{made['id']}")[0] == 204
    graph.made("/applications", body)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"displayName": 1},
        {"displayName": "x", "colour": "red"},
        {"displayName": "x", "api": {"colour": "red"}},
        {"displayName": "x", "api": {"requestedAccessTokenVersion": 3}},
        {"displayName": "x", "api": {"requestedAccessTokenVersion": "2"}},
        {"displayName": "x", "signInAudience": "Everybody"},
        {"displayName": "x", "appRoles": [{"id": "one"}]},
        {"displayName": "x", "appRoles": [ROLE | {"allowedMemberTypes": ["Robot"]}]},
        {"displayName": "x", "appRoles": [ROLE, ROLE | {"id": OTHER}]},
        {"displayName": "x", "identifierUris": ["api://mine"]},
        {"displayName": "x", "keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify"}]},
        {"displayName": "x", "keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": "bm8="}]},
        {"displayName": "x", "keyCredentials": [{"type": "Symmetric", "usage": "Sign", "key": "bm8="}]},
        {
            "displayName": "x",
            "api": {"preAuthorizedApplications": [{"appId": OTHER, "delegatedPermissionIds": [OTHER]}]},
        },
    ],
)
def test_what_graph_does_not_know_is_refused(graph: Caller, document: Any) -> None:
    assert graph.refused("POST", "/applications", document)[0] == 400


def test_what_is_no_json_or_no_operation_is_refused(graph: Caller) -> None:
    assert graph.refused("GET", "/users")[0] == 400
    assert graph.refused("GET", "/applications?$orderby=displayName")[0] == 400
    assert graph.refused("GET", "/applications?$filter=startswith(displayName,'x')")[0] == 400
    headers = {"Authorization": f"Bearer {graph.token}", "Content-Type": "application/json"}
    assert requests.post(f"{GRAPH}/v1.0/applications", data="{", headers=headers, timeout=10).status_code == 400


def test_an_identifier_uri_names_the_app_the_tenant_or_its_domain_and_one_app_alone(graph: Caller) -> None:
    one, two = (graph.made("/applications", {"displayName": name}) for name in ("one", "two"))
    for uri in (f"api://{one['appId']}", f"https://{TENANT_DOMAIN}/thing", f"api://{TENANT}/thing"):
        assert graph.ask("PATCH", f"/applications/{one['id']}", {"identifierUris": [uri]})[0] == 204
    refused = graph.refused("PATCH", f"/applications/{two['id']}", {"identifierUris": [f"api://{TENANT}/thing"]})
    assert refused == (400, "Request_BadRequest")
    refused = graph.refused("PATCH", f"/applications/{two['id']}", {"identifierUris": [f"api://{one['appId']}"]})
    assert refused == (400, "HostNameNotOnVerifiedDomain")


def test_certificates_are_one_collection_written_whole(graph: Caller, certificate: Certificate) -> None:
    app = graph.made("/applications", {"displayName": "x", "keyCredentials": [credential(certificate)]})
    path, other = f"/applications/{app['id']}", self_signed("another")
    (held,) = graph.ask("GET", f"{path}?$select=keyCredentials")[1]["keyCredentials"]
    assert base64.b64decode(held["key"]) == certificate.der
    assert graph.ask("GET", path)[1]["keyCredentials"][0]["key"] is None
    stays = {"keyId": held["keyId"], "type": held["type"], "usage": held["usage"]}
    assert graph.ask("PATCH", path, {"keyCredentials": [stays, credential(other)]})[0] == 204
    assert len(graph.ask("GET", path)[1]["keyCredentials"]) == 2
    changed = held | {"key": base64.b64encode(other.der).decode()}
    assert graph.refused("PATCH", path, {"keyCredentials": [changed]}) == (400, "Request_BadRequest")
    assert graph.ask("PATCH", path, {"keyCredentials": [credential(other)]})[0] == 204
    (left,) = graph.ask("GET", f"{path}?$select=keyCredentials")[1]["keyCredentials"]
    assert base64.b64decode(left["key"]) == other.der


def test_a_certificate_cannot_be_registered_for_longer_than_it_is_valid(
    graph: Caller, certificate: Certificate
) -> None:
    late = credential(certificate, endDateTime="2099-01-01T00:00:00Z")
    body = {"displayName": "x", "keyCredentials": [late]}
    assert graph.refused("POST", "/applications", body) == (400, "KeyCredentialsInvalidEndDate")


def test_a_registered_certificate_signs_in_and_a_removed_one_does_not(graph: Caller, certificate: Certificate) -> None:
    app = graph.made("/applications", {"displayName": "x", "keyCredentials": [credential(certificate)]})
    graph.made("/servicePrincipals", {"appId": app["appId"]})

    def sign_in() -> None:
        found = CertificateCredential(TENANT, app["appId"], certificate_data=certificate.pem)
        found.get_token("https://management.azure.com/.default")

    sign_in()
    graph.ask("PATCH", f"/applications/{app['id']}", {"keyCredentials": []})
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        sign_in()


def test_a_made_secret_is_shown_once_signs_in_and_can_be_removed(graph: Caller) -> None:
    app = graph.made("/applications", {"displayName": "x"})
    graph.made("/servicePrincipals", {"appId": app["appId"]})
    status, made = graph.ask("POST", f"/applications/{app['id']}/addPassword", {"passwordCredential": {}})
    assert status == 200
    shown = graph.ask("GET", f"/applications/{app['id']}")[1]["passwordCredentials"]
    assert [(one["keyId"], one["secretText"]) for one in shown] == [(made["keyId"], None)]
    scope = "https://management.azure.com/.default"
    ClientSecretCredential(TENANT, app["appId"], made["secretText"]).get_token(scope)
    path = f"/applications/{app['id']}/removePassword"
    assert graph.ask("POST", path, {"keyId": made["keyId"]}) == (204, None)
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        ClientSecretCredential(TENANT, app["appId"], made["secretText"]).get_token(scope)


def test_an_app_has_one_principal_and_that_needs_an_app(graph: Caller) -> None:
    app = graph.made("/applications", {"displayName": "x"})
    graph.made("/servicePrincipals", {"appId": app["appId"]})
    refused = graph.refused("POST", "/servicePrincipals", {"appId": app["appId"]})
    assert refused == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert graph.refused("POST", "/servicePrincipals", {"appId": OTHER}) == (400, "NoBackingApplicationObject")


def test_a_principal_of_the_vendors_app_is_here_but_its_registration_is_not(
    cloud: EmbeddedAzure, graph: Caller
) -> None:
    vendor = cloud.identities.vendor
    shown = graph.ask("GET", f"/servicePrincipals(appId='{vendor.client_id}')")[1]
    assert (shown["id"], shown["appOwnerOrganizationId"] != TENANT) == (vendor.object_id, True)
    assert graph.refused("GET", f"/applications(appId='{vendor.client_id}')")[0] == 404


def test_an_app_role_is_assigned_once_and_taken_away(cloud: EmbeddedAzure, graph: Caller) -> None:
    app = graph.made("/applications", {"displayName": "api", "appRoles": [ROLE]})
    api = graph.made("/servicePrincipals", {"appId": app["appId"]})
    vendor = cloud.identities.vendor
    body = {"principalId": vendor.object_id, "resourceId": api["id"], "appRoleId": ROLE["id"]}
    path = f"/servicePrincipals/{api['id']}/appRoleAssignedTo"
    made = graph.made(path, body)
    assert graph.refused("POST", path, body) == (400, "Request_BadRequest")
    assert graph.refused("POST", path, body | {"appRoleId": OTHER}) == (400, "Request_BadRequest")
    assert graph.refused("POST", path, body | {"principalId": OTHER}) == (404, "Request_ResourceNotFound")
    assert graph.refused("POST", path, body | {"resourceId": vendor.object_id}) == (400, "Request_BadRequest")
    assert [one["id"] for one in graph.ask("GET", path)[1]["value"]] == [made["id"]]
    held = graph.ask("GET", f"/servicePrincipals/{vendor.object_id}/appRoleAssignments")[1]["value"]
    assert [one["resourceDisplayName"] for one in held] == ["api"]
    assert graph.ask("DELETE", f"{path}/{made['id']}")[0] == 204
    assert graph.refused("DELETE", f"{path}/{made['id']}")[0] == 404


def test_an_enabled_role_cannot_be_removed_before_it_is_disabled(graph: Caller) -> None:
    app = graph.made("/applications", {"displayName": "api", "appRoles": [ROLE]})
    path = f"/applications/{app['id']}"
    assert graph.refused("PATCH", path, {"appRoles": []}) == (400, "CannotDeleteOrUpdateEnabledEntitlement")
    assert graph.ask("PATCH", path, {"appRoles": [ROLE | {"isEnabled": False}]})[0] == 204
    assert graph.ask("PATCH", path, {"appRoles": []})[0] == 204


def test_a_deleted_app_takes_its_principal_along_and_can_be_brought_back(graph: Caller) -> None:
    app = graph.made("/applications", {"displayName": "x"})
    graph.made("/servicePrincipals", {"appId": app["appId"]})
    assert graph.ask("DELETE", f"/applications/{app['id']}")[0] == 204
    assert graph.refused("GET", f"/servicePrincipals(appId='{app['appId']}')")[0] == 404
    listed = graph.ask("GET", "/directory/deletedItems/microsoft.graph.application?$select=id")[1]["value"]
    assert listed == [{"id": app["id"]}]
    assert graph.ask("POST", f"/directory/deletedItems/{app['id']}/restore")[0] == 200
    assert graph.ask("GET", f"/applications/{app['id']}")[0] == 200


def test_whoever_has_no_permission_may_not_even_look(cloud: EmbeddedAzure) -> None:
    denied = (403, "Authorization_RequestDenied")
    assert caller(cloud.identities.vendor).refused("GET", "/applications") == denied
    reader = permitted(cloud, first_party.APPLICATION_READ)
    assert reader.ask("GET", "/applications")[0] == 200
    assert reader.refused("POST", "/applications", {"displayName": "x"}) == denied


def test_whoever_may_write_what_it_owns_writes_nothing_else(cloud: EmbeddedAzure, graph: Caller) -> None:
    denied = (403, "Authorization_RequestDenied")
    owner = permitted(cloud, first_party.APPLICATION_WRITE_OWNED)
    own, foreign = (
        owner.made("/applications", {"displayName": "own"}),
        graph.made("/applications", {"displayName": "x"}),
    )
    assert owner.ask("PATCH", f"/applications/{own['id']}", {"displayName": "changed"})[0] == 204
    principal = owner.made("/servicePrincipals", {"appId": own["appId"]})
    for method, path, body in (
        ("PATCH", f"/applications/{foreign['id']}", {"displayName": "changed"}),
        ("DELETE", f"/applications/{foreign['id']}", None),
        ("POST", f"/applications/{foreign['id']}/addPassword", {"passwordCredential": {}}),
        ("POST", "/servicePrincipals", {"appId": foreign["appId"]}),
        (
            "POST",
            f"/servicePrincipals/{principal['id']}/appRoleAssignedTo",
            {"principalId": OTHER, "resourceId": principal["id"], "appRoleId": OTHER},
        ),
    ):
        assert owner.refused(method, path, body) == denied


def test_only_a_token_for_graph_is_taken(cloud: EmbeddedAzure) -> None:
    token = signed_in(cloud.identities.admin).get_token("https://management.azure.com/.default").token
    assert Caller(token).refused("GET", "/applications") == (401, "InvalidAuthenticationToken")
    assert Caller("").refused("GET", "/applications") == (401, "InvalidAuthenticationToken")


def test_graph_says_when_to_come_again(cloud: EmbeddedAzure, graph: Caller) -> None:
    cloud.faults.throttle(Match(service="graph", operation="list_applications"), seconds=7)
    headers = {"Authorization": f"Bearer {graph.token}"}
    answer = requests.get(f"{GRAPH}/v1.0/applications", headers=headers, timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
