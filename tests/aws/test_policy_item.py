"""The customer's policy in DynamoDB, the day's counter beside it, and tags as AWS tells them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import DynamoDBBackend

from remediator.aws.external_ids import OfWindows
from remediator.aws.receipts import ReceiptTable
from remediator.aws.sessions import AwsSession, StsSessions
from remediator.aws.verifiers import VerifierTable
from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.core.gate import Opening
from remediator.core.windows import window_at
from remediator.operator.aws.policy import PolicyItem
from remediator.service.errors import SessionTooLarge, TagsUnread
from remediator.service.passage import Passage
from remediator.service.policy_document import PolicyUnfit
from remediator.service.policy_edits import KEPT, EditedMeanwhile, Editor, Stored
from remediator.service.standing import Standing
from tests.aws.conftest import ACCOUNT, DEPLOYMENT

if TYPE_CHECKING:
    from remediator.catalogue.spec import Target
    from tests.aws.conftest import Account

STATE = "remediator-state"
DAY = "2026-11-28"
FIX = registry.load("aws.s3.block-public-access")
PASSAGE = Passage(window_at(1_800_000_120), Opening(b"o" * 32), "the-session-s-name", 1_800_000_240)


def bucket(name: str) -> Target:
    return FIX.target.parse({"arn": f"arn:aws:s3:::{name}", "region": "eu-west-1"}, Home("aws", ACCOUNT))


@pytest.fixture
def item(account: Account) -> PolicyItem:
    account.client("dynamodb").put_item(TableName=STATE, Item={"pk": {"S": "control"}, "state": {"S": "open"}})
    return PolicyItem(account.client("dynamodb"), STATE)


def standing(account: Account) -> Standing:
    return VerifierTable(account.client("dynamodb"), STATE).standing()


def save(item: PolicyItem, text: str, met: Stored | None, *, by: str = "somebody", now: float = 7) -> None:
    Editor(item, "aws", by).save(text, met, now=now)


def test_without_a_policy_the_remediator_reads_none(item: PolicyItem, account: Account) -> None:
    assert item.read() is None
    assert standing(account) == Standing("open")


def test_what_the_operator_saves_is_what_the_remediator_reads(item: PolicyItem, account: Account) -> None:
    save(item, '{"version": 1, "plan_only": true}', None)
    stored = item.read()
    assert stored is not None
    assert standing(account) == Standing("open", stored.text)
    assert json.loads(stored.text) == {
        "version": 1, "plan_only": True, "fixes": None, "regions": None, "exclude": [], "exclude_tags": [],
        "findings_per_day": None, "note": "",
    }  # fmt: skip


@pytest.mark.parametrize("damage", [{}, {"document": {"N": "1"}}, {"document": {"S": ""}}])
def test_an_item_without_a_text_is_a_broken_policy_and_not_none(
    item: PolicyItem, account: Account, damage: dict[str, Any]
) -> None:
    assert item.read() is None
    account.client("dynamodb").put_item(TableName=STATE, Item={"pk": {"S": "policy"}} | damage)
    assert standing(account).policy == ""


def test_what_a_busy_table_gives_in_part_is_no_deployment_without_a_policy(item: PolicyItem, account: Account) -> None:
    save(item, '{"version": 1, "plan_only": true}', None)
    client = account.client("dynamodb")

    def in_part(parsed: Any, **_: Any) -> None:
        parsed["Responses"][STATE] = [one for one in parsed["Responses"][STATE] if one["pk"]["S"] != "policy"]
        parsed["UnprocessedKeys"] = {STATE: {"Keys": [{"pk": {"S": "policy"}}]}}

    client.meta.events.register("after-call.dynamodb.BatchGetItem", in_part)
    assert VerifierTable(client, STATE).standing() == Standing(None)


@pytest.mark.parametrize("revision", [0, 1, 5])
def test_of_two_that_edit_at_once_one_saves(item: PolicyItem, revision: int) -> None:
    for _ in range(revision):
        save(item, '{"version": 1}', item.read())
    met = item.read()
    save(item, '{"version": 1, "plan_only": true}', met, by="first")
    with pytest.raises(EditedMeanwhile):
        save(item, '{"version": 1}', met, by="second")
    stored = item.read()
    assert stored is not None
    assert (stored.revision, stored.edits[0].by) == (revision + 1, "first")
    assert json.loads(stored.text)["plan_only"] is True


def test_who_edited_is_remembered_newest_first_and_not_for_ever(item: PolicyItem) -> None:
    for number in range(KEPT + 3):
        save(item, '{"version": 1}', item.read(), by=f"arn:{number}", now=number)
    stored = item.read()
    assert stored is not None
    assert [(one.by, one.at, one.revision) for one in stored.edits] == [
        (f"arn:{number}", number, number + 1) for number in range(KEPT + 2, 2, -1)
    ]


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("{", "JSON"),
        ('{"version": 1, "plan_only": "yes"}', "plan_only"),
        ('{"version": 1, "resource_groups": []}', "resource_groups"),
        ('{"version": 1, "regions": ["Ireland"]}', r"regions\[0\]"),
        ('{"version": 1, "exclude": ["a", ""]}', r"exclude\[1\]"),
        ('{"version": 1, "exclude_tags": "keep"}', "exclude_tags"),
        ('{"version": 1, "findings_per_day": -1}', "findings_per_day"),
        ('{"version": 1, "fixes": ["aws.s3.block-public-acces"]}', r"fixes\[0\]"),
        ('{"version": 1, "fixes": ["azure.storage.require-https"]}', r"fixes\[0\]"),
        ('{"version": 1, "note": "' + "x" * 501 + '"}', "note"),
        ('{"version": 1, "plan_only": true, "plan_only": false}', "plan_only"),
        ('{"plan_only": true}', "version"),
    ],
)
def test_what_is_unfit_is_named_and_nothing_is_saved(item: PolicyItem, text: str, member: str) -> None:
    with pytest.raises(PolicyUnfit, match=member):
        save(item, text, None)
    assert item.read() is None


# The day's counter


@pytest.fixture
def table(account: Account) -> ReceiptTable:
    return ReceiptTable(
        account.client("dynamodb"),
        receipts="remediator-receipts",
        state=STATE,
        retention_days=400,
        sleep=lambda _: None,
    )


def counted(account: Account, day: str = DAY) -> dict[str, str]:
    item = account.client("dynamodb").get_item(TableName=STATE, Key={"pk": {"S": f"count/{day}"}})["Item"]
    return {name: next(iter(value.values())) for name, value in item.items()}


def test_a_day_s_findings_are_counted_as_far_as_there_is_room(table: ReceiptTable, account: Account) -> None:
    assert [table.spend(DAY, wanted=2, most=5) for _ in range(4)] == [2, 2, 1, 0]
    assert table.spend(DAY, wanted=2, most=3) == 0
    assert table.spend("2026-11-29", wanted=9, most=5) == 5
    assert table.spend("2026-11-30", wanted=9, most=0) == 0
    assert counted(account)["findings"] == "5"
    assert counted(account)["expires_at"] == "1795996800"


def test_many_that_count_at_once_never_exceed_the_cap(
    table: ReceiptTable, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, one_at_a_time = DynamoDBBackend.update_item, threading.Lock()

    def updated(*given: Any, **named: Any) -> Any:  # DynamoDB does this by itself; moto, in one process, doesn't
        with one_at_a_time:
            return update(*given, **named)

    monkeypatch.setattr(DynamoDBBackend, "update_item", updated)
    with ThreadPoolExecutor(8) as threads:
        granted = list(threads.map(lambda _: table.spend(DAY, wanted=3, most=20), range(12)))
    assert sum(granted) == 20
    assert counted(account)["findings"] == "20"


def test_one_that_counts_between_a_refusal_and_the_next_try_is_seen(table: ReceiptTable, account: Account) -> None:
    client, rival = table._client, account.client("dynamodb")
    table.spend(DAY, wanted=1, most=5)
    refused: list[Any] = []

    def meanwhile(http_response: Any, **_: Any) -> None:
        if http_response.status_code == 400 and not refused:
            refused.append(http_response)
            rival.update_item(
                TableName=STATE,
                Key={"pk": {"S": f"count/{DAY}"}},
                UpdateExpression="ADD findings :two",
                ExpressionAttributeValues={":two": {"N": "2"}},
            )

    client.meta.events.register("after-call.dynamodb.UpdateItem", meanwhile)
    tried: list[Any] = []
    client.meta.events.register("provide-client-params.dynamodb.UpdateItem", lambda **_: tried.append(1))
    assert table.spend(DAY, wanted=9, most=5) == 2
    assert refused
    assert len(tried) == 3
    assert counted(account)["findings"] == "5"


# Tags


class Tagging:
    """What the SDK's client is asked; it answers in part where more than `whole` are asked for."""

    def __init__(self, tags: dict[str, dict[str, str]], whole: int = 100) -> None:
        self.tags, self.whole, self.asked = tags, whole, list[list[str]]()

    def get_resources(self, ResourceARNList: list[str]) -> dict[str, Any]:  # noqa: N803 - the API's own name
        self.asked.append(ResourceARNList)
        shown = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in self.tags[arn].items()]}
            for arn in ResourceARNList[: self.whole]
            if arn in self.tags
        ]
        return {"PaginationToken": "more" if len(ResourceARNList) > self.whole else "", "ResourceTagMappingList": shown}


