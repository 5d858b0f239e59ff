"""Roles: what they grant, where, since when; and how Resource Manager lets them be given."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests

from remediator.local.azure.arm.description import types
from remediator.local.azure.faults import Delays, Match
from remediator.local.azure.places import SUBSCRIPTION, subscription_id
from remediator.local.azure.rbac.definitions import BUILT_IN, RoleDefinition
from remediator.local.azure.rbac.roles import NoSuchPrincipal, NoSuchRole, Rbac, covers
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.identities import Identity

GROUP = f"{subscription_id()}/resourceGroups/shop"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/shopdata"
AUTHORIZATION = "providers/Microsoft.Authorization"
WHO = str(uuid.uuid4())
VERSION = types()["microsoft.storage/storageaccounts"].api


def ask(identity: Identity, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    token = signed_in(identity).get_token("https://management.azure.com/.default").token
    url = f"https://management.azure.com{path}"
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.request(method, url, json=body, headers=headers, timeout=10)
    return answer.status_code, answer.json() if answer.content else None


def role_body(name: str, actions: list[str], **changes: Any) -> dict[str, Any]:
    permissions = [{"actions": actions, "notActions": [], "dataActions": [], "notDataActions": []}]
    properties = {"roleName": name, "type": "CustomRole", "permissions": permissions, "assignableScopes": [GROUP]}
    return {"properties": properties | changes}


@pytest.mark.parametrize(
    ("pattern", "action", "granted"),
    [
        ("*", "Microsoft.Storage/storageAccounts/write", True),
        ("*/read", "Microsoft.Storage/storageAccounts/read", True),
        ("*/read", "Microsoft.Storage/storageAccounts/write", False),
        ("Microsoft.Storage/*", "microsoft.storage/storageaccounts/WRITE", True),
        ("Microsoft.Storage/storageAccounts/read", "Microsoft.Storage/storageAccounts/readAll", False),
        ("Microsoft.Storage/*/read", "Microsoft.Storage/a/b/read", True),
        ("Microsoft.Storage", "Microsoft.Storage/x", False),
    ],
)
def test_a_pattern_grants_what_it_matches_wholly(pattern: str, action: str, *, granted: bool) -> None:
    assert RoleDefinition("g", "n", actions=(pattern,)).grants(action, data=False) is granted


def test_what_is_excepted_is_not_granted_and_the_two_planes_are_apart() -> None:
    role = RoleDefinition("g", "n", ("*",), ("Microsoft.Authorization/*/Write",), ("A/x",), ("A/x",))
    assert role.grants("Microsoft.Storage/storageAccounts/write", data=False)
    assert not role.grants("Microsoft.Authorization/roleAssignments/write", data=False)
    assert not role.grants("A/x", data=True)
    assert not RoleDefinition("g", "n", ("*",)).grants("A/x", data=True)


@pytest.mark.parametrize(
    ("scope", "resource", "covered"),
    [
        ("/subscriptions/s", "/subscriptions/s/resourceGroups/g", True),
        ("/SUBSCRIPTIONS/S/", "/subscriptions/s", True),
        ("/", "/subscriptions/s", True),
        ("/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/gone", False),
        ("/subscriptions/s/resourceGroups/g", "/subscriptions/s", False),
    ],
)
def test_a_scope_covers_itself_and_what_is_below(scope: str, resource: str, *, covered: bool) -> None:
    assert covers(scope, resource) is covered


def test_a_role_goes_to_somebody_who_exists_and_is_one_that_exists() -> None:
    rbac = Rbac(Delays(), lambda identity: identity == WHO)
    with pytest.raises(NoSuchPrincipal):
        rbac.assign("nobody", "Reader")
    with pytest.raises(NoSuchRole):
        rbac.assign(WHO, "King")
    assert rbac.assign(WHO, "Reader") is rbac.assign(WHO, BUILT_IN[2].id)


def test_a_changed_definition_changes_what_its_holders_may_do() -> None:
    rbac = Rbac(Delays())
    rbac.define(RoleDefinition("00000000-0000-4000-8000-00000000000a", "Mine", ("A/read",), custom=True))
    rbac.assign(WHO, "Mine", GROUP)
    assert rbac.allows(WHO, "A/read", ACCOUNT)
    rbac.define(RoleDefinition("00000000-0000-4000-8000-00000000000a", "Mine", ("B/read",), custom=True))
    assert not rbac.allows(WHO, "A/read", ACCOUNT)
    assert rbac.allows(WHO, "B/read", ACCOUNT)


def test_a_custom_role_is_defined_given_used_and_taken_away(cloud: EmbeddedAzure) -> None:
    admin, operator = cloud.identities.admin, cloud.identities.operator
    cloud.arm.add(ACCOUNT)
    guid, name = str(uuid.uuid4()), str(uuid.uuid4())
    definition = f"{subscription_id()}/{AUTHORIZATION}/roleDefinitions/{guid}?api-version=2022-04-01"
    assignment = f"{GROUP}/{AUTHORIZATION}/roleAssignments/{name}?api-version=2022-04-01"
    target = f"{ACCOUNT}?api-version={VERSION}"
    assert ask(operator, "GET", target)[0] == 403
    made = ask(admin, "PUT", definition, role_body("Mine", ["Microsoft.Storage/storageAccounts/read"]))
    assert made[0] == 201
    given = {"roleDefinitionId": made[1]["id"], "principalId": operator.object_id}
    assert ask(admin, "PUT", assignment, {"properties": given})[0] == 201
    assert ask(admin, "PUT", assignment, {"properties": given})[0] == 200
    assert ask(operator, "GET", target)[0] == 200
    other = assignment.replace(name, str(uuid.uuid4()))
    assert ask(admin, "PUT", other, {"properties": given})[1]["error"]["code"] == "RoleAssignmentExists"
    assert ask(admin, "DELETE", definition)[1]["error"]["code"] == "RoleDefinitionHasAssignments"
    query = f"$filter=principalId eq '{operator.object_id}'&api-version=2022-04-01"
    listed = ask(admin, "GET", f"{subscription_id()}/{AUTHORIZATION}/roleAssignments?{query}")[1]["value"]
    assert [one["name"] for one in listed] == [name]
    assert ask(admin, "DELETE", assignment)[0] == 200
    assert ask(admin, "DELETE", assignment)[0] == 204
    assert ask(operator, "GET", target)[0] == 403
    assert ask(admin, "DELETE", definition)[0] == 200
    assert ask(admin, "GET", definition)[0] == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (role_body("", ["A/read"]), "RoleDefinitionNameNullOrEmpty"),
        (role_body("Mine", ["A/read"], assignableScopes=[]), "MissingAssignableScopes"),
        (role_body("Mine", ["no action"]), "InvalidActionOrNotAction"),
        (role_body("Mine", ["A/read"], permissions=[]), "RoleDefinitionPermissionsInvalid"),
        (role_body("Mine", ["A/read"], colour="red"), "InvalidRequestContent"),
        (role_body("Reader", ["A/read"]), "RoleDefinitionWithSameNameExists"),
        ({}, "InvalidRequestContent"),
    ],
)
def test_a_role_that_azure_would_refuse_is_refused(cloud: EmbeddedAzure, body: Any, code: str) -> None:
    path = f"{subscription_id()}/{AUTHORIZATION}/roleDefinitions/{uuid.uuid4()}?api-version=2022-04-01"
    status, document = ask(cloud.identities.admin, "PUT", path, body)
    assert (status >= 400, document["error"]["code"]) == (True, code)


def test_azures_own_roles_cannot_be_changed(cloud: EmbeddedAzure) -> None:
    path = f"{subscription_id()}/{AUTHORIZATION}/roleDefinitions/{BUILT_IN[0].guid}?api-version=2022-04-01"
    status, document = ask(cloud.identities.admin, "PUT", path, role_body("Owner", ["A/read"]))
    assert (status, document["error"]["code"]) == (403, "RoleDefinitionCannotBeModified")


def test_only_who_may_give_roles_gives_them(cloud: EmbeddedAzure) -> None:
    path = f"{GROUP}/{AUTHORIZATION}/roleAssignments/{uuid.uuid4()}?api-version=2022-04-01"
    body = {"properties": {"roleDefinitionId": BUILT_IN[0].id, "principalId": cloud.identities.operator.object_id}}
    status, document = ask(cloud.identities.vendor, "PUT", path, body)
    assert (status, document["error"]["code"]) == (403, "AuthorizationFailed")
    body["properties"]["principalId"] = str(uuid.uuid4())
    assert ask(cloud.identities.admin, "PUT", path, body)[1]["error"]["code"] == "PrincipalNotFound"
    assert ask(cloud.identities.admin, "PUT", path.replace("2022-04-01", "2019-01-01"), body)[0] == 400


def test_a_token_for_another_service_is_refused(cloud: EmbeddedAzure) -> None:
    token = signed_in(cloud.identities.admin).get_token("https://vault.azure.net/.default").token
    url = f"https://management.azure.com{GROUP}?api-version=2021-04-01"
    answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")
    bare = requests.get(url, timeout=10)
    assert (bare.status_code, bare.json()["error"]["code"]) == (401, "AuthenticationFailed")
    assert "authorization_uri" in bare.headers["WWW-Authenticate"]


def test_resource_manager_says_when_to_come_again(cloud: EmbeddedAzure) -> None:
    cloud.arm.add(ACCOUNT)
    cloud.faults.throttle(Match(service="arm", operation="Microsoft.Storage/storageAccounts/read"), seconds=9)
    token = signed_in(cloud.identities.admin).get_token("https://management.azure.com/.default").token
    url = f"https://management.azure.com{ACCOUNT}?api-version={VERSION}"
    first, second = (requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10) for _ in range(2))
    assert (first.status_code, first.headers["Retry-After"], second.status_code) == (429, "9", 200)
    last = cloud.calls.of("arm")[-1]
    assert (last.operation, last.resource, last.status) == ("Microsoft.Storage/storageAccounts/read", ACCOUNT, 200)
    assert SUBSCRIPTION in last.resource
