"""Hold what is written about the probes to the probes, and the listings to one shape."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from live.__main__ import main, parser
from live.aws import cloud as aws
from live.azure import cloud as azure
from live.listing import cost

if TYPE_CHECKING:
    from types import ModuleType

PAGE = Path(__file__).parents[2] / "docs" / "live.md"
CLOUDS = {"aws": aws, "azure": azure}


def test_the_page_has_a_line_for_every_probe_in_the_order_in_which_they_run() -> None:
    lines = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert lines == [probe.name for cloud in CLOUDS.values() for probe in cloud.probes]


def test_the_page_names_no_option_that_there_isnt() -> None:
    named = set(re.findall(r"--[a-z]+(?:-[a-z]+)*", PAGE.read_text()))
    options = {option for action in parser()._actions for option in action.option_strings}
    assert named <= options


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_everything_that_costs_has_a_price_and_takes_time(cloud: ModuleType) -> None:
    for makes in (*(probe.makes for probe in cloud.probes), cloud.demo.makes):
        assert cost(makes) >= 0
        assert makes.creates
        assert makes.minutes > 0


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_help_teaches_both_clouds(cloud: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert f"on {cloud}" in told.lower()
    assert "--yes-create" in told


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_listing_is_the_sum_of_its_lines(cloud: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--cloud", cloud, "--demo"])
    told = capsys.readouterr().out
    found: Any = re.search(r"Together about ([\d.]+) minutes and ([\d.]+) USD", told)
    each = re.findall(r"; ([\d.]+) min; ([\d.]+) USD", told)
    assert float(found[1]) == pytest.approx(sum(float(minutes) for minutes, _ in each))
    assert float(found[2]) == pytest.approx(sum(float(usd) for _, usd in each), abs=0.001)
