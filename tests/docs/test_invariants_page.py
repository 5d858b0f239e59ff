"""Hold docs/invariants.md to what it is generated from."""

from __future__ import annotations

from tests.docs.invariants_page import PAGE, ROW, THREATS, page
from tests.model.bugs import BUGS


def test_the_page_is_what_its_sources_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make generate`"


def test_every_invariant_has_a_bug_that_breaks_it() -> None:
    names = {name for name, _, _ in ROW.findall(THREATS.read_text(encoding="utf-8"))}
    assert names == {f"I{number}" for number in range(1, 11)}
    assert names <= {bug.breaks for bug in BUGS}
