"""Do what CONTRIBUTING.md tells a newcomer to do: its fix must keep the laws that every fix keeps."""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING, Any

import pytest

from remediator.catalogue import policies, registry
from remediator.catalogue.spec import Fix
from tests.docs.pages import ROOT, block
from tests.laws import test_laws
from tests.laws.trials import Case

if TYPE_CHECKING:
    from collections.abc import Callable

BY_EXAMPLE = (
    test_laws.test_1_you_read_what_you_wrote,
    test_laws.test_2_it_repairs,
    test_laws.test_3_twice_is_once,
    test_laws.test_3_what_was_begun_but_not_written_is_written,
    test_laws.test_4_it_goes_back,
    test_laws.test_5_a_rollback_tramples_nothing,
    test_laws.test_6_a_plan_only_reads,
    test_laws.test_6_judgement_is_pure,
    test_laws.test_7_every_call_to_s3_names_the_owner,
)


def guides_fix() -> Any:
    module = types.ModuleType("remediator.catalogue.aws.s3.disable_acls")
    exec(compile(block("CONTRIBUTING.md", "fix"), "CONTRIBUTING.md", "exec"), vars(module))  # noqa: S102 - our own page
    (found,) = [one for one in vars(module).values() if registry._is_fix_of(one, module.__name__)]
    assert issubclass(found, Fix)
    return found()


FIX = guides_fix()


@pytest.mark.parametrize("law", BY_EXAMPLE)
@pytest.mark.parametrize("number", range(len(FIX.examples)))
def test_the_guides_fix_keeps_the_laws(law: Callable[[Case], None], number: int) -> None:
    law(Case(FIX, FIX.examples[number]))


def test_the_guides_fix_calls_what_it_declares_once_the_names_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ast.literal_eval("{" + block("CONTRIBUTING.md", "names") + "}")
    with pytest.raises(AssertionError):
        test_laws.test_7_it_calls_exactly_what_it_declares(FIX)
    monkeypatch.setattr(policies, "IAM_TO_OPERATIONS", {**policies.IAM_TO_OPERATIONS, **names})
    test_laws.test_7_it_calls_exactly_what_it_declares(FIX)


def test_the_guides_fix_is_not_there_yet() -> None:
    """Once it is, the guide needs another example."""
    path = FIX.id.replace(".", "/").replace("-", "_") + ".py"
    assert not (ROOT / "functions" / "remediator" / "catalogue" / path).exists()


def test_the_rooms_of_the_house_are_those_that_the_guide_shows() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    shown = text.split("functions/remediator/\n")[1].split("infra/")[0]
    rooms = {line.split("/")[0].strip() for line in shown.splitlines() if line}
    there = {path.name for path in (ROOT / "functions" / "remediator").iterdir() if (path / "__init__.py").exists()}
    assert rooms == there
