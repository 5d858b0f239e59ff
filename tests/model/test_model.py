"""Look for an order of calls, deaths and jumps of time under which the real use cases break an invariant."""

from __future__ import annotations

import pytest

from tests.model.bugs import BUGS, Bug
from tests.model.explorer import Violated, explore, sample
from tests.model.scenes import SCENES, deeper

RUNS = 100


@pytest.mark.parametrize("name", SCENES)
def test_no_order_that_was_drawn_breaks_an_invariant(name: str) -> None:
    make, bounds = SCENES[name]
    sample(make, deeper(bounds), runs=RUNS, seed=1)


@pytest.mark.deep
@pytest.mark.parametrize("name", SCENES)
def test_no_order_within_the_bounds_breaks_an_invariant(name: str) -> None:
    make, bounds = SCENES[name]
    assert explore(make, bounds) > RUNS


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_a_bug_that_is_sown_is_found_and_told_by_its_invariant(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    make, bounds = SCENES[bug.scene]
    bug.patch(monkeypatch)
    with pytest.raises(Violated) as found:
        explore(make, bounds)
    assert str(found.value).startswith(f"{bug.breaks}:")


def test_what_is_found_is_told_with_the_way_there(monkeypatch: pytest.MonkeyPatch) -> None:
    (bug,) = (bug for bug in BUGS if bug.what == "a wrong code is counted after it is compared")
    bug.patch(monkeypatch)
    make, bounds = SCENES[bug.scene]
    with pytest.raises(Violated) as found:
        explore(make, bounds)
    first, *steps = str(found.value).splitlines()
    assert first == "I9: 4 wrong codes were compared"
    assert [step.split(None, 1)[1] for step in steps[:3]] == [
        "guesser: start",
        "guesser: table.standing",
        "guesser: book.count",
    ]
