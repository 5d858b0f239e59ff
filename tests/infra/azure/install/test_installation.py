"""Installing: everything that a template can't do, once, whatever happens on the way."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from remediator.azure.callers import OPERATOR_ROLE, READER_ROLE
from remediator.azure.stored_credential import SECRET
from remediator.azure_install.apps import PublishingFailed
from remediator.azure_install.deployments import DeploymentFailed
from remediator.azure_install.directory import API, AZURE_CLI, REMEDIATOR
from remediator.azure_install.plan import Site
from remediator.azure_install.rest import AzureRefused
from remediator.azure_install.roles import custom_roles
from remediator.catalogue.registry import all_fixes, load
from tests.infra.azure.deployment import OPERATOR, OPERATOR_APP, READER, READER_APP, SCOPE, SUBSCRIPTION
from tests.infra.azure.install.conftest import FIXES, SITE, Administrator, made_packages
from tests.infra.azure.install.fake_azure import ARM, GRAPH, Crash

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.azure.install.fake_azure import FakeAzure

WRITES = 24
"""What one installation writes; a test below holds it to that."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what stands after an installation that nothing disturbed."""
    admin = Administrator(made_packages(tmp_path_factory.mktemp("packages")))
    admin.install()
    return admin.standing()


def registration(azure: FakeAzure, kind: str) -> dict[str, Any]:
    (found,) = [one for one in azure.applications.values() if one["uniqueName"].endswith(f"-{kind}")]
    return found


def secret(azure: FakeAzure) -> dict[str, Any]:
    ((path, versions),) = azure.secrets.items()
    assert path.endswith(f"/secrets/{SECRET}")
    newest: dict[str, Any] = versions[-1]
    return newest


def test_the_api_takes_tokens_of_version_two_from_those_alone_who_were_assigned_a_role(admin: Administrator) -> None:
    deployed, _ = admin.install()
    api = registration(admin.azure, API)
    assert deployed.outputs["Audience"] == api["appId"]
    assert api["api"]["requestedAccessTokenVersion"] == 2
    assert api["identifierUris"] == [f"api://{api['appId']}"]
    assert api["signInAudience"] == "AzureADMyOrg"
    assert {one["value"]: one["allowedMemberTypes"] for one in api["appRoles"]} == {
        READER_ROLE: ["Application"],
        OPERATOR_ROLE: ["Application", "User"],
    }
    (principal,) = [one for one in admin.azure.principals.values() if one["appId"] == api["appId"]]
    assert principal["appRoleAssignmentRequired"] is True
    roles = {one["id"]: one["value"] for one in api["appRoles"]}
    assert {(one["principalId"], roles[one["appRoleId"]]) for one in admin.azure.assigned.values()} == {
        (READER, READER_ROLE),
        (OPERATOR, OPERATOR_ROLE),
    }


@pytest.mark.parametrize(("kind", "app"), [("ServicePrincipal", OPERATOR_APP), ("User", AZURE_CLI)])
def test_a_caller_s_app_is_its_own_or_for_a_person_the_command_line(admin: Administrator, kind: str, app: str) -> None:
    if kind == "User":
        del admin.azure.callers[OPERATOR]
    deployed, _ = admin.install(operator_type=kind)
    assert (deployed.parameters["readerAppId"], deployed.parameters["operatorAppId"]) == (READER_APP, app)


@pytest.mark.parametrize("caller", [READER, OPERATOR])
def test_a_caller_that_is_no_service_principal_here_is_found_out_before_anything_is_made(
    admin: Administrator, caller: str
) -> None:
    del admin.azure.callers[caller]
    with pytest.raises(AzureRefused, match=f"{caller} is no service principal"):
        admin.install()
    assert admin.azure.writes == []


def test_the_key_is_in_the_vault_alone_and_its_certificate_in_the_directory(admin: Administrator) -> None:
    admin.install()
    pem = secret(admin.azure)["value"].encode()
    certificate = x509.load_pem_x509_certificate(pem)
    key = load_pem_private_key(pem, None)
    assert key.public_key() == certificate.public_key()
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == 3072
    (registered,) = registration(admin.azure, REMEDIATOR)["keyCredentials"]
    assert registered["usage"] == "Verify"
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert 90 <= lifetime.total_seconds() / 86_400 < 91
    elsewhere = json.dumps([admin.azure.applications, admin.azure.deployments, admin.said], default=str)
    assert "PRIVATE KEY" not in elsewhere
    assert not [path for path in admin.azure.deployments if path.endswith("remediator-credential")]


