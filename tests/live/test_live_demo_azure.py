"""Tell the demo's story on the embedded Azure: installed with our installer, played, and gone again."""

from __future__ import annotations

import argparse
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from live.__main__ import attempt
from live.azure import cloud
from live.azure.cloud import passing
from live.azure.security_group import SecurityGroup
from live.demo import perform
from live.listing import cost
from live.story import AS_IT_WAS, CLOSED
from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.deployment import TEMPLATE, package
from remediator.local.azure.faults import Match
from tests.live.azure_shop import traces, workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live.azure.workshop import AzureWorkshop
    from live.story import Stage

pytestmark = pytest.mark.xdist_group("embedded azure")

NO_OPTIONS = argparse.Namespace()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def azure() -> Iterator[EmbeddedAzure]:
    with EmbeddedAzure(python=plain) as azure:
        yield azure


@pytest.fixture
def shop(azure: EmbeddedAzure, packages: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureWorkshop]:
    """A workshop whose pauses let the rotator end first that was started at once; packages are built once."""
    rotated = threading.Event()
    azure.apps.on_invocation.append(lambda _: rotated.set())

    def pause(seconds: float) -> None:
        assert rotated.wait(30)
        azure.clock.shift(seconds)

    def prebuilt(folder: Path) -> Path:
        for one in packages.iterdir():
            (folder / one.name).write_bytes(one.read_bytes())
        return folder

    monkeypatch.setattr(cloud, "package", prebuilt)
    assert not traces(azure)
    yield workshop(azure, pause)
    azure.apps.on_invocation.clear()
    azure.faults.clear()
    assert not traces(azure)


def test_installed_played_and_gone(
    azure: EmbeddedAzure, shop: AzureWorkshop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attempt(shop, [], as_json=True, stage=cloud.stage(shop, NO_OPTIONS)) == 0
    told = {one["step"]: one["got"] for one in json.loads(capsys.readouterr().out)}
    assert (told["apply"], told["roll back"], told["what is left"]) == ("fixed", "rolled_back", "nothing")
    assert not azure.services.sites._sites
    assert not list(shop.leftovers())


def test_an_installation_that_fails_in_the_middle_leaves_nothing(azure: EmbeddedAzure, shop: AzureWorkshop) -> None:
    shop.pause = azure.clock.shift  # no rotator gets as far
    azure.faults.error(Match(service="publishing", operation="*publish*"), "Teapot", 418)
    first, last = perform(shop, cloud.stage(shop, NO_OPTIONS))
    assert first.got.startswith("AzureRefused: POST")
    assert "418" in first.got
    assert str(last) == "as wanted what is left: nothing"
    assert azure.faults.struck


def test_a_story_that_is_interrupted_leaves_nothing(azure: EmbeddedAzure, shop: AzureWorkshop) -> None:
    @contextmanager
    def interrupted() -> Iterator[Stage]:
        with cloud.stage(shop, NO_OPTIONS) as stage:
            stage.subject.make()
            raise KeyboardInterrupt
            yield stage

    with pytest.raises(KeyboardInterrupt):
        perform(shop, interrupted())
    assert not traces(azure)


def test_what_cannot_be_removed_is_told(azure: EmbeddedAzure, shop: AzureWorkshop) -> None:
    shop.pause = azure.clock.shift
    azure.faults.error(Match(service="publishing", operation="*publish*"), "Teapot", 418)
    azure.faults.error(Match(operation="Microsoft.Resources/subscriptions/resourceGroups/delete"), "Locked", 423)
    lines = perform(shop, cloud.stage(shop, NO_OPTIONS))
    assert not lines[-1].right
    assert "Locked" in lines[-1].got
    shop.clean()


def test_the_security_group_of_the_story_tells_how_it_is_set(azure: EmbeddedAzure, shop: AzureWorkshop) -> None:
    shop.pause = azure.clock.shift
    subject = SecurityGroup(shop, shop.beside("-target"))
    subject.make()
    assert subject.setting() == AS_IT_WAS
    body: dict[str, Any] = subject.body()
    (rule,) = body["properties"]["securityRules"]
    closed = {**rule, "properties": {**rule["properties"], "access": "Deny"}}
    for rules, told in (([closed], CLOSED), ([], CLOSED)):
        put(shop, subject, {**body, "properties": {"securityRules": rules}})
        assert subject.setting() == told
    wider = {**rule, "properties": {**rule["properties"], "destinationPortRange": "20-30"}}
    put(shop, subject, {**body, "properties": {"securityRules": [wider]}})
    assert subject.setting() not in {AS_IT_WAS, CLOSED}
    shop.clean()


def put(shop: AzureWorkshop, subject: SecurityGroup, body: dict[str, Any]) -> None:
    shop.client().put(subject.id, body, api="2021-05-01")
    shop.pause(5.0)


def test_only_what_keeps_deleted_vaults_is_left_out_of_the_template() -> None:
    ours, theirs = json.loads(TEMPLATE.read_bytes()), passing(json.loads(TEMPLATE.read_bytes()))
    changed = [(one, other) for one, other in zip(ours["resources"], theirs["resources"], strict=True) if one != other]
    assert {one["type"] for one, _ in changed} == {"Microsoft.KeyVault/vaults"}
    for one, other in changed:
        assert one["properties"].pop("enablePurgeProtection") is True
        days = [each["properties"].pop("softDeleteRetentionInDays") for each in (one, other)]
        assert days == [90, 7]
        assert one == other
    assert {**ours, "resources": 0} == {**theirs, "resources": 0}


def test_the_demo_costs_some_cents() -> None:
    assert 0 < cost(cloud.demo.makes) < 0.5
