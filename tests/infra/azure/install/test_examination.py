"""The doctor says of each thing how it is, and what to do next; the removal says what it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from remediator.azure_install.directory import API, REMEDIATOR
from remediator.azure_install.examination import Finding, examine
from remediator.azure_install.removal import KEPT, uninstall
from tests.infra.azure.install.fake_azure import Crash
from tests.infra.azure.install.test_installation import registration

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.azure.install.conftest import Administrator
    from tests.infra.azure.install.fake_azure import FakeAzure


def wrong(admin: Administrator) -> dict[str, Finding]:
    return {one.about: one for one in examine(admin.cloud()) if not one.fine}


def test_a_fresh_installation_is_fine_and_looking_changes_nothing(admin: Administrator) -> None:
    admin.install()
    written = len(admin.azure.writes)
    assert wrong(admin) == {}
    assert {one.about for one in examine(admin.cloud())} == {
        *("deployment", "api app registration", "remediator app registration", "settings", "credential"),
        *("roles", "callers", "rotate app", "remediate app"),
    }
    assert len(admin.azure.writes) == written


def test_where_nothing_is_installed_the_doctor_says_so(admin: Administrator) -> None:
    assert wrong(admin).keys() == {"deployment", "api app registration", "remediator app registration"}


def _drop_secret(azure: FakeAzure) -> None:
    azure.secrets.clear()


def _drop_certificate(azure: FakeAzure) -> None:
    registration(azure, REMEDIATOR)["keyCredentials"] = []


def _drop_principal(azure: FakeAzure) -> None:
    azure.principals = {
        key: one for key, one in azure.principals.items() if one["appId"] != registration(azure, API)["appId"]
    }


def _replace_registration(azure: FakeAzure) -> None:
    held = registration(azure, API)
    for one in azure.principals.values():
        if one["appId"] == held["appId"]:
            one["appId"] = "another"
    held["appId"] = "another"


def _grant_more(azure: FakeAzure) -> None:
    path, held = next(iter(azure.grants.items()))
    azure.grants[f"{path}-more"] = held | {"id": f"{path}-more"}


def _grant_less(azure: FakeAzure) -> None:
    azure.grants.popitem()


def _widen_role(azure: FakeAzure) -> None:
    next(iter(azure.roles.values()))["properties"]["permissions"][0]["actions"].append("*")


def _admit_more(azure: FakeAzure) -> None:
    held = next(iter(azure.assigned.values()))
    azure.assigned["more"] = held | {"id": "more", "principalId": "somebody"}


def _drop_package(azure: FakeAzure) -> None:
    next(one for path, one in azure.sites.items() if "rotate" in path)["tags"].clear()


@pytest.mark.parametrize(
    ("bent", "about"),
    [
        (_drop_secret, "credential"),
        (_drop_certificate, "credential"),
        (_drop_principal, "api app registration"),
        (_replace_registration, "settings"),
        (_grant_more, "roles"),
        (_grant_less, "roles"),
        (_widen_role, "roles"),
        (_admit_more, "callers"),
        (_drop_package, "rotate app"),
    ],
)
def test_whatever_is_bent_is_found_and_installing_again_puts_it_right(
    bent: Callable[[FakeAzure], Any], about: str, admin: Administrator
) -> None:
    admin.install()
    bent(admin.azure)
    found = wrong(admin)
    assert found.keys() == {about}
    assert "remediator azure install" in found[about].next
    admin.install()
    assert wrong(admin) == {}


def test_a_certificate_near_its_end_is_to_be_rolled(admin: Administrator) -> None:
    admin.install()
    admin.now += 70 * 86_400
    found = wrong(admin)
    assert found.keys() == {"credential"}
    assert "roll-credential" in found["credential"].next


def test_an_old_certificate_is_fine_until_its_last_window_has_passed(admin: Administrator) -> None:
    admin.install()
    admin.now += 86_400
    cloud = admin.cloud()
    due = cloud.keeper(cloud.installed()).roll(at_once=False).due
    assert wrong(admin) == {}
    admin.now = due
    assert wrong(admin).keys() == {"old certificate"}


def test_uninstalling_takes_every_way_in_and_keeps_what_proves_what_was_done(admin: Administrator) -> None:
    admin.install()
    report = uninstall(admin.cloud())
    assert all(one.changed for one in report)
    azure = admin.azure
    assert (azure.applications, azure.bin, azure.principals, azure.assigned) == ({}, {}, {}, {})
    assert (azure.roles, azure.grants) == ({}, {})
    assert {one["properties"]["state"] for one in azure.sites.values()} == {"Stopped"}
    assert azure.vaults
    assert azure.secrets
    assert azure.groups
    assert not [write for write in azure.writes if write.startswith("DELETE") and "/vaults/" in write]
    assert any("receipts" in one for one in KEPT)
    assert any("purge protection" in one for one in KEPT)


def test_uninstalling_twice_finds_nothing_the_second_time(admin: Administrator) -> None:
    admin.install()
    uninstall(admin.cloud())
    written = len(admin.azure.writes)
    assert not any(one.changed for one in uninstall(admin.cloud()))
    assert admin.azure.writes[written:] == []


@pytest.mark.parametrize("step", range(10))
def test_a_crash_while_uninstalling_is_repaired_by_running_again(step: int, admin: Administrator) -> None:
    """Ten writes: two apps stopped, two grants, two roles, two registrations deleted and purged."""
    admin.install()
    admin.azure.writes.clear()
    admin.azure.crash_after = step
    with pytest.raises(Crash):
        uninstall(admin.cloud())
    admin.azure.crash_after = None
    uninstall(admin.cloud())
    azure = admin.azure
    assert (azure.applications, azure.bin, azure.roles, azure.grants) == ({}, {}, {}, {})
    assert {one["properties"]["state"] for one in azure.sites.values()} == {"Stopped"}


def test_what_was_uninstalled_can_be_installed_again(admin: Administrator) -> None:
    admin.install()
    uninstall(admin.cloud())
    admin.install()
    assert wrong(admin) == {}
    assert {one["properties"]["state"] for one in admin.azure.sites.values()} == {"Running"}
