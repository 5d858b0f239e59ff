"""The operator's doctor on the embedded Azure, with the operator's own rights: what is well, and what it finds."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.deployment import Order
from remediator.operator.azure.doctor import receivers
from remediator.operator.azure.office import AzureOffice
from remediator.operator.doctor import diagnose
from remediator.vendor import Finding
from remediator.vendor.transport import HttpTransport
from tests.end_to_end.azure_side import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.operator.doctor import Check

pytestmark = pytest.mark.xdist_group("embedded azure")

HTTPS = "azure.storage.require-https"
TOLD = {"alarmEmail": "security@example.com"}
UNSEEN = {"roles of the app"}
"""What the operator may not look at."""


@pytest.fixture(scope="module")
def azure() -> Iterator[EmbeddedAzure]:
    with EmbeddedAzure() as azure:
        azure.deploy(Order(settings=TOLD))
        azure.rotate()
        yield azure


def asked(azure: EmbeddedAzure) -> Finding:
    described = azure.describe()
    group = f"/subscriptions/{described['subscription_id']}/resourceGroups/{described['target_resource_group']}"
    name = f"{group}/providers/Microsoft.Storage/storageAccounts/s{uuid.uuid4().hex[:16]}"
    azure.arm.add(name)
    return Finding(fix=HTTPS, target={"id": name})


def examined(azure: EmbeddedAzure, finding: Finding | None) -> dict[str, Check]:
    described = azure.describe()
    credential = Side(azure, "operator").credential
    transport = HttpTransport(described["ca_file"])
    office = AzureOffice(credential, described["subscription_id"], described["resource_group"], transport=transport)
    return {check.about: check for check in diagnose(office, finding, time.time())}


def wrong(checks: dict[str, Check]) -> set[str]:
    return {about for about, check in checks.items() if check.fine is False}


def test_all_is_well_after_an_installation_and_a_plan_passes(azure: EmbeddedAzure) -> None:
    azure.rotate()
    checks = examined(azure, asked(azure))
    assert wrong(checks) == set(), checks
    assert {about for about, check in checks.items() if check.fine is None} == UNSEEN
    assert checks["plan"].said == f"{HTTPS}: planned"


def test_without_a_target_the_plan_is_said_not_to_have_been_tried(azure: EmbeddedAzure) -> None:
    azure.rotate()
    check = examined(azure, None)["plan"]
    assert (check.fine, "--target" in check.next) == (None, True)


def test_it_finds_an_action_group_that_tells_nobody(azure: EmbeddedAzure) -> None:
    azure.deploy(Order(settings={"alarmEmail": ""}))
    azure.rotate()
    try:
        assert wrong(examined(azure, None)) == {"alarms' way"}
    finally:
        azure.deploy(Order(settings=TOLD))


@pytest.mark.parametrize(
    ("group", "heard"),
    [
        ({"emailReceivers": [{"status": "Enabled"}], "webhookReceivers": [{}]}, 2),
        ({"emailReceivers": [{"status": "Disabled"}]}, 0),
        ({"emailReceivers": [{"status": "Enabled"}], "enabled": False}, 0),
        ({"smsReceivers": None, "groupShortName": "remediator"}, 0),
    ],
)
def test_who_is_switched_off_hears_nothing(group: dict[str, Any], heard: int) -> None:
    assert receivers(group) == heard


def test_it_finds_a_rotator_that_stands_still(azure: EmbeddedAzure) -> None:
    azure.rotate()
    azure.clock.shift(900)
    assert wrong(examined(azure, None)) == {"rotation"}
    azure.clock.shift(600)
    assert {"gate", "rotation", "delivery"} <= wrong(examined(azure, None))
