"""Manual delivery on Azure, end to end: installed by our installer, roles enforced, the vendor left with a code."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient, UpdateMode
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from typer.testing import CliRunner

from remediator.azure.admissions import ADMISSIONS_TABLE, PARTITION, SECRET
from remediator.azure.windows_table import row_of
from remediator.cli.exits import Exit
from remediator.cli.main import app
from remediator.core.windows import PERIOD, window_at
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.deployment import Order
from remediator.operator.azure.office import AzureOffice
from remediator.operator.codes import CodeBook, code_book
from remediator.service.errors import Frozen, Spent
from remediator.vendor import Finding, errors
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.client import Client
from remediator.vendor.transport import HttpTransport
from tests.end_to_end.world import IMPATIENT
from tests.permissions.azure_variants import HTTPS, UNUSED, AzureByHand, require_azure_used_and_allowed
from tests.permissions.page import AZURE_BY_HAND_TITLE, says

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from remediator.operator.codes import LiveCode
    from tests.permissions.granted import Right

pytestmark = pytest.mark.xdist_group("embedded azure")


@pytest.fixture(scope="module")
def empty() -> Iterator[EmbeddedAzure]:
    with EmbeddedAzure() as azure:
        azure.clock.shift(-time.time() % 86_400 + 43_200)  # noon: what expired goes once a day, at its turn
        yield azure


@pytest.fixture(scope="module")
def before(empty: EmbeddedAzure) -> frozenset[str]:
    """What was assigned before anything was installed."""
    return frozenset(one.name for one in empty.rbac.assignments())


@pytest.fixture(scope="module")
def seen(empty: EmbeddedAzure, before: frozenset[str]) -> tuple[list[Right], Mapping[Right, str]]:
    """All rights and their first uses; the first rotation is part of it, so nothing may come before."""
    empty.deploy(Order(fixes=(HTTPS,), settings={"delivery": "manual"}))
    return require_azure_used_and_allowed(AzureByHand(empty), before)


@pytest.fixture(scope="module")
def azure(empty: EmbeddedAzure, seen: tuple[list[Right], Mapping[Right, str]]) -> EmbeddedAzure:
    assert seen
    return empty


@pytest.fixture(autouse=True)
def fresh(azure: EmbeddedAzure) -> None:
    """Let each test have a window of its own, well before its end."""
    now = time.time()
    azure.clock.shift(window_at(now).not_after + 5 - now)
    azure.rotate()


def credential(azure: EmbeddedAzure, whose: str) -> ClientSecretCredential:
    mine = azure.describe()[f"{whose}_credentials"]
    return ClientSecretCredential(mine["tenant_id"], mine["client_id"], mine["client_secret"])


def vendor(azure: EmbeddedAzure, code: str | None = None) -> Client:
    deployment = AzureDeployment.from_outputs(azure.outputs)
    transport = HttpTransport(azure.describe()["ca_file"])
    access = AzureAccess(deployment, credential(azure, "vendor"))
    client = Client(deployment, access, transport=transport, patience=IMPATIENT)
    return client if code is None else client.told(code)


def book(azure: EmbeddedAzure) -> CodeBook:
    described = azure.describe()
    return code_book(
        AzureOffice(credential(azure, "operator"), described["subscription_id"], described["resource_group"])
    )


def digits(live: LiveCode) -> str:
    return live.code.reveal().decode()


def wrong(live: LiveCode, number: int = 1) -> str:
    return f"{(int(digits(live)) + number) % 1_000_000:06}"


def findings(azure: EmbeddedAzure) -> list[Finding]:
    """Make a storage account that answers without encryption, and return what is wrong with it."""
    name = f"{azure.targets}/providers/Microsoft.Storage/storageAccounts/s{uuid.uuid4().hex[:16]}"
    azure.arm.add(name)
    return [Finding(fix=HTTPS, target={"id": name})]


def row(azure: EmbeddedAzure, live: LiveCode) -> Any:
    tables = TableServiceClient(azure.outputs["TablesEndpoint"], credential=credential(azure, "operator"))
    return tables.get_table_client(ADMISSIONS_TABLE).get_entity(PARTITION, row_of(live.window))


def left(azure: EmbeddedAzure) -> str:
    """Return what the vault of admissions holds, past its data plane."""
    vault = azure.estate.vault(azure.outputs["AdmissionVault"].removeprefix("https://").partition(".")[0])
    assert vault is not None
    return azure.services.vaults.secrets(vault).secret(SECRET).current.value


def test_the_vendor_reads_no_seed_and_nobody_outside_what_is_admitted(azure: EmbeddedAzure) -> None:
    with pytest.raises(errors.NoAccess) as caught:
        vendor(azure).plan(findings(azure))
    assert caught.value.code == "Forbidden"
    book(azure).live(admit=True)
    assert "opening" in left(azure)
    for whose in ("vendor", "operator"):
        client = SecretClient(azure.outputs["AdmissionVault"], credential(azure, whose), api_version="7.4")
        with pytest.raises(HttpResponseError) as refused:
            client.get_secret(SECRET)
        assert refused.value.status_code == 403


def test_an_admitted_code_plans_once_applies_once_and_no_more(azure: EmbeddedAzure) -> None:
    asked = findings(azure)
    live = book(azure).live(admit=True)
    assert live.admitted
    told = vendor(azure, digits(live))
    assert [one.outcome for one in told.plan(asked).results] == ["planned"]
    first = told.apply(asked)
    assert [one.outcome for one in first.results] == ["fixed"]
    assert told.apply(asked, key=first.id).results == first.results
    for ask in (told.plan, told.apply):
        with pytest.raises(errors.Unauthorized):
            ask(asked)
    with pytest.raises(errors.InvalidRequest):
        told.refresh(first.id)


def test_a_code_that_isnt_admitted_is_worth_nothing_and_costs_nothing(azure: EmbeddedAzure) -> None:
    asked = findings(azure)
    live = book(azure).live()
    for code in (digits(live), *(wrong(live, number) for number in range(1, 5))):
        with pytest.raises(errors.Unauthorized):
            vendor(azure, code).apply(asked)
    book(azure).live(admit=True)
    assert vendor(azure, digits(live)).apply(asked).results[0].outcome == "fixed"


def test_guesses_at_once_close_the_window_and_overwrite_what_was_left(azure: EmbeddedAzure) -> None:
    asked = findings(azure)
    live = book(azure).live(admit=True)
    assert "opening" in left(azure)

    def guess(number: int) -> type[Exception] | None:
        try:
            vendor(azure, wrong(live, number)).apply(asked)
        except errors.NotServed as error:
            return type(error)
        return None

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(guess, range(1, 7))) == {errors.Unauthorized}
    assert (row(azure, live)["tries"], row(azure, live)["closed"]) == (3, True)
    assert left(azure) == "{}"
    with pytest.raises(errors.Unauthorized):
        vendor(azure, digits(live)).apply(asked)
    with pytest.raises(Spent):
        book(azure).live(admit=True)


def test_what_was_left_is_gone_with_the_first_rotation_after_its_window(azure: EmbeddedAzure) -> None:
    live = book(azure).live(admit=True)
    azure.clock.shift(PERIOD)
    assert "opening" in left(azure)
    azure.rotate()
    assert left(azure) == "{}"
    with pytest.raises(errors.Unauthorized):
        vendor(azure, digits(live)).apply(findings(azure))


def test_while_frozen_no_code_is_admitted_and_none_honoured(azure: EmbeddedAzure) -> None:
    live = book(azure).live(admit=True)
    tables = TableServiceClient(azure.outputs["TablesEndpoint"], credential=credential(azure, "operator"))
    control = tables.get_table_client("remediatorcontrol")
    stored = control.get_entity("control", "control")
    control.update_entity({**stored, "state": "frozen"}, mode=UpdateMode.REPLACE)
    try:
        with pytest.raises(errors.Frozen):
            vendor(azure, digits(live)).apply(findings(azure))
        with pytest.raises(Frozen):
            book(azure).live(admit=True)
    finally:
        control.update_entity({**stored, "state": "open"}, mode=UpdateMode.REPLACE)


def test_neither_code_nor_opening_is_in_a_function_s_log(azure: EmbeddedAzure) -> None:
    live = book(azure).live(admit=True)
    opening = left(azure).partition('"opening": "')[2][:64]
    assert len(opening) == 64
    for code in (wrong(live), digits(live)):
        try:
            vendor(azure, code).apply(findings(azure))
        except errors.Unauthorized:
            continue
    logs = "\n".join(str(line) for line in azure.apps.app(azure.outputs["RemediateApp"]).log)
    assert "refused a code by hand" in logs
    assert opening not in logs
    assert f'"{digits(live)}"' not in logs


def test_both_sides_have_a_command_for_it(
    azure: EmbeddedAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = azure.describe()
    for name, value in described["environment"].items():  # what the command sets is taken back after the test
        monkeypatch.setenv(name, value)
    file = tmp_path / "cloud.json"
    file.write_text(json.dumps(described))
    file.chmod(0o600)

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--account", str(file), "--json"])

    live = json.loads(run("code", "--admit").stdout)
    assert live["admitted"] is True
    [asked] = findings(azure)
    named = ("--fix", HTTPS, "--target", asked.target["id"])
    planned = run("vendor", "plan", *named, "--code", live["code"])
    assert json.loads(planned.stdout)["results"][0]["outcome"] == "planned", planned.output
    assert json.loads(run("vendor", "apply", *named, "--code", live["code"]).stdout)["results"][0]["outcome"] == "fixed"
    assert run("vendor", "apply", *named, "--code", live["code"]).exit_code == Exit.REFUSED
    assert run("vendor", "apply", *named).exit_code == Exit.REFUSED


def test_every_right_is_used_and_every_use_allowed_and_the_page_says_what_differs(
    seen: tuple[list[Right], Mapping[Right, str]],
) -> None:
    assert says(AZURE_BY_HAND_TITLE, *seen, UNUSED), "run `make generate`"
