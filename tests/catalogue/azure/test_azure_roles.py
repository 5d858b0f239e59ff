from __future__ import annotations

import re
from fnmatch import fnmatchcase

from remediator.catalogue import registry
from remediator.catalogue.azure.roles import service_roles
from tests.laws.azure.test_azure_cards import LISTED

FIXES = registry.all_fixes("azure")
*ROLES, TAGS = service_roles(FIXES)


def declared(*ids: str) -> tuple[str, ...]:
    grants = [grant for fix in map(registry.load, ids) for grant in (*fix.reads, *fix.writes)]
    return tuple(sorted({action for grant in grants for action in grant.actions}))


def test_every_service_has_a_role_of_its_own() -> None:
    assert [role.service for role in ROLES] == sorted({fix.service for fix in FIXES})
    assert len(ROLES) > 1


def test_every_fix_is_in_the_role_of_its_service_and_in_no_other() -> None:
    assert sorted(one for role in ROLES for one in role.fixes) == sorted(fix.id for fix in FIXES)
    for role in ROLES:
        assert {registry.load(one).service for one in role.fixes} == {role.service}


def test_roles_allow_what_the_fixes_declare_and_nothing_else() -> None:
    for role in ROLES:
        assert role.actions == declared(*role.fixes)


def test_one_role_reads_the_tags_of_what_the_fixes_repair_and_nothing_else() -> None:
    assert TAGS.actions == ("Microsoft.Resources/tags/read",)
    assert TAGS.fixes == tuple(fix.id for fix in sorted(FIXES, key=lambda fix: (fix.service, fix.id)))
    assert service_roles([]) == []


def test_no_role_can_grant_rights_delete_or_read_keys() -> None:
    for action in declared(*(fix.id for fix in FIXES)):
        assert not action.startswith(("Microsoft.Authorization/", "Microsoft.Resources/", "*"))
        assert not re.search(r"/(delete|list\w*/action|regenerateKey/action)$", action)
        assert any(fnmatchcase(one.lower(), action.lower()) for one in LISTED)


def test_fewer_fixes_have_fewer_and_smaller_roles() -> None:
    role, tags = service_roles([registry.load("azure.storage.require-https")])
    assert role.actions == ("Microsoft.Storage/storageAccounts/read", "Microsoft.Storage/storageAccounts/write")
    assert role.fixes == tags.fixes == ("azure.storage.require-https",)


def test_the_order_of_fixes_doesn_t_matter() -> None:
    assert service_roles(reversed(FIXES)) == [*ROLES, TAGS]
