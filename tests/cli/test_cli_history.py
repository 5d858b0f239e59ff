"""The history: every filter, every form, newest first, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from remediator.aws.receipt_items import finding_item, record_item
from remediator.catalogue.engine import Change, Outcome
from remediator.cli.exits import Exit
from remediator.cli.moments import moment_of
from remediator.service.records import Finding, Mode, Reason, Record, State
from tests.cli.conftest import document

if TYPE_CHECKING:
    from tests.cli.conftest import Deployed

NOW = int(time.time())
OLD, NEW, BACK = (f"0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a1{number}" for number in range(3))
BUCKET, KEY = "arn:aws:s3:::acme-payroll", "arn:aws:kms:eu-west-1:123456789012:key/k"


def filed(deployed: Deployed, remediation: str, mode: Mode, *findings: Finding, caller: str = "AROAREADER") -> None:
    record = Record(remediation, "d", caller, mode, State.DONE, 1, NOW, NOW, len(findings), NOW)
    items = [record_item(record, 0), *(finding_item(finding, record, 0) for finding in findings)]
    for item in items:
        deployed.client("dynamodb").put_item(TableName="remediator-receipts", Item=item)


def finding(remediation: str, index: int, fix: str, target: str, at: int, **more: Any) -> Finding:
    return Finding(remediation, index, fix, {"arn": target}, {}, at, change=Change(False, True), **more)


@pytest.fixture(autouse=True)
def receipts(deployed: Deployed) -> None:
    """Three remediations: a plan of two hours ago, an apply of two findings, a rollback of one of them."""
    planned = finding(OLD, 0, "aws.kms.enable-rotation", KEY, NOW - 7200, outcome=Outcome.PLANNED)
    fixed = finding(
        NEW, 0, "aws.s3.require-tls", BUCKET, NOW - 60, outcome=Outcome.FIXED, reference="=HYPERLINK(1)", finding="x:y"
    )
    failed = finding(
        NEW, 1, "aws.kms.enable-rotation", KEY, NOW - 60, outcome=Outcome.FAILED, reason=Reason("Denied", 'no, "no"')
    )
    begun = finding(BACK, 0, "aws.s3.require-tls", BUCKET, NOW - 5, subject=f"{NEW}/0")
    filed(deployed, OLD, Mode.PLAN, planned)
    filed(deployed, NEW, Mode.APPLY, fixed, failed)
    filed(deployed, BACK, Mode.ROLLBACK, begun, caller="AROAOPERATOR")


def listed(run: Any, *words: str) -> list[str]:
    return [entry["receipt"] for entry in document(run("history", *words, "--json"))["entries"]]


def test_all_are_listed_newest_first(run: Any) -> None:
    assert listed(run) == [f"{BACK}/0", f"{NEW}/0", f"{NEW}/1", f"{OLD}/0"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--since", "1h"), [f"{BACK}/0", f"{NEW}/0", f"{NEW}/1"]),
        (("--until", "1h"), [f"{OLD}/0"]),
        (("--since", "3h", "--until", "30m"), [f"{OLD}/0"]),
        (("--fix", "aws.s3.require-tls"), [f"{BACK}/0", f"{NEW}/0"]),
        (("--fix", "aws.s3.require-tls", "--fix", "aws.kms.enable-rotation", "--since", "1h", "--mode", "apply"),
         [f"{NEW}/0", f"{NEW}/1"]),
        (("--outcome", "failed"), [f"{NEW}/1"]),
        (("--outcome", "begun"), [f"{BACK}/0"]),
        (("--mode", "plan", "--mode", "rollback"), [f"{BACK}/0", f"{OLD}/0"]),
        (("--target", "*PAYROLL*"), [f"{BACK}/0", f"{NEW}/0"]),
        (("--target", "payroll"), []),
        (("--caller", "AROAREADER"), [f"{NEW}/0", f"{NEW}/1", f"{OLD}/0"]),
        (("--caller", "operator"), []),  # whose unique id the emulated role hasn't
        (("--caller", "AROAOPERATOR"), [f"{BACK}/0"]),
        (("--reference", "=HYPERLINK(1)"), [f"{NEW}/0"]),
    ],
)  # fmt: skip
def test_a_filter_leaves_what_it_says(run: Any, words: tuple[str, ...], expected: list[str]) -> None:
    assert listed(run, *words) == expected


def test_json_says_everything_about_an_entry_but_the_states(run: Any) -> None:
    [entry] = document(run("history", "--outcome", "begun", "--json"))["entries"]
    assert entry == {
        "at": NOW - 5,
        "receipt": f"{BACK}/0",
        "mode": "rollback",
        "outcome": "begun",
        "fix": "aws.s3.require-tls",
        "target": BUCKET,
        "region": None,
        "role": "vendor",  # whose unique id the emulated operator role hasn't
        "caller": "AROAOPERATOR",
        "finding": None,
        "reference": None,
        "reason": None,
        "undoes": f"{NEW}/0",
    }


def test_csv_is_read_back_whole_and_holds_no_formula(run: Any) -> None:
    done = run("history", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["receipt"] for row in rows] == listed(run)
    assert rows[1]["at"] == datetime.fromtimestamp(NOW - 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert rows[1]["reference"] == "'=HYPERLINK(1)"
    assert rows[2]["reason"] == "Denied"


def test_a_person_sees_a_line_per_entry(run: Any) -> None:
    lines = run("history", "--mode", "apply").stdout.splitlines()
    assert len(lines) == 3
    assert BUCKET in lines[0]
    assert "Denied" in lines[1]
    assert lines[2].startswith("2 entries; times are ")


def test_nothing_found_is_an_answer_too(run: Any) -> None:
    done = run("history", "--reference", "nobody's")
    assert (done.exit_code, done.stdout.splitlines()[0].partition(";")[0]) == (Exit.OK, "0 entries")


@pytest.mark.parametrize(
    "words", [("--csv", "--json"), ("--outcome", "mended"), ("--mode", "guess"), ("--since", "yesterday")]
)
def test_what_nobody_can_mean_is_a_usage_error(run: Any, words: tuple[str, ...]) -> None:
    assert run("history", *words).exit_code == Exit.USAGE


def test_many_are_read_page_by_page(run: Any, deployed: Deployed) -> None:
    """DynamoDB gives a megabyte at a time; what a filter leaves of a page may be nothing."""
    large = Change("x" * 390_000, "y")
    for number in range(6):
        remediation = f"{number}b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a99"
        filed(deployed, remediation, Mode.APPLY, Finding(remediation, 0, "f", {"arn": "a"}, {}, NOW - 9, change=large))
    assert len(listed(run)) == 10
    assert len(listed(run, "--target", "*payroll*")) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", 1_000_000 - 5400),
        ("36h", 1_000_000 - 129_600),
        ("7d", 1_000_000 - 604_800),
        ("1970-01-01T01:00:00Z", 3600),
        ("1970-01-01T02:00:00+01:00", 3600),
    ],
)
def test_a_moment_is_a_time_or_a_span(text: str, expected: int) -> None:
    assert moment_of(text, 1_000_000.5) == expected
