from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.cli.difference import Kind, differences

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, {"a": 1}, [("+", "")]),
        ({"a": 1}, None, [("-", "")]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2, "d": None}}, [("~", "a.b"), ("+", "a.d")]),
        ({"a": [1, 2, 2]}, {"a": [2, 3]}, [("-", "a[]"), ("-", "a[]"), ("+", "a[]")]),
        ([1, 2], [2, 1], [("~", "")]),
        (1, "1", [("~", "")]),
    ],
)
def test_a_difference_names_each_path_once(before: Any, after: Any, expected: list[tuple[str, str]]) -> None:
    assert [(line.kind.value, line.path) for line in differences(before, after)] == expected


@given(JSONS)
def test_a_state_does_not_differ_from_itself(state: Any) -> None:
    assert differences(state, state) == []


@given(JSONS, JSONS)
def test_two_states_that_differ_show_a_difference_and_it_turns_round(before: Any, after: Any) -> None:
    lines, back = differences(before, after), differences(after, before)
    assert bool(lines) == (before != after)
    turned = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED, Kind.CHANGED: Kind.CHANGED}
    assert sorted((turned[line.kind].value, line.path) for line in lines) == sorted(
        (line.kind.value, line.path) for line in back
    )
