"""The commands say what they did, what to do next, and never a secret."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from typer.testing import CliRunner

from remediator.cli import azure
from remediator.cli.exits import Exit
from tests.infra.azure.deployment import OPERATOR, READER, ROOT, SCOPE, SUBSCRIPTION
from tests.infra.azure.install.fake_azure import GRAPH, Credential
from tests.infra.azure.install.test_installation import secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from remediator.azure_install.installation import Cloud
    from remediator.azure_install.plan import Site
    from remediator.cli.speech import Speech
    from tests.infra.azure.install.conftest import Administrator

WHERE = ("--subscription", SUBSCRIPTION, "--resource-group", "Remediation")
WHO = ("--location", "westeurope", "--reader", READER, "--operator", OPERATOR)


@pytest.fixture
def run(admin: Administrator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def connect(site: Site, speech: Speech) -> Cloud:
        cloud = admin.cloud(site)
        cloud.say = cloud.deployments._say = speech.note
        return cloud

    monkeypatch.setattr(azure, "_connect", connect)
    monkeypatch.chdir(ROOT)

    def invoke(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(azure.app, list(words), input=stdin, env={"COLUMNS": "200", "NO_COLOR": "1"})

    return invoke


@pytest.fixture
def install(run: Callable[..., Result], admin: Administrator) -> Callable[..., Result]:
    def invoke(*more: str) -> Result:
        return run("install", *WHERE, *WHO, "--scope", SCOPE, "--packages", str(admin.packages), *more)

    return invoke


def test_install_shows_each_step_and_the_outputs(install: Callable[..., Result]) -> None:
    first = install()
    assert first.exit_code == Exit.OK, first.output
    assert "done: credential" in first.output
    assert "https://remediator-remediate-" in first.output
    again = install()
    assert "stands: credential" in again.output
    assert "done:" not in again.output


def test_install_speaks_json_to_programs(install: Callable[..., Result]) -> None:
    said = json.loads(install("--json").stdout)
    assert said["outputs"]["Endpoint"].startswith("https://")
    assert all(step["changed"] for step in said["steps"])


def test_every_fix_is_enabled_unless_some_are_named(install: Callable[..., Result], admin: Administrator) -> None:
    install()
    assert len(admin.azure.roles) > 1
    install("--fix", "azure.storage.require-https")
    held = {one["properties"]["roleDefinitionId"] for one in admin.azure.grants.values()}
    names = {admin.azure.roles[one]["properties"]["roleName"].split()[1] for one in held}
    assert names == {"Microsoft.Storage", "tags"}


def test_no_output_and_no_log_shows_the_key(
    install: Callable[..., Result], run: Callable[..., Result], admin: Administrator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = install().output + install("--json").output
    admin.now += 86_400
    shown += run("roll-credential", *WHERE).output + run("doctor", *WHERE).output
    for line in secret(admin.azure)["value"].splitlines():
        if not line.startswith("-----"):
            assert line not in shown + caplog.text
    assert "PRIVATE KEY" not in shown + caplog.text
    assert "token for" not in shown


def test_the_doctor_ends_with_one_where_something_is_wrong(
    install: Callable[..., Result], run: Callable[..., Result], admin: Administrator
) -> None:
    install()
    fine = run("doctor", *WHERE)
    assert fine.exit_code == Exit.OK, fine.output
    admin.azure.secrets.clear()
    wrong = run("doctor", *WHERE)
    assert wrong.exit_code == Exit.NOT_FIXED
    assert "✗ credential: the vault holds none" in wrong.output
    findings = json.loads(run("doctor", *WHERE, "--json").stdout)["findings"]
    assert [one["about"] for one in findings if not one["fine"]] == ["credential"]


def test_rolling_ends_with_five_until_the_old_certificate_is_gone(
    install: Callable[..., Result], run: Callable[..., Result], admin: Administrator
) -> None:
    install()
    admin.now += 86_400
    begun = run("roll-credential", *WHERE, "--json")
    assert begun.exit_code == Exit.NOT_NOW
    assert json.loads(begun.stdout)["begun"] is True
    admin.now += 26 * 60
    finished = run("roll-credential", *WHERE, "--json")
    assert finished.exit_code == Exit.OK
    assert json.loads(finished.stdout)["phase"] == "finished"


def test_rolling_can_wait_by_itself(
    install: Callable[..., Result], run: Callable[..., Result], admin: Administrator
) -> None:
    install()
    admin.now += 86_400
    waited = run("roll-credential", *WHERE, "--wait")
    assert waited.exit_code == Exit.OK, waited.output
    assert "The old certificate is gone." in waited.output
    assert max(admin.slept) > 15 * 60
    assert len(admin.azure.started) == 2


def test_rolling_where_nothing_is_installed_ends_with_four(run: Callable[..., Result]) -> None:
    missing = run("roll-credential", *WHERE)
    assert missing.exit_code == Exit.NOT_FOUND
    assert "no finished installation" in missing.output


def test_uninstall_asks_and_says_what_it_keeps(
    install: Callable[..., Result], run: Callable[..., Result], admin: Administrator
) -> None:
    install()
    refused = run("uninstall", *WHERE, stdin="n\n")
    assert refused.exit_code == Exit.USAGE
    assert admin.azure.applications
    removed = run("uninstall", *WHERE, "--yes", "--json")
    assert removed.exit_code == Exit.OK
    assert any("receipts" in one for one in json.loads(removed.stdout)["kept"])
    assert admin.azure.applications == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--reader", "the-vendor"), "is no GUID"),
        (("--scope", f"/subscriptions/{READER}"), "isn't in the subscription"),
        (("--fix", "azure.storage.paint-it-black"), "there is no fix"),
        (("--packages", "no-such-folder"), "infra.azure.package"),
    ],
)
def test_a_command_line_that_can_not_be_meant_ends_with_two(
    words: tuple[str, ...], said: str, install: Callable[..., Result], admin: Administrator
) -> None:
    result = install(*words)
    assert result.exit_code == Exit.USAGE
    assert said in result.output
    assert admin.azure.writes == []


def test_who_gives_the_whole_subscription_is_told_what_that_means(
    run: Callable[..., Result], admin: Administrator
) -> None:
    words = ("install", *WHERE, *WHO, "--packages", str(admin.packages))
    assert "Mind:" in run(*words, "--scope", f"/subscriptions/{SUBSCRIPTION}").output
    assert "Mind:" not in run(*words, "--scope", SCOPE).output


def test_who_may_not_install_is_told_what_is_needed(install: Callable[..., Result], admin: Administrator) -> None:
    admin.azure.denied = {f"PATCH {GRAPH}"}
    result = install()
    assert result.exit_code == Exit.REFUSED
    assert "Application Administrator" in result.output


def test_a_failed_deployment_ends_with_one_and_says_to_run_again(
    install: Callable[..., Result], admin: Administrator
) -> None:
    admin.azure.deployment_ends = "Failed"
    result = install("--json")
    assert result.exit_code == Exit.NOT_FIXED
    error: dict[str, Any] = json.loads(result.stdout)["error"]
    assert "run again" in error["next"]


def test_who_is_not_signed_in_is_told_to(install: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: str, **__: Any) -> None:
        raise ClientAuthenticationError("DefaultAzureCredential failed to retrieve a token\nAttempted credentials: …")

    monkeypatch.setattr(Credential, "get_token", refused)
    result = install()
    assert result.exit_code == Exit.REFUSED
    assert "az login" in result.output
