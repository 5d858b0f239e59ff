"""The customer's policy on the embedded account: the deployed code under it, IAM enforced, edited by command."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from remediator.cli.main import app
from remediator.vendor import Finding
from remediator.vendor.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.world import World

pytestmark = pytest.mark.xdist_group("embedded account")

BLOCK = "aws.s3.block-public-access"


@pytest.fixture
def buckets(world: World, request: pytest.FixtureRequest) -> Iterator[list[Finding]]:
    """Three buckets that anybody may make public, one of them tagged; afterwards there is no policy again."""
    world.rotate_next()
    s3, names = world.admin("s3"), [f"{abs(hash(request.node.name))}-{name}" for name in ("one", "two", "tagged")]
    for name in names:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": world.account.region})
    s3.put_bucket_tagging(Bucket=names[2], Tagging={"TagSet": [{"Key": "Owner", "Value": "payroll"}]})
    region = world.account.region
    yield [Finding(fix=BLOCK, target={"arn": f"arn:aws:s3:::{name}", "region": region}) for name in names]
    world.edit_policy()


def rules(results: Any) -> list[str]:
    return [result.reason.code if result.reason else result.outcome for result in results]


def ask(world: World, findings: list[Finding]) -> list[str]:
    """Apply, and return the rules that refused, or else the outcomes."""
    try:
        return rules(world.vendor().apply(findings).results)
    except Refused as refused:
        return [result["reason"]["code"] for result in refused.document["results"]]


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"plan_only": True}, "policy_plan_only"),
        ({"fixes": ["aws.kms.enable-rotation"]}, "policy_fix"),
        ({"regions": ["us-east-1"]}, "policy_region"),
        ({"exclude": ["arn:aws:s3:::*"]}, "policy_excluded"),
        ({"findings_per_day": 0}, "policy_findings_per_day"),
    ],
)
def test_every_rule_refuses_by_its_name_without_a_session(
    world: World, buckets: list[Finding], members: dict[str, Any], rule: str
) -> None:
    world.edit_policy(**members)
    mark = world.account.calls.mark()
    assert ask(world, buckets) == [rule] * 3
    assert not [
        call for call in world.account.calls.since(mark) if call.service == "sts" and "remediator-write" in str(call)
    ]
    world.edit_policy()
    assert ask(world, buckets) == ["fixed"] * 3


def test_a_tag_excludes_and_is_read_with_the_session_s_own_right(world: World, buckets: list[Finding]) -> None:
    world.edit_policy(exclude_tags=["owner=payroll"])
    answer = world.vendor().apply(buckets)
    assert rules(answer.results) == ["fixed", "fixed", "policy_excluded_tag"]
    assert [result.calls[0] for result in answer.results] == ["resourcegroupstaggingapi:GetResources"] * 3
    assert answer.results[2].calls == ("resourcegroupstaggingapi:GetResources",)
    with pytest.raises(ClientError):
        world.admin("s3").get_public_access_block(Bucket=buckets[2].target["arn"].rpartition(":")[2])


def test_two_requests_at_once_never_exceed_the_day_s_cap(world: World, buckets: list[Finding]) -> None:
    state = world.account.outputs["StateTable"]
    key = {"pk": {"S": time.strftime("count/%Y-%m-%d", time.gmtime())}}
    counted = world.admin("dynamodb").get_item(TableName=state, Key=key).get("Item", {"findings": {"N": "0"}})
    used = int(counted["findings"]["N"])
    world.edit_policy(findings_per_day=used + 2)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda part: ask(world, part), [buckets[:2], buckets[2:]]))
    assert sorted(one for part in found for one in part) == ["fixed", "fixed", "policy_findings_per_day"]


def test_a_broken_item_allows_nothing_but_the_operator_s_way_back(world: World, buckets: list[Finding]) -> None:
    applied = world.vendor().apply(buckets[:1])
    table, admin = world.account.outputs["StateTable"], world.admin("dynamodb")
    before = admin.get_item(TableName=table, Key={"pk": {"S": "policy"}})["Item"]
    admin.put_item(TableName=table, Item={**before, "document": {"S": '{"version": 9}'}})
    try:
        assert ask(world, buckets[1:]) == ["policy_broken"] * 2
        back = world.operator().client().roll_back(applied.id)
    finally:
        admin.put_item(TableName=table, Item=before)
    assert rules(back.results) == ["rolled_back"]


def test_the_command_shows_and_edits(world: World, buckets: list[Finding], tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(world.account.describe()))

    def run(*arguments: str) -> dict[str, Any]:
        ended = CliRunner().invoke(app, ["policy", *arguments, "--account", str(file), "--json"])
        assert ended.exit_code == 0, ended.output
        shown: dict[str, Any] = json.loads(ended.stdout)
        return shown

    run("edit", "--set", "plan_only=true", "--set", 'exclude=["arn:aws:s3:::none-*"]')
    shown = run("show")
    assert (shown["policy"]["plan_only"], shown["policy"]["exclude"]) == (True, ["arn:aws:s3:::none-*"])
    assert ":assumed-role/remediator-operator/" in shown["edits"][0]["by"]
    assert ask(world, buckets) == ["policy_plan_only"] * 3
    assert run("edit", "--set", "plan_only=false")["revision"] == shown["revision"] + 1
    assert ask(world, buckets) == ["fixed"] * 3