def test_the_remediator_holds_a_role_for_each_service_of_the_enabled_fixes_and_no_other(admin: Administrator) -> None:
    admin.install()
    by_name = {one["properties"]["roleName"].split()[1]: one["properties"] for one in admin.azure.roles.values()}
    assert by_name.keys() == {"Microsoft.KeyVault", "Microsoft.Storage", "tags"}
    declared = {action for fix in map(load, FIXES) for grant in (*fix.reads, *fix.writes) for action in grant.actions}
    declared.add("Microsoft.Resources/tags/read")
    granted = [action for one in by_name.values() for action in one["permissions"][0]["actions"]]
    assert sorted(granted) == sorted(declared)
    for one in by_name.values():
        assert one["permissions"][0]["dataActions"] == []
        assert one["assignableScopes"] == [SCOPE]
    assert {path.partition("/providers/")[0] for path in admin.azure.grants} == {SCOPE.lower()}


def test_roles_keep_their_ids_fit_azures_limits_and_are_no_other_installation_s() -> None:
    every = [fix.id for fix in all_fixes("azure")]
    ours = custom_roles(SITE, every)
    assert custom_roles(SITE, reversed(every)) == ours
    others = custom_roles(Site(SUBSCRIPTION, "Elsewhere"), every)
    assert {one.id for one in ours}.isdisjoint({one.id for one in others})
    assert {one.name for one in ours}.isdisjoint({one.name for one in others})
    for one in ours:
        assert str(uuid.UUID(one.id)) == one.id
        assert (len(one.name) <= 512, len(one.description) <= 1024) == (True, True)
        (permission,) = one.definition([SCOPE])["permissions"]
        assert (permission["notActions"], permission["dataActions"], permission["notDataActions"]) == ([], [], [])


def test_no_role_of_the_catalogue_lets_anybody_grant_roles_or_read_keys() -> None:
    every = [fix.id for fix in all_fixes("azure")]
    actions = [action.lower() for role in custom_roles(SITE, every) for action in role.actions]
    assert actions
    for action in actions:
        assert "*" not in action or action.endswith("/*/read")
        assert not action.startswith("microsoft.authorization/")
        assert "listkeys" not in action
        assert "listsecrets" not in action


def test_both_packages_are_published_and_the_rotator_is_started(admin: Administrator, packages: Path) -> None:
    deployed, _ = admin.install()
    assert admin.azure.uploads == [
        (deployed.outputs["RotateApp"], (packages / "rotate.zip").read_bytes()),
        (deployed.outputs["RemediateApp"], (packages / "remediate.zip").read_bytes()),
    ]
    assert admin.azure.started == [deployed.outputs["RotateApp"]]


def test_installing_twice_is_installing_once(admin: Administrator) -> None:
    first, _ = admin.install()
    before, written = admin.standing(), len(admin.azure.writes)
    second, report = admin.install()
    assert written == WRITES
    assert admin.azure.writes[written:] == []
    assert not any(one.changed for one in report)
    assert admin.standing() == before
    assert second.outputs == first.outputs


@pytest.mark.parametrize("step", range(WRITES))
def test_a_crash_after_any_step_is_repaired_by_running_again(
    step: int, admin: Administrator, undisturbed: dict[str, Any]
) -> None:
    admin.azure.crash_after = step
    with pytest.raises(Crash):
        admin.install()
    admin.azure.crash_after = None
    admin.now += 60
    admin.install()
    assert admin.standing() == undisturbed


def test_a_directory_that_is_slow_to_know_what_was_made_is_waited_for(
    admin: Administrator, undisturbed: dict[str, Any]
) -> None:
    admin.azure.lag = 2
    admin.install()
    assert admin.slept.count(5.0) >= 2
    assert admin.standing() == undisturbed


def test_the_deployment_keeps_its_id_when_its_settings_change(admin: Administrator) -> None:
    first, _ = admin.install()
    second, report = admin.install(settings={"vendorRollback": True})
    assert second.outputs["Deployment"] == first.outputs["Deployment"]
    assert [one.step for one in report if one.changed] == [
        "deployment",
        "rotate package",
        "remediate package",
        "rotator",
    ]


