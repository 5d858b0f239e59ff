"""What is measured is the real work: the runners repair, count what they call, and say when they couldn't."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.cost import PAGE, page
from benchmarks.deployment import Delaying, delaying

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cloud() -> Iterator[Delaying]:
    with delaying(0) as cloud:
        yield cloud


def run(cloud: Delaying, *words: str) -> tuple[int, Any]:
    environment = {**os.environ, **cloud.environment(), "PYTHONPATH": str(ROOT / "functions")}
    done = subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


def test_the_runner_repairs_what_it_is_given_and_writes_its_receipts(cloud: Delaying, tmp_path: Path) -> None:
    ids, receipts = tmp_path / "ids", tmp_path / "receipts"
    ids.write_text("one\ntwo\nthree\n")
    words = ("benchmarks.batch", "--task", "pab", "--ids", str(ids), "--endpoint", cloud.endpoint)
    code, figures = run(cloud, *words, "--n", "2", "--receipts", str(receipts))
    assert (code, figures["outcomes"]) == (0, {"fixed": 2})
    assert figures["calls"] == {"GetPublicAccessBlock": 4, "PutPublicAccessBlock": 2}
    stored = [json.loads(line) for line in receipts.read_text().splitlines()]
    assert [one.get("outcome") for one in stored] == [None, None, "fixed", "fixed"]
    assert {one["before"] for one in stored} == {"null"}
    code, figures = run(cloud, *words)
    assert (code, figures["outcomes"]) == (0, {"already_compliant": 2, "fixed": 1})


def test_the_runner_says_what_it_could_not_repair(cloud: Delaying, tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    ids.write_text("sg-0a1b2c3d4e5f60718\n")
    code, figures = run(cloud, "benchmarks.batch", "--task", "sg", "--ids", str(ids), "--endpoint", cloud.endpoint)
    assert (code, figures["ended_well"], len(figures["failures"])) == (1, False, 1)


def test_the_runner_refuses_what_is_no_id(cloud: Delaying, tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    ids.write_text("a-bucket\n")
    code, said = run(cloud, "benchmarks.batch", "--task", "sg", "--ids", str(ids), "--endpoint", cloud.endpoint)
    assert code == 2
    assert "the ARN isn't that of a security group" in said


def test_the_runner_refuses_more_than_it_is_given(cloud: Delaying, tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    ids.write_text("one\n")
    code, said = run(cloud, "benchmarks.batch", "--task", "pab", "--ids", str(ids), "--n", "2")
    assert code == 2
    assert "has 1 ids" in said


def test_two_requests_of_five_hundred_repair_a_thousand(cloud: Delaying) -> None:
    code, figures = run(cloud, "benchmarks.many", "ours", cloud.endpoint)
    assert (code, figures["fixed"]) == (0, 1000)
    assert cloud.counts()["calls"]["s3:PUT?publicAccessBlock"] == 1000


def test_the_page_of_costs_is_what_the_counted_calls_come_to() -> None:
    assert PAGE.read_text() == page()
