from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from remediator.catalogue import registry
from tests.service.site import Site
from tests.service.world import BurnOut, SwitchOn, WarmUp

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAMPS = {fix.id: fix() for fix in (SwitchOn, BurnOut, WarmUp)}


@pytest.fixture(autouse=True)
def lamps_in_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add fixes for lamps to the catalogue: rules are tested apart from any cloud."""
    load, answering = registry.load, registry.answering

    def answer(finding: str, cloud: str) -> tuple[Any, Mapping[str, Any]]:
        implied = {"cloudsploit:lampOff": {}, "cloudsploit:redLamp": {"colour": "red"}}
        return (_LAMPS["aws.lamp.switch-on"], implied[finding]) if finding in implied else answering(finding, cloud)

    monkeypatch.setattr(registry, "load", lambda fix: _LAMPS.get(fix) or load(fix))
    monkeypatch.setattr(registry, "answering", answer)


@pytest.fixture
def site() -> Site:
    """A deployment that has rotated once, with a few lamps."""
    site = Site()
    site.rotate()
    site.cloud.lamps = {name: {"on": False, "name": name} for name in ("desk", "hall", "roof", "attic", "cellar")}
    site.steps.taken.clear()
    return site