def test_what_is_no_longer_named_is_taken_away(admin: Administrator) -> None:
    former = "99999999-9999-4999-8999-999999999999"
    admin.azure.callers[former] = OPERATOR_APP
    admin.install(scopes=(SCOPE, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Bank"), operator=former)
    assert len(admin.azure.grants) == 6
    admin.install(fixes=FIXES[1:])
    assert {path.partition("/providers/")[0] for path in admin.azure.grants} == {SCOPE.lower()}
    assert len(admin.azure.grants) == 2
    assert {one["principalId"] for one in admin.azure.assigned.values()} == {READER, OPERATOR}


def test_what_somebody_else_bent_is_put_right(admin: Administrator) -> None:
    admin.install()
    before = admin.standing()
    registration(admin.azure, API)["api"]["requestedAccessTokenVersion"] = 1
    next(iter(admin.azure.roles.values()))["properties"]["permissions"][0]["actions"].append("*")
    admin.azure.assigned.popitem()
    _, report = admin.install()
    assert [one.step for one in report if one.changed] == ["api app registration", "callers", "roles"]
    assert admin.standing() == before


def test_a_certificate_that_somebody_removed_is_replaced(admin: Administrator) -> None:
    admin.install()
    registration(admin.azure, REMEDIATOR)["keyCredentials"] = []
    admin.install()
    (registered,) = registration(admin.azure, REMEDIATOR)["keyCredentials"]
    assert registered["displayName"].endswith(secret(admin.azure)["tags"]["thumbprint"][:8])


def test_a_new_package_is_published_and_an_old_one_is_not(admin: Administrator, packages: Path) -> None:
    admin.install()
    (packages / "remediate.zip").write_bytes(b"another package")
    _, report = admin.install()
    assert [one.step for one in report if one.changed] == ["remediate package", "rotator"]
    assert admin.azure.uploads[-1][1] == b"another package"


def test_a_deployment_that_azure_gives_up_stops_the_installation(admin: Administrator) -> None:
    admin.azure.deployment_ends = "Failed"
    with pytest.raises(DeploymentFailed, match="remediator ended as Failed"):
        admin.install()
    admin.azure.deployment_ends = "Succeeded"
    admin.install()


def test_a_build_that_fails_stops_the_installation_and_is_tried_again(admin: Administrator) -> None:
    admin.azure.build_ends = 3
    with pytest.raises(PublishingFailed, match="pip said no"):
        admin.install()
    admin.azure.build_ends = 4
    admin.install()
    assert len(admin.azure.uploads) == 3


def test_a_refusal_names_the_call_and_azures_own_reason(admin: Administrator) -> None:
    admin.azure.denied = {f"PATCH {GRAPH}"}
    with pytest.raises(
        AzureRefused, match=r"PATCH https://graph\.microsoft\.com/v1\.0/applications.*: 403 Authorization"
    ):
        admin.install()


def test_a_rotator_that_can_not_be_started_starts_by_itself(admin: Administrator) -> None:
    admin.azure.denied = {f"POST {ARM}"}
    _, report = admin.install()
    assert report[-1].detail == "starts by itself within five minutes"


def test_nothing_is_installed_beyond_the_subscription_or_onto_itself(admin: Administrator) -> None:
    other = f"/subscriptions/{READER}/resourceGroups/Shop"
    assert "isn't in the subscription" in str(admin.wanted(scopes=(other,)).objection())
    assert "never touches" in str(
        admin.wanted(scopes=(SITE.group_id.upper().replace("SUBSCRIPTIONS", "subscriptions"),)).objection()
    )
    assert "no fix" in str(admin.wanted(fixes=("azure.storage.paint-it-black",)).objection())
    assert "same principal" in str(admin.wanted(operator=READER.upper()).objection())
    assert admin.wanted().objection() is None


def test_with_manual_delivery_the_vendor_loses_what_an_earlier_installation_let_it_read(admin: Administrator) -> None:
    deployed, _ = admin.install()
    vault = f"{SITE.group_id}/providers/Microsoft.KeyVault/vaults/{deployed.outputs['SeedVault'][8:].partition('.')[0]}"
    grants = {
        f"{place}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}": who
        for place, who in ((vault, READER), (f"{vault}/secrets/seed-1-1", READER), (vault, OPERATOR), (SCOPE, READER))
    }
    for path, who in grants.items():
        admin.azure.grants[path.lower()] = {"id": path, "properties": {"principalId": who, "roleDefinitionId": "role"}}
    _, report = admin.install(settings={"delivery": "manual"})
    assert [one.changed for one in report if one.step == "seeds"] == [True]
    left = [path for path in grants if path.lower() in admin.azure.grants]
    assert [grants[path] for path in left] == [OPERATOR, READER]
    _, report = admin.install(settings={"delivery": "manual"})
    assert [one.changed for one in report if one.step == "seeds"] == [False]
    _, report = admin.install()
    assert not [one for one in report if one.step == "seeds"]
