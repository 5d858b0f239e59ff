"""What a policy may say, member by member: the last that fits, the first that doesn't, and how that is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from remediator.service.policy import UNRESTRICTED, Policy
from remediator.service.policy_document import LONGEST, MEMBERS, PolicyUnfit, blank, checked, read, schema

LONG_FIX = "aws.lamp." + "x" * 91
FIXES = [f"a.b.c{number}" for number in range(1_001)]
REGIONS = [f"eu-west-{number}" for number in range(51)]
GROUPS = [f"group-{number}" for number in range(201)]
NAMES = [f"arn:{number}" for number in range(201)]


def document(member: str, value: Any) -> str:
    return json.dumps({"version": 1} | {member: value})


@pytest.mark.parametrize("cloud", ["aws", "azure"])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("plan_only", True),
        ("fixes", None),
        ("fixes", []),
        ("fixes", FIXES[:1_000]),
        ("fixes", [LONG_FIX]),
        ("exclude", NAMES[:200]),
        ("exclude", ["x" * 512]),
        ("exclude_tags", NAMES[:50]),
        ("exclude_tags", ["x" * 400]),
        ("findings_per_day", None),
        ("findings_per_day", 0),
        ("findings_per_day", 1_000_000),
        ("note", "x" * 500),
    ],
)
def test_the_most_that_a_member_may_say_is_taken(cloud: str, member: str, value: Any) -> None:
    assert checked(document(member, value), cloud) == blank(cloud) | {member: value}


@pytest.mark.parametrize("cloud", ["aws", "azure"])
@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("version", 2, "version must be same as const definition: 1"),
        ("version", "1", "version must be integer"),
        ("plan_only", 1, "plan_only must be boolean"),
        ("fixes", "aws.lamp.switch-on", "fixes must be array or null"),
        ("fixes", [7], "fixes[0] must be string"),
        ("fixes", FIXES, "fixes must contain less than or equal to 1000 items"),
        ("fixes", [LONG_FIX + "x"], "fixes[0] must be shorter than or equal to 100 characters"),
        ("fixes", ["lamp"], "fixes[0] must match pattern ^[a-z]+(\\.[a-z0-9-]+){2}$"),
        ("fixes", FIXES[:1] * 2, "fixes must contain unique items"),
        ("exclude", None, "exclude must be array"),
        ("exclude", NAMES, "exclude must contain less than or equal to 200 items"),
        ("exclude", ["x" * 513], "exclude[0] must be shorter than or equal to 512 characters"),
        ("exclude", ["a", ""], "exclude[1] must match pattern ^[^\\x00-\\x1f\\x7f]+$"),
        ("exclude", ["a\nb"], "exclude[0] must match pattern ^[^\\x00-\\x1f\\x7f]+$"),
        ("exclude_tags", None, "exclude_tags must be array"),
        ("exclude_tags", NAMES[:51], "exclude_tags must contain less than or equal to 50 items"),
        ("exclude_tags", ["x" * 401], "exclude_tags[0] must be shorter than or equal to 400 characters"),
        ("findings_per_day", "5", "findings_per_day must be integer or null"),
        ("findings_per_day", -1, "findings_per_day must be bigger than or equal to 0"),
        ("findings_per_day", 1_000_001, "findings_per_day must be smaller than or equal to 1000000"),
        ("note", None, "note must be string"),
        ("note", "x" * 501, "note must be shorter than or equal to 500 characters"),
        ("data", "data.", "the policy must not contain {'data'} properties"),
    ],
)
def test_the_first_that_is_too_much_is_told_by_its_place(cloud: str, member: str, value: Any, says: str) -> None:
    with pytest.raises(PolicyUnfit) as unfit:
        checked(document(member, value), cloud)
    assert str(unfit.value) == says


@pytest.mark.parametrize(
    ("cloud", "member", "other", "values", "longest"),
    [
        ("aws", "regions", "resource_groups", REGIONS, "abcd-abcdefghijkl-abcdefghijkl-abcdefghijkl-99"),
        ("azure", "resource_groups", "regions", GROUPS, "x" * 90),
    ],
)
def test_each_cloud_has_its_own_places(cloud: str, member: str, other: str, values: list[str], longest: str) -> None:
    for taken in (None, [], values[:-1], [longest]):
        assert checked(document(member, taken), cloud)[member] == taken
    most = len(values) - 1
    for wrong, says in (
        (values, f"{member} must contain less than or equal to {most} items"),
        (["-"] if cloud == "aws" else ["a/b"], f"{member}[0] must match pattern "),
        ([longest + "x"], f"{member}[0] must match pattern "),
        (values[:1] * 2, f"{member} must contain unique items"),
        (7, f"{member} must be array or null"),
    ):
        with pytest.raises(PolicyUnfit) as unfit:
            checked(document(member, wrong), cloud)
        assert str(unfit.value).startswith(says)
    with pytest.raises(PolicyUnfit) as foreign:
        checked(document(other, None), cloud)
    assert str(foreign.value) == f"the policy must not contain {{'{other}'}} properties"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "the policy must be object"),
        ("{}", "the policy must contain ['version'] properties"),
        ('{"version": NaN}', "the policy isn't JSON: NaN isn't JSON"),
        ('{"version": 1.0}', "the policy isn't JSON: 1.0 isn't a whole number, written as one"),
        ('{"version": 1, "note": "", "version": 1}', "the policy isn't JSON: version stands twice in one object"),
        (" " * (LONGEST + 1), "the policy is longer than 16000 characters"),
    ],
)  # fmt: skip
def test_what_is_no_such_object_is_told_as_the_policy(text: str, says: str) -> None:
    with pytest.raises(PolicyUnfit) as unfit:
        checked(text, "aws")
    assert str(unfit.value) == says


def test_the_longest_policy_is_read() -> None:
    assert checked('{"version": 1}'.ljust(LONGEST), "aws") == blank("aws")


def test_what_is_told_of_an_error_is_cut_where_a_line_ends() -> None:
    with pytest.raises(PolicyUnfit) as unfit:
        checked(document("x" * 400, 1), "aws")
    assert str(unfit.value) == "the policy must not contain {'".ljust(300 + len("the policy") - len("data"), "x")


@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_the_published_schema_explains_each_member_of_a_blank_policy_in_its_order(cloud: str) -> None:
    published = schema(cloud)
    assert list(published["properties"]) == list(blank(cloud))
    assert {name: one["description"] for name, one in published["properties"].items()} == {
        name: MEMBERS[name] for name in blank(cloud)
    }


def test_what_is_stored_is_read_as_the_policy_it_says() -> None:
    every = {
        "version": 1, "plan_only": True, "fixes": ["aws.lamp.switch-on"], "regions": ["eu-west-1"],
        "exclude": ["arn:A", "arn:b"], "exclude_tags": ["Keep"], "findings_per_day": 5,
    }  # fmt: skip
    assert read(json.dumps(every), "aws") == Policy(
        plan_only=True, fixes=frozenset({"aws.lamp.switch-on"}), regions=frozenset({"eu-west-1"}),
        exclude=("arn:A", "arn:b"), exclude_tags=("Keep",), findings_per_day=5,
    )  # fmt: skip
    assert read('{"version": 1, "resource_groups": ["Shop", "b"]}', "azure") == Policy(
        resource_groups=frozenset({"shop", "b"})
    )
    assert read('{"version": 1, "fixes": []}', "aws") == Policy(fixes=frozenset())
    assert read(None, "aws") is UNRESTRICTED
    assert read("{}", "aws") == Policy(fault="the policy must contain ['version'] properties")
