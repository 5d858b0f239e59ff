"""Let Microsoft's own validator judge every exchange of the laws: what the fixes ask, and what the emulator answers."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from remediator.local.azure.arm.embedded import EmbeddedArm
from tests.judged import OAV, note
from tests.laws.azure import test_azure_laws as laws
from tests.laws.azure import wire
from tests.laws.azure.azure_trials import Trial
from tests.laws.azure.validator import RESOURCE_MANAGER, Judge, distinct, is_progress, judging, live, specifications

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.xdist_group("azure-specs")


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging(specifications(), RESOURCE_MANAGER) as judge:
        yield judge


def every_law() -> Iterator[Callable[[], None]]:
    """Return every law on every fix or example, as it is tested elsewhere."""
    for name, law in vars(laws).items():
        if name.startswith("test_"):
            (table,) = [mark for mark in law.pytestmark if mark.name == "parametrize"]
            for one in table.args[1]:
                yield partial(law, one)


def test_no_exchange_of_the_laws_differs_from_azures_own_descriptions(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    made: list[EmbeddedArm] = []

    class Watched(EmbeddedArm):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(wire, "EmbeddedArm", Watched)
    for law in every_law():
        law()
    exchanges = [one for arm in made for one in arm.exchanges]
    judged = distinct(exchanges)
    differences = [(one, found) for one in judged if (found := judge.differences(one))]
    note(
        record_property,
        OAV,
        what=f"exchanges with Resource Manager ({len(judged)} of them distinct)",
        exchanges=len(exchanges),
        differences=len(differences),
    )
    assert differences == []
    assert len(exchanges) > 2000
    assert len(judged) > 100
    assert {one["liveResponse"]["statusCode"] for one in judged if is_progress(one)} == {"200", "202", "403"}
    assert {one["liveRequest"]["method"] for one in judged} == {"GET", "PATCH", "PUT"}


def spoilt(exchange: dict[str, Any], spoil: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    other = copy.deepcopy(exchange)
    spoil(other)
    return other


SPOILERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an unknown property": lambda one: one["liveRequest"]["body"]["properties"].update(publik=True),
    "a wrong type": lambda one: one["liveRequest"]["body"]["properties"].update(supportsHttpsTrafficOnly="yes"),
    "an unknown version": lambda one: one["liveRequest"].update(
        url=one["liveRequest"]["url"].replace("2021-09-01", "2021-09-99")
    ),
    "an unknown path": lambda one: one["liveRequest"].update(
        url=one["liveRequest"]["url"].replace("storageAccounts", "storageAcounts")
    ),
    "an answer with an unknown property": lambda one: one["liveResponse"]["body"]["properties"].update(publik=True),
    "an answer with a wrong type": lambda one: one["liveResponse"]["body"].update(location=7),
    "an answer that isn't described": lambda one: one["liveResponse"].update(statusCode="204"),
    "an error without its envelope": lambda one: one["liveResponse"].update(statusCode="400", body={"message": "no"}),
}


@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)
def test_the_validator_notices_what_is_wrong(judge: Judge, spoil: Callable[[dict[str, Any]], None]) -> None:
    case = next(case for case in laws.CASES if case.fix.id == "azure.storage.require-https")
    trial = Trial(case)
    trial.apply()
    (write,) = trial.writes()
    assert judge.differences(live(write)) == []
    assert judge.differences(spoilt(live(write), spoil))


PROGRESS_SPOILERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an unknown property": lambda one: one["liveResponse"]["body"].update(state="Succeeded"),
    "no status": lambda one: one["liveResponse"]["body"].pop("status"),
    "a wrong type": lambda one: one["liveResponse"]["body"].update(status=7),
    "something to say before the end": lambda one: one["liveResponse"].update(statusCode="202"),
    "a request with a body": lambda one: one["liveRequest"].update(body={}),
    "an error without its envelope": lambda one: one["liveResponse"].update(statusCode="500", body={"message": "no"}),
}


@pytest.mark.parametrize("spoil", PROGRESS_SPOILERS.values(), ids=PROGRESS_SPOILERS)
def test_it_is_noticed_what_is_wrong_with_a_look_at_an_operation(
    judge: Judge, spoil: Callable[[dict[str, Any]], None]
) -> None:
    case = next(case for case in laws.CASES if case.fix.id == "azure.postgresql.require-secure-transport")
    trial = Trial(case)
    trial.apply()
    look = next(one for one in map(live, trial.cloud.arm.exchanges) if is_progress(one))
    assert judge.differences(look) == []
    assert judge.differences(spoilt(look, spoil))
