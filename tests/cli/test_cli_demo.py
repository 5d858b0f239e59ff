from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from remediator.cli.demo import story, verdicts
from remediator.cli.demo.board import Board, Verdict
from remediator.cli.exits import Exit
from remediator.local.account import RotationFailed
from remediator.service.problems import Problem
from remediator.vendor.transport import Reply
from tests.cli.conftest import document
from tests.vendor.speaking import problem


def board_of(*lines: tuple[str, str]) -> Board:
    board = Board(lambda _: None)
    with board.chapter("attacks", "Everybody attacks"):
        for wanted, got in lines:
            board.line("something", wanted=wanted, got=got)
    return board


def reply_of(status: int, headers: Any, body: Any) -> Reply:
    return Reply(status, headers, json.dumps(body).encode())


def test_a_story_that_was_not_told_does_not_hold() -> None:
    assert not Board(lambda _: None).holds


def test_a_single_line_that_is_not_as_it_should_be_fails_the_whole() -> None:
    assert board_of(("a", "a"), ("b", "b")).holds
    assert not board_of(("a", "a"), ("b", "c"), ("d", "d")).holds


def test_each_line_is_told_as_it_comes_and_kept() -> None:
    told: list[str] = []
    board = Board(lambda text: told.append(str(text)))
    with board.chapter("attacks", "Everybody attacks"):
        board.line("unsigned", wanted=Verdict("the function URL", 403, "Forbidden"), got="nobody")
    assert "✗ unsigned" in told[1]
    assert "the function URL: 403 Forbidden" in told[1]
    [line] = board.document()["lines"]
    assert line == {
        "chapter": "attacks",
        "what": "unsigned",
        "wanted": "the function URL: 403 Forbidden",
        "got": "nobody",
        "holds": False,
    }


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (problem(Problem.UNAUTHORIZED), Verdict("the remediator", 401, "unauthorized")),
        (
            problem(Problem.REFUSED, results=[{"reason": {"code": "own_resource", "message": ""}}, {}]),
            Verdict("the remediator", 403, "refused/own_resource"),
        ),
        ((403, {}, {"Message": "Forbidden"}), Verdict("the function URL", 403, "Forbidden")),
        (
            (200, {}, {"results": [{"outcome": "fixed"}, {"outcome": "failed"}]}),
            Verdict("the remediator", 200, "failed/fixed"),
        ),
        ((200, {}, {}), Verdict("the remediator", 200, "")),
    ],
)
def test_who_answered_is_told_from_the_answer(reply: Any, expected: Verdict) -> None:
    assert verdicts.of_reply(reply_of(*reply)) == expected


def test_who_refused_a_call_is_told_from_the_refusal() -> None:
    sts = boto3.client("sts", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(sts) as stub:
        stub.add_client_error("get_caller_identity", "AccessDenied", http_status_code=403)
        stub.add_response("get_caller_identity", {})
        assert verdicts.of_call("sts", sts.get_caller_identity) == Verdict("STS", 403, "AccessDenied")
        assert verdicts.of_call("sts", sts.get_caller_identity) == Verdict("STS", 200, "allowed")


@pytest.mark.parametrize(("got", "end"), [("as wanted", Exit.OK), ("otherwise", Exit.NOT_FIXED)])
def test_the_demo_ends_as_its_lines_do(run: Any, monkeypatch: pytest.MonkeyPatch, got: str, end: Exit) -> None:
    monkeypatch.setattr(story, "tell", lambda *_, **__: board_of(("as wanted", got)))
    result = run("demo", "--json")
    assert result.exit_code == end
    assert document(result)["holds"] is (end is Exit.OK)
    shown = run("demo").stdout
    assert ("All 1 lines" in shown, "1 of 1 lines aren't" in shown) == (end is Exit.OK, end is not Exit.OK)


def test_a_story_that_breaks_off_says_where(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(*_: Any, **__: Any) -> Board:
        raise RotationFailed("Timeout: the tail of the log")

    monkeypatch.setattr(story, "tell", breaking)
    result = run("demo")
    assert result.exit_code == Exit.NOT_FIXED
    assert "the tail of the log" in result.stderr
