"""Know which packages may be shipped, and that they are the ones that were locked."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.assets.closure import Unshippable

if TYPE_CHECKING:
    from collections.abc import Mapping

SHIPPED: Final[Mapping[str, str]] = {
    "aws_lambda_powertools": "aws-lambda-powertools",
    "botocore": "botocore",
    "dateutil": "python-dateutil",
    "fastjsonschema": "fastjsonschema",
    "jmespath": "jmespath",
    "six": "six",
    "typing_extensions": "typing-extensions",
    "urllib3": "urllib3",
}
"""Top-level package → distribution: what the functions declare to need, and what that needs; pure Python, all of it."""


def shipped_packages(lock: Path) -> dict[str, Path]:
    """Return where each package is installed; raise `Unshippable` if one isn't of the version in the lock file."""
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^\s\\;]+)", lock.read_text(), re.MULTILINE))
    return {package: _installed(name, locked.get(name)) for package, name in SHIPPED.items()}


def _installed(name: str, locked: str | None) -> Path:
    found = distribution(name)
    if found.version != locked:
        raise Unshippable(f"{name}: {found.version} is installed, {locked} is locked; run `make setup` to get it right")
    return Path(str(found.locate_file("")))
