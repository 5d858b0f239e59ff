"""Whoever is woken finds what it means and what to do; and no page tells of an alarm that never rings."""

from __future__ import annotations

import re

import pytest

from infra.aws.alarms import WATCHES, Watch
from tests.docs.pages import ROOT
from tests.infra.azure.deployment import deployed

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ON_AWS = TEXT.partition("\n## When an alarm rings\n")[2].partition("\n## ")[0]
ON_AZURE = TEXT.partition("\n### Alarms on Azure\n")[2].partition("\n### ")[0]
SECTIONS = dict(re.findall(r"^### ([a-z-]+)\n\n(.+?)(?=^### |\Z)", ON_AWS, re.MULTILINE | re.DOTALL))
CHOSEN = deployed(notifyEmail="a@example.com", watchSignIns=True)
RULES = {one.id.rpartition("/")[2] for one in CHOSEN.of_type("Microsoft.Insights/scheduledQueryRules")}


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.name)
def test_every_alarm_on_aws_has_a_section_that_says_its_name_and_what_to_do(watch: Watch) -> None:
    section = SECTIONS[watch.section]
    assert section.startswith(f"`{watch.name}`: ")
    assert len(section.strip().split("\n\n")) >= 2


def test_every_section_on_aws_is_an_alarms() -> None:
    assert sorted(SECTIONS) == sorted(watch.section for watch in WATCHES)


def test_every_alert_on_azure_has_its_entry_and_every_entry_its_alert() -> None:
    assert sorted(re.findall(r"^- \*\*`([a-z-]+)`\*\*", ON_AZURE, re.MULTILINE)) == sorted(RULES)
