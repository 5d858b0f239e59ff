"""Say at the end of a run what outside judges were shown, and how often they differed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

OAV = "oav, Microsoft's validator of its API descriptions"
SDK = "the official azure-mgmt clients"
_NAME = "judged"


def note(record: Callable[[str, object], None], judge: str, *, what: str, exchanges: int, differences: int) -> None:
    """Count exchanges that a judge was shown in a test; `record` is pytest's `record_property`."""
    record(_NAME, [judge, what, exchanges, differences])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write one line for each judge and subject; workers' counts come with their tests' reports."""
    exchanges, differences = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in report.user_properties:
                if name == _NAME and report.when == "call":
                    judge, what, shown, differed = value
                    exchanges[judge, what] += shown
                    differences[judge, what] += differed
    for (judge, what), shown in sorted(exchanges.items()):
        differed = differences[judge, what]
        terminalreporter.write_line(f"judged by {judge}: {shown:,} {what}, {differed} differences")
