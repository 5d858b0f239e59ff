"""Hold docs/faults.md, and what it was generated from, to the cases that there are."""

from __future__ import annotations

import pytest

from tests.faults import remediation, rotation, seen
from tests.faults.calls import CALLS, daily, table
from tests.faults.kinds import Kind, numbered
from tests.faults.page import MARKS, PAGE, page


def test_the_page_is_what_its_sources_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make generate`"


@pytest.mark.parametrize("cloud", CALLS)
def test_the_last_run_was_of_the_cases_that_there_are(cloud: str) -> None:
    came = seen.read()["seen"][cloud]
    run = {(scene, *parted(row)) for scene, rows in came.items() for row in rows}
    assert run <= {(scene, call, number) for scene, calls in CALLS[cloud].items() for call, number in numbered(calls)}
    assert {len(row) for rows in came.values() for row in rows.values()} == {len(Kind)}
    assert {one for rows in came.values() for row in rows.values() for one in row} <= MARKS.keys()


@pytest.mark.parametrize("cloud", CALLS)
def test_every_scene_is_in_the_table(cloud: str) -> None:
    assert CALLS[cloud].keys() == {**rotation.SCENES, **remediation.SCENES}.keys()


@pytest.mark.parametrize("cloud", CALLS)
def test_each_day_s_share_has_every_scene_but_the_shortest_and_every_kind_of_fault(cloud: str) -> None:
    share = daily(cloud)
    assert share <= set(table(cloud))
    assert {case.scene for case in share} >= CALLS[cloud].keys() - {"rotate in place"}
    assert {case.fault.kind for case in share} == set(Kind)


def parted(row: str) -> tuple[str, int]:
    call, _, number = row.rpartition(" ")
    return call, int(number)
