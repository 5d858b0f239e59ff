"""Tell the whole story on the embedded Azure, once."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.cli.exits import Exit
from tests.cli.conftest import document

pytestmark = pytest.mark.xdist_group("embedded azure")


def test_every_line_of_the_story_on_azure_holds(run: Any) -> None:
    result = run("demo", "--cloud", "azure", "--json")
    told = document(result)
    assert [line for line in told["lines"] if not line["holds"]] == []
    assert result.exit_code == Exit.OK
    fixed = {line["what"] for line in told["lines"] if line["got"] == "fixed, and as intended"}
    assert len(fixed) == 12
    assert {line["chapter"].partition(": ")[0] for line in told["lines"]} == {"azure"}