def test_what_aws_shows_in_part_is_asked_in_halves_and_never_taken_for_whole() -> None:
    targets = [bucket(f"bucket-{number}") for number in range(7)]
    tags = {target.id: {"keep": target.id} for target in targets[::2]}
    tagging = Tagging(tags, whole=2)
    assert AwsSession(None, None, tagging).tags(targets) == tags
    assert {len(asked) for asked in tagging.asked} == {7, 3, 4, 1, 2}
    with pytest.raises(TagsUnread):
        AwsSession(None, None, Tagging(tags, whole=0)).tags(targets)


@pytest.fixture
def sessions(account: Account) -> StsSessions:
    return StsSessions(
        account.session,
        external_ids=OfWindows(DEPLOYMENT),
        write_role=f"arn:aws:iam::{ACCOUNT}:role/remediator-write",
    )


def test_a_session_that_reads_tags_has_its_own_credentials_for_it(sessions: StsSessions, account: Account) -> None:
    s3, targets = account.client("s3"), [bucket("one-bucket"), bucket("other-bucket"), bucket("no-such-bucket")]
    for name in ("one-bucket", "other-bucket"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_tagging(Bucket="one-bucket", Tagging={"TagSet": [{"Key": "keep", "Value": "yes"}]})
    with sessions.at(PASSAGE).open(FIX, targets, write=False, tags=True) as session:
        signed: list[Any] = []
        session.tagging.meta.events.register("before-send", lambda request, **_: signed.append(request.headers))
        with session.recording() as calls:
            found = session.tags(targets)
        assert session.credentials.access_key.encode() in signed[0]["Authorization"]
    assert found[targets[0].id] == {"keep": "yes"}
    assert not any(found.get(target.id) for target in targets[1:])
    assert calls == ["resourcegroupstaggingapi:GetResources"]


def test_the_session_s_policy_allows_tags_if_and_only_if_it_reads_them(sessions: StsSessions) -> None:
    asked: list[str] = []
    sessions._sts.meta.events.register(
        "provide-client-params.sts.AssumeRole", lambda params, **_: asked.append(params["Policy"])
    )
    for tags in (True, False):
        with sessions.at(PASSAGE).open(FIX, [bucket("one-bucket")], write=True, tags=tags) as session:
            assert (session.tagging is not None) is tags
    assert ["tag:GetResources" in policy for policy in asked] == [True, False]


def test_targets_that_leave_no_room_for_tags_are_too_many_for_one_session(sessions: StsSessions) -> None:
    targets = [bucket(f"bucket-{number:03}-of-many") for number in range(60)]
    (first, *_) = sessions.chunks(FIX, targets, deadline=PASSAGE.deadline, write=True)
    asked: list[Any] = []
    sessions._sts.meta.events.register("provide-client-params.sts.AssumeRole", lambda **_: asked.append(1))
    with pytest.raises(SessionTooLarge), sessions.at(PASSAGE).open(FIX, targets[:first], write=True, tags=True):
        pass
    assert asked == []
    (fewer, *_) = sessions.chunks(FIX, targets, deadline=PASSAGE.deadline, write=True, tags=True)
    with sessions.at(PASSAGE).open(FIX, targets[:fewer], write=True, tags=True):
        pass
    assert fewer < first


def test_another_error_of_the_table_is_an_error_and_no_room(table: ReceiptTable) -> None:
    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "InternalServerError"}}, "UpdateItem")

    table._client.meta.events.register("provide-client-params.dynamodb.UpdateItem", fail)
    with pytest.raises(ClientError):
        table.spend(DAY, wanted=1, most=5)
