"""Run the probes for a real subscription against an embedded one: they judge right where it holds, and where not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from live.__main__ import attempt, main
from live.azure import cloud
from live.azure.cloud import probes as PROBES  # noqa: N812 - as it is used here
from live.azure.people import App, make_api
from live.listing import cost
from live.running import Unclean, chosen, run
from live.verdicts import Making, Outcome, Probe, Verdict
from live.workshop import PREFIX, TAGS
from remediator.azure_install import certificates
from remediator.azure_install.certificates import make
from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.arm import providers
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.entra import service as entra
from remediator.local.azure.entra.directory import Application, ServicePrincipal
from remediator.local.azure.exchange import Answer
from remediator.local.azure.faults import Match
from remediator.local.azure.graph import applications, keys
from remediator.local.azure.rbac.definitions import RoleDefinition
from remediator.local.azure.rbac.roles import Rbac
from remediator.local.azure.tables import service as tables
from remediator.local.azure.vault.operations import Operations
from remediator.local.azure.vault.secrets import Problem, Secret, Secrets
from tests.live.azure_shop import traces, workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live.azure.workshop import AzureWorkshop
    from remediator.local.azure.entra.directory import Key

pytestmark = pytest.mark.xdist_group("embedded azure")

BY_NAME = {probe.name: probe for probe in PROBES}
WHO = ["--cloud", "azure", "--subscription", "3f0c9a54-8d21-4f5a-b7e6-91c2d4e8a633", "--location", "westeurope"]


@pytest.fixture(scope="module")
def azure() -> Iterator[EmbeddedAzure]:
    with EmbeddedAzure(python=plain) as azure:
        yield azure


@pytest.fixture
def hasty(shop: AzureWorkshop) -> AzureWorkshop:
    """The workshop for what is waited for in vain: its pauses are longer."""
    brief = shop.pause
    shop.pause = lambda seconds: brief(30 * seconds)
    return shop


@pytest.fixture
def shop(azure: EmbeddedAzure, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureWorkshop]:
    """A workshop whose keys take little time to make, in a cloud in which nothing was left before or after."""
    monkeypatch.setattr(certificates, "BITS", 2048)
    made = workshop(azure)
    assert not traces(azure)
    yield made
    azure.faults.clear()
    monkeypatch.undo()
    made.clean()


def verdict(shop: AzureWorkshop, name: str) -> Verdict:
    [(_, found)] = run(shop, [BY_NAME[name]])
    return found


@pytest.mark.parametrize("name", list(BY_NAME))
def test_in_a_cloud_that_does_what_the_documents_say_it_holds(
    azure: EmbeddedAzure, shop: AzureWorkshop, name: str
) -> None:
    found = verdict(shop, name)
    assert found.outcome is Outcome.HOLDS, found
    assert not list(shop.leftovers())
    assert not traces(azure)


# --- and where it doesn't hold: each is one thing that a cloud does otherwise -----------------------------------------


def removed_certificates_stay(patch: pytest.MonkeyPatch) -> None:
    def all_of(directory: Any, app: Application | None, given: list[dict[str, Any]]) -> tuple[Key, ...]:
        return (*(app.keys if app else ()), *written(directory, app, given))

    written = keys.keys_of
    patch.setattr(applications, "keys_of", all_of)


def one_certificate_ends_the_other(patch: pytest.MonkeyPatch) -> None:
    written = keys.keys_of
    patch.setattr(applications, "keys_of", lambda *given: written(*given)[-1:])


def tokens_live_for_a_day(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entra, "LIFETIME", 86_400)


def tokens_are_given_without_a_role(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ServicePrincipal, "assignment_required", False)


def tokens_are_of_version_1(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Application, "token_version", 1)


def every_role_is_owner(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RoleDefinition, "grants", lambda *_, **__: True)


def every_scope_is_the_subscription(patch: pytest.MonkeyPatch) -> None:
    def allows(self: Rbac, principal: str, action: str, _: str, *, data: bool = False) -> bool:
        return any(one.role.grants(action, data=data) for one in self.assignments(principal=principal))

    patch.setattr(Rbac, "allows", allows)


def secrets_are_given_in_their_time_alone(patch: pytest.MonkeyPatch) -> None:
    def get(self: Operations, name: str, version: str) -> Answer:
        found = self._secrets.version(name, version)
        if found.expires is not None or found.not_before is not None:
            raise Problem(403, "Forbidden", "not now")
        return given(self, name, version)

    given = Operations.get
    patch.setattr(Operations, "get", get)


def disabled_secrets_are_given(patch: pytest.MonkeyPatch) -> None:
    def version(self: Secrets, name: str, version_id: str) -> Any:
        return replace(found(self, name, version_id), enabled=True)

    found = Secrets.version
    patch.setattr(Secrets, "version", version)


def an_older_version_is_given(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Secret, "current", property(lambda self: next(iter(self.versions.values()))))


def a_secret_jams_at_a_hundred_versions(patch: pytest.MonkeyPatch) -> None:
    def put(self: Secrets, name: str, version: Any) -> Any:
        if name == "seed" and len(self._secrets[name].versions if name in self._secrets else ()) >= 100:
            raise Problem(400, "BadParameter", "too many versions")
        return kept(self, name, version)

    kept = Secrets.put
    patch.setattr(Secrets, "put", put)


def conditions_on_tables_are_ignored(patch: pytest.MonkeyPatch) -> None:
    def signed(*given: Any) -> dict[str, str]:
        return {name: value for name, value in headers(*given).items() if name.lower() != "if-match"}

    headers = tables._signed
    patch.setattr(tables, "_signed", signed)


def rows_are_inserted_twice(patch: pytest.MonkeyPatch) -> None:
    def forwarded(*given: Any) -> Answer:
        found = passed(*given)
        return Answer(204) if found.status == 409 else found

    passed = tables.Tables._forwarded
    patch.setattr(tables.Tables, "_forwarded", forwarded)


def conditions_on_resources_are_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(providers, "TAGGED", frozenset())


BROKEN: list[tuple[str, Callable[[pytest.MonkeyPatch], None], str]] = [
    ("certificate", removed_certificates_stay, "not within 900 s"),
    ("certificate", one_certificate_ends_the_other, "adding one ENDED the other"),
    ("token-life", tokens_live_for_a_day, "lives 1440 minutes"),
    ("caller-token", tokens_are_given_without_a_role, "WITHOUT the role: given"),
    ("caller-token", tokens_are_of_version_1, "our check says stranger"),
    ("one-action", every_role_is_owner, "LET: write the group, list its roles"),
    ("one-action", every_scope_is_the_subscription, "LET: read another group"),
    (
        "vault-dates",
        secrets_are_given_in_their_time_alone,
        "before its time refused, after it refused",
    ),
    ("vault-dates", disabled_secrets_are_given, "after it given, disabled given"),
    ("vault-versions", an_older_version_is_given, "191 times another"),
    ("vault-versions", a_secret_jams_at_a_hundred_versions, "version 101 was refused"),
    ("tables", conditions_on_tables_are_ignored, "over a change taken"),
    ("tables", rows_are_inserted_twice, "inserted twice taken"),
    ("tables", every_scope_is_the_subscription, "in another table taken"),
    ("if-match", conditions_on_resources_are_ignored, "was TAKEN"),
]


@pytest.mark.parametrize(
    ("name", "otherwise", "seen"), BROKEN, ids=[f"{name}-{one.__name__}" for name, one, _ in BROKEN]
)
def test_where_a_cloud_does_otherwise_it_fails_for_that(
    hasty: AzureWorkshop,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    otherwise: Callable[[pytest.MonkeyPatch], None],
    seen: str,
) -> None:
    otherwise(monkeypatch)
    found = verdict(hasty, name)
    assert found.outcome is Outcome.FAILS, found
    assert seen in found.seen


@pytest.mark.parametrize(
    ("name", "delay"),
    [
        ("certificate", "credentials"),
        ("token-life", "credentials"),
        ("caller-token", "credentials"),
        ("role-spread", "roles"),
        ("one-action", "roles"),
        ("vault-dates", "roles"),
        ("vault-versions", "roles"),
        ("tables", "roles"),
    ],
)
def test_where_what_was_changed_counts_too_late_it_fails(
    azure: EmbeddedAzure, hasty: AzureWorkshop, name: str, delay: str
) -> None:
    setattr(azure.faults.delays, delay, 1_000.0)
    assert verdict(hasty, name).outcome is Outcome.FAILS


def test_how_long_roles_and_certificates_take_is_measured(azure: EmbeddedAzure, shop: AzureWorkshop) -> None:
    azure.faults.delays.roles = azure.faults.delays.credentials = 40.0
    found = verdict(shop, "role-spread")
    assert found.outcome is Outcome.HOLDS
    assert all(40 <= seconds <= 50 for seconds in (*found.figures["given_s"], *found.figures["taken_s"])), found
    assert all(40 <= seconds <= 50 for seconds in verdict(shop, "certificate").figures["known_s"])


# --- what a run makes, and leaves -------------------------------------------------------------------------------------


def furnish(shop: AzureWorkshop) -> None:
    """Make one of each kind of thing that a probe makes."""
    app = App.make(shop)
    app.directory.add_certificate(make(shop.name("certificate"), shop.now()))
    BY_NAME["vault-dates"].run(shop)
    BY_NAME["one-action"].run(shop)


def test_whatever_a_probe_does_nothing_stays(azure: EmbeddedAzure, shop: AzureWorkshop) -> None:
    def dies(shop: AzureWorkshop) -> Verdict:
        furnish(shop)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run(shop, [Probe("dying", "it dies", Making((), 1), dies)]))
    assert not traces(azure)


def test_what_the_cloud_refuses_is_a_verdict_and_the_next_probe_runs(shop: AzureWorkshop) -> None:
    def refused(shop: AzureWorkshop) -> Verdict:
        shop.arm.ask("GET", f"{shop.site.group_id}?api-version=2021-04-01")
        raise AssertionError

    probes = [Probe("refused", "", Making((), 1), refused), BY_NAME["if-match"]]
    assert [found.outcome for _, found in run(shop, probes)] == [Outcome.FAILS, Outcome.HOLDS]


def test_among_leftovers_nothing_begins_and_cleaning_up_removes_them_alone(
    azure: EmbeddedAzure, shop: AzureWorkshop
) -> None:
    theirs = f"/subscriptions/{shop.subscription}/resourceGroups/remediator?api-version=2021-04-01"
    shop.arm.ask("PUT", theirs, {"location": shop.location})
    furnish(shop)
    with pytest.raises(Unclean, match=f"resource group {PREFIX}{shop.run}"):
        list(run(shop, [BY_NAME["if-match"]]))
    kinds = {one.rpartition(" ")[0] for one in shop.clean()}
    assert kinds == {"role assignment", "role", "resource group", "app registration"}
    assert not traces(azure)
    assert shop.arm.get(theirs) is not None
    shop.arm.delete(theirs)


def test_what_a_crash_left_in_the_bin_or_as_a_deleted_vault_is_removed(
    azure: EmbeddedAzure, shop: AzureWorkshop
) -> None:
    furnish(shop)
    found = shop.graph.ask("GET", f"/v1.0/applications(uniqueName='{shop.name('remediator')}')").body
    shop.graph.delete(f"/v1.0/applications/{found['id']}")
    for group in (shop.site, shop.beside("-other")):
        shop.arm.delete(f"{group.group_id}?api-version=2021-04-01")
    assert {str(one).rpartition(" ")[0] for one in shop.leftovers()} == {"deleted vault", "deleted app registration"}
    shop.clean()
    assert [name for name in traces(azure) if name != shop.name("reader")] == []
    azure.rbac.undefine(azure.rbac.role(shop.name("reader")).guid)  # out of sight with its group, as in Azure


def test_everything_made_is_named_and_tagged(azure: EmbeddedAzure, shop: AzureWorkshop) -> None:
    make_api(shop)
    App.make(shop)
    group = shop.arm.ask("GET", f"{shop.group().group_id}?api-version=2021-04-01").body
    assert group["name"].startswith(PREFIX)
    assert group["tags"] == TAGS
    made = [app for app in azure.directory.applications() if app.document["uniqueName"]]
    assert len(made) == 2
    assert all(app.name == app.document["uniqueName"] and app.name.startswith(PREFIX) for app in made)


# --- the command ------------------------------------------------------------------------------------------------------


def test_without_yes_create_nobody_is_asked_anything(azure: EmbeddedAzure, capsys: pytest.CaptureFixture[str]) -> None:
    mark = azure.calls.mark()
    assert main([*WHO, "--demo"]) == 0
    told = capsys.readouterr().out
    assert "Nothing is made without --yes-create" in told
    assert all(f"  {probe.name} " in told and f"shows whether {probe.relies}" in told for probe in PROBES)
    assert "installs as `remediator azure install` does" in told
    assert main([*WHO, "--json", "tables"]) == 0
    assert '"usd": 4e-06' in capsys.readouterr().out
    assert not azure.calls.since(mark)


def test_only_what_is_asked_for_is_chosen_and_costs_less_than_a_cent() -> None:
    assert [one.name for one in chosen(PROBES, ["tables", "certificate"], by_request=False)] == [
        "certificate",
        "tables",
    ]
    assert 0 < sum(cost(one.makes) for one in PROBES) < 0.01


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--cloud", "azure", "--yes-create"], "name --subscription and --location"),
        (["--cloud", "azure", "--cleanup", "--subscription", "mine", "--location", "x"], "is no GUID"),
        ([*WHO, "--yes-create", "--region", "eu-west-1"], "--region means nothing on Azure"),
        ([*WHO, "--yes-create", "--demo", "--stack", "Mine"], "--stack means nothing on Azure"),
        (["--yes-create", "--stack", "Mine"], "--stack goes with --demo"),
        (["--yes-create", "--subscription", "0"], "mean nothing on AWS"),
        (["--yes-create", "--region", "eu-west-1"], "name --customer-profile"),
        (["--cloud", "azure", "dates"], "there is no probe dates"),
    ],
)
def test_options_that_nothing_would_come_of_are_refused(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert told in capsys.readouterr().err


def test_cleaning_up_tells_what_it_removed_or_that_it_could_not(
    azure: EmbeddedAzure, shop: AzureWorkshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cloud, "workshop", lambda _: shop)
    shop.group()
    assert main([*WHO, "--yes-create", "if-match"]) == 2
    assert f"resource group {PREFIX}{shop.run}: run with --cleanup" in capsys.readouterr().err
    azure.faults.error(Match(operation="Microsoft.Resources/subscriptions/resourceGroups/delete"), "Locked", 423)
    assert main([*WHO, "--cleanup"]) == 1
    assert "not everything was removed" in capsys.readouterr().err
    assert main([*WHO, "--cleanup"]) == 0
    assert capsys.readouterr().out == f"resource group {PREFIX}{shop.run}\n"
    assert main([*WHO, "--cleanup", "--json"]) == 0
    assert capsys.readouterr().out == '{"removed": []}\n'


def test_both_outcomes_are_told_and_the_exit_says_so(
    azure: EmbeddedAzure, shop: AzureWorkshop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attempt(shop, [BY_NAME["if-match"]], as_json=True) == 0
    assert '"outcome": "holds"' in capsys.readouterr().out
    azure.faults.error(Match(service="arm", operation="Microsoft.Network/*"), "Teapot", 418)
    assert attempt(shop, [BY_NAME["if-match"]], as_json=False) == 1
    assert capsys.readouterr().out.startswith("fails     if-match       the cloud refused: ")
