"""Share tests out among pytest-xdist's workers: a file at a time, and files of one `xdist_group` to one worker.

pytest-xdist hands groups over in the tests' ids, which can't be changed since pytest 9.2: with that, `--dist loadgroup`
gives each single test to whoever is free (pytest-xdist's issue 1386), and all workers deploy what a file deploys once.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from pathlib import Path

    from xdist.remote import Producer

_GROUP: Final = re.compile(r'mark\.xdist_group\("(?P<name>[^"]+)"\)')


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types for those who import it
    """Give whoever is free the next unit, in the order in which the workers have collected them."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(self.config.rootpath / nodeid.partition("::")[0])


@cache
def group_of(file: Path) -> str | None:
    """Return the group that a test file's mark names, if it has one."""
    found = _GROUP.search(file.read_text())
    return found["name"] if found else None


def unit_of(file: Path) -> str:
    """Return what a file's tests are shared out with: their group, or else their file."""
    return group_of(file) or str(file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    """Honour `--dist loadgroup`."""
    if config.getvalue("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False
    return Sharing(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with groups, which deploy and take long, and then with what has most tests: both end at about one time.

    A group's files come one after the other, also where there are no workers: they share what one of them deploys.
    """
    units = {item.path: unit_of(item.path) for item in items}
    tests = Counter(units[item.path] for item in items)
    items.sort(key=lambda item: (group_of(item.path) is None, -tests[units[item.path]], units[item.path]))
