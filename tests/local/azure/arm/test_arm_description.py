"""The description that is committed is the one that the cutter makes, and it is Azure's."""

from __future__ import annotations

from tests.laws.azure.validator import specifications
from tests.local.azure.arm import cutting


def test_what_is_committed_is_what_is_cut_from_azures_own_descriptions() -> None:
    assert cutting.FILE.read_text(encoding="utf-8") == cutting.text(cutting.cut(specifications()))


def test_the_description_says_where_it_is_from_and_is_small() -> None:
    text = cutting.FILE.read_text(encoding="utf-8")
    assert "Azure/azure-rest-api-specs (MIT License" in text
    assert len(text) < 40_000
