from __future__ import annotations

import re
import uuid
from fnmatch import fnmatchcase

import pytest

from remediator.catalogue import registry
from remediator.catalogue.azure.roles import actions, family, role_definitions
from tests.laws.azure.test_azure_cards import LISTED

FIXES = registry.all_fixes("azure")
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
ROLES = role_definitions(FIXES, [SUBSCRIPTION], "prod")


def allowed(role: object) -> list[str]:
    (permission,) = role["properties"]["permissions"]  # type: ignore[index]  # JSON
    found: list[str] = permission["actions"]
    return found


def test_every_family_of_services_has_a_role_of_its_own() -> None:
    names = [role["properties"]["roleName"] for role in ROLES]
    assert names == sorted(f"Remediator {name} (prod)" for name in {family(fix) for fix in FIXES})
    assert len(ROLES) == 7


def test_roles_allow_what_the_fixes_declare_and_nothing_else() -> None:
    for role in ROLES:
        told = role["properties"]["description"]
        fixes = [fix for fix in FIXES if fix.id in told]
        assert allowed(role) == actions(fixes)
        assert len({family(fix) for fix in fixes}) == 1
    assert sorted({action for role in ROLES for action in allowed(role)}) == actions(FIXES)


def test_no_role_touches_data_or_takes_back_with_one_hand_what_it_gives_with_the_other() -> None:
    for role in ROLES:
        (permission,) = role["properties"]["permissions"]
        assert (permission["notActions"], permission["dataActions"], permission["notDataActions"]) == ([], [], [])


def test_no_role_can_grant_rights_delete_or_read_keys() -> None:
    for action in actions(FIXES):
        assert not action.startswith(("Microsoft.Authorization/", "Microsoft.Resources/", "*"))
        assert not re.search(r"/(delete|list\w*/action|regenerateKey/action)$", action)
        assert any(fnmatchcase(one.lower(), action.lower()) for one in LISTED)


def test_a_deployment_of_fewer_fixes_has_fewer_and_smaller_roles() -> None:
    one = registry.load("azure.storage.require-https")
    (role,) = role_definitions([one], [SUBSCRIPTION], "prod")
    assert allowed(role) == ["Microsoft.Storage/storageAccounts/read", "Microsoft.Storage/storageAccounts/write"]


def test_roles_keep_their_ids_and_two_deployments_have_different_ones() -> None:
    again = role_definitions(reversed(FIXES), [SUBSCRIPTION], "prod")
    assert again == ROLES
    others = role_definitions(FIXES, [SUBSCRIPTION], "test")
    assert {role["name"] for role in others}.isdisjoint({role["name"] for role in ROLES})
    assert all(str(uuid.UUID(role["name"])) == role["name"] for role in ROLES)


def test_roles_are_for_the_scopes_that_are_named() -> None:
    scopes = [f"{SUBSCRIPTION}/resourceGroups/web", SUBSCRIPTION, SUBSCRIPTION]
    for role in role_definitions(FIXES, scopes, "prod"):
        assert role["properties"]["assignableScopes"] == [SUBSCRIPTION, f"{SUBSCRIPTION}/resourceGroups/web"]
    with pytest.raises(ValueError, match="scopes"):
        role_definitions(FIXES, [], "prod")


def test_names_and_descriptions_are_within_azures_limits() -> None:
    assert all(len(role["properties"]["roleName"]) <= 512 for role in ROLES)
    assert all(len(role["properties"]["description"]) <= 1024 for role in ROLES)
