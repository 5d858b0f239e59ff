"""Find a fix by its id, or by the finding of a scanner that it answers."""

from __future__ import annotations

import inspect
import json
import pkgutil
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from remediator.catalogue.errors import UnknownFix
from remediator.catalogue.spec import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.catalogue.spec import JSON

AnyFix: TypeAlias = Fix[Any, Any, Any]

HERE: Final = Path(__file__).parent
CARDS: Final = HERE / "catalogue.json"
"""What `publish` derives from all fixes, shipped beside the code so that no fix is imported to be looked up."""

ID: Final = re.compile(r"(?:aws|azure)\.[a-z][a-z0-9]{1,30}\.[a-z][a-z0-9]*(?:-[a-z0-9]+){1,8}", re.ASCII)
FINDING: Final = re.compile(r"[a-z][a-z-]{1,30}:[A-Za-z0-9][A-Za-z0-9._/-]{0,120}", re.ASCII)
PACKAGE: Final = __name__.rpartition(".")[0]


@cache
def load(fix_id: str) -> AnyFix:
    """Return the fix of that id, importing it if need be; raise `UnknownFix` if there is none.

    The id is the path: `aws.s3.block-public-access` is `aws/s3/block_public_access.py`.
    """
    if ID.fullmatch(fix_id) is None:
        raise UnknownFix("the id of a fix looks like aws.s3.block-public-access")
    name = f"{PACKAGE}.{fix_id.replace('-', '_')}"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise
        raise UnknownFix(f"there is no fix {fix_id}; `GET /v1/fixes` lists those there are") from None
    (found,) = [one for one in vars(module).values() if _is_fix_of(one, name)]
    fix: AnyFix = found()
    return fix


def all_fixes(cloud: str | None = None) -> tuple[AnyFix, ...]:
    """Return every fix, or every fix of one cloud, sorted by id; imports them all."""
    return tuple(load(fix_id) for fix_id in sorted(_ids()) if cloud in (None, fix_id.partition(".")[0]))


def answering(finding: str, cloud: str = "aws") -> tuple[AnyFix, Mapping[str, JSON]]:
    """Return a cloud's fix for a scanner's finding, such as `cloudsploit:openSSH`, and the parameters it implies.

    Scanners give findings on several clouds the same id. Raises `UnknownFix` if no fix of that cloud answers it.
    """
    if FINDING.fullmatch(finding) is None:
        raise UnknownFix("a finding is named by its scanner and the scanner's id, such as cloudsploit:openSSH")
    answer = cards()["findings"].get(cloud, {}).get(finding)
    if answer is None:
        raise UnknownFix(f"no fix answers {finding}; `GET /v1/fixes` lists the findings that are answered")
    return load(answer["fix"]), answer["parameters"]


@cache
def cards() -> Mapping[str, Any]:
    """Return what is published of the catalogue: `fixes` by id, `findings` by cloud, then by scanner and id."""
    published: dict[str, Any] = json.loads(CARDS.read_bytes())
    return published


def _ids() -> Iterator[str]:
    for cloud in _packages(HERE):
        for service in _packages(HERE / cloud):
            for module in pkgutil.iter_modules([str(HERE / cloud / service)]):
                fix_id = f"{cloud}.{service}.{module.name.replace('_', '-')}"
                if ID.fullmatch(fix_id):
                    yield fix_id


def _packages(folder: Path) -> Iterator[str]:
    return (module.name for module in pkgutil.iter_modules([str(folder)]) if module.ispkg)


def _is_fix_of(value: object, module: str) -> bool:
    return inspect.isclass(value) and issubclass(value, Fix) and value.__module__ == module
