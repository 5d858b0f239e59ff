"""Tell the whole story on the embedded account, once."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.catalogue.registry import all_fixes
from remediator.cli.exits import Exit
from tests.cli.conftest import document

pytestmark = pytest.mark.xdist_group("an account of its own")

REFUSED_BY = {
    "unsigned: no AWS signature": "the function URL",
    "a wrong opening, with the right code": "the remediator",
    "replayed under another key": "the remediator",
    "the reader role writes a bucket's setting": "S3 and IAM",
    "the reader role assumes the write role": "STS",
    "the remediator's role, with the last staged window's opening": "STS",
    "the vendor asks as before": "Secrets Manager",
    "the live code, which no person admitted": "the remediator",
    "the code, in the next window": "the remediator",
    "the operator puts a policy into the write role": "IAM",
    "the remediator's role, with the opening of the window before": "STS",
    "what it remembers, once the gate is rolled": "STS",
}
"""What issue and protocol say is refused, and by whom."""


@pytest.mark.deep
def test_every_line_of_the_story_on_aws_holds(run: Any) -> None:
    result = run("demo", "--cloud", "aws", "--json")
    told = document(result)
    assert [line for line in told["lines"] if not line["holds"]] == []
    assert result.exit_code == Exit.OK
    repaired = {line["what"].partition(":")[0] for line in told["lines"] if line["got"] == "fixed, and as intended"}
    assert repaired == {fix.id for fix in all_fixes("aws")}
    answered = {line["what"]: line["got"] for line in told["lines"]}
    assert {what: answered[what].partition(":")[0] for what in REFUSED_BY} == REFUSED_BY
