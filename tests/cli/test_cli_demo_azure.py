"""Tell the whole story on the embedded Azure, once."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.catalogue.registry import all_fixes
from remediator.cli.exits import Exit
from tests.cli.conftest import document

pytestmark = pytest.mark.xdist_group("embedded azure")

REFUSED_BY = {
    "the reader calls the rotator's app": "the platform",
    "the remediator's identity reads a seed record": "Key Vault",
    "the remediator's identity reads the credential": "Key Vault",
    "the remediator's identity deletes a receipt": "Table Storage",
    "the remediator's identity calls Resource Manager": "Resource Manager",
    "the remediator's identity, with a guessed opening": "the gate",
    "the app registration with nothing to sign in with": "Entra",
    "the app registration with a certificate of one's own": "Entra",
    "the app registration with an assertion that was caught, and is over": "Entra",
    "a token of another tenant": "the remediator",
    "a token for another API of the tenant": "the remediator",
    "a token without our app role": "the remediator",
    "the last staged window's code and opening": "the remediator",
    "the remediator's identity, with the last staged window's opening": "the gate",
    "the vendor asks as before": "Key Vault",
    "the live code, which no person admitted": "the remediator",
    "the code, to apply once more": "the remediator",
    "the code, in the next window": "the remediator",
    "the right code, after three wrong ones": "the remediator",
}
"""What issue and protocol say is refused, and by whom."""


def test_every_line_of_the_story_on_azure_holds(run: Any) -> None:
    result = run("demo", "--cloud", "azure", "--json")
    told = document(result)
    assert [line for line in told["lines"] if not line["holds"]] == []
    assert result.exit_code == Exit.OK
    fixed = {line["what"] for line in told["lines"] if line["got"] == "fixed, and as intended"}
    assert fixed == {fix.id for fix in all_fixes("azure")}
    assert {line["chapter"].partition(": ")[0] for line in told["lines"]} == {"azure"}
    answered = {line["what"]: line["got"] for line in told["lines"]}
    assert {what: answered[what].partition(":")[0] for what in REFUSED_BY} == REFUSED_BY
    assert answered["the rotation, once its app is stopped"] == "doesn't fire"
    assert answered["the gate after it"] == "open"
    assert answered["the code, to apply"] == "the remediator: 200 fixed"
    assert answered["the operator admits that window again"] == "Spent"
