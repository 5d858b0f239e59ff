"""Cut the lock file down to what an app imports: the same versions, the same hashes, for Linux and its Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.markers import Marker

from infra.assets.closure import Unshippable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

DISTRIBUTIONS: Final[Mapping[str, str]] = {
    "azure.core": "azure-core",
    "azure.data.tables": "azure-data-tables",
    "azure.functions": "azure-functions",
    "azure.identity": "azure-identity",
    "azure.keyvault.secrets": "azure-keyvault-secrets",
    "azure.mgmt.core": "azure-mgmt-core",
    "cryptography": "cryptography",
    "fastjsonschema": "fastjsonschema",
    "jwt": "pyjwt",
}
"""Package → the distribution it comes in: all that an app may import besides Python and this project."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Hold an entry of the lock file; `wanted_by` are the distributions that need it."""

    name: str
    version: str
    marker: str
    hashes: Sequence[str]
    wanted_by: frozenset[str]

    def for_python(self, python: str) -> bool:
        """Tell whether the entry counts on Linux, for a Python such as `3.13`."""
        where = {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "sys_platform": "linux",
            "platform_system": "Linux",
            "platform_machine": "x86_64",
            "os_name": "posix",
            "platform_python_implementation": "CPython",
            "implementation_name": "cpython",
        }
        return not self.marker or Marker(self.marker).evaluate(where)

    def line(self) -> str:
        """Return the entry as pip reads it."""
        return " \\\n    ".join([f"{self.name}=={self.version}", *(f"--hash={one}" for one in self.hashes)])


def distributions_of(modules: Iterable[str]) -> frozenset[str]:
    """Return the distributions that modules come in; raise `Unshippable` for one that no app may import."""
    found = set()
    for module in modules:
        known = [one for one in DISTRIBUTIONS if f"{module}.".startswith(f"{one}.")]
        if not known:
            raise Unshippable(f"{module} is neither Python's, nor ours, nor among what an app may import")
        found.add(DISTRIBUTIONS[known[0]])
    return frozenset(found)


def cut_lock(lock: Path, wanted: Iterable[str], python: str) -> list[Locked]:
    """Return the entries for distributions and for all that those need, sorted by name."""
    entries = {one.name: one for one in _read(lock.read_text()) if one.for_python(python)}
    todo, found = list(wanted), dict[str, Locked]()
    while todo:
        name = todo.pop()
        if name not in entries:
            raise Unshippable(f"{name} isn't in {lock.name}")
        if name not in found:
            found[name] = entries[name]
            todo += [one.name for one in entries.values() if name in one.wanted_by]
    return [found[name] for name in sorted(found)]


def _read(text: str) -> list[Locked]:
    """Return the entries of a lock file as uv writes it, which says in comments why each is there."""
    entries = []
    for entry in re.split(r"\n(?=[a-z0-9])", text):
        head = re.match(r"([a-z0-9-]+)==([^\s;\\]+)(?: ; ([^\\]+?))? \\\n", entry)
        if head is None:
            raise Unshippable(f"the lock file isn't as expected: {entry[:60]!r}")
        hashes = re.findall(r"--hash=(sha256:[0-9a-f]{64})", entry)
        reasons = entry.partition("# via")[2]
        wanted_by = frozenset(re.findall(r"(?:^|#)\s+([a-z0-9-]+)$", reasons, re.MULTILINE))
        entries.append(Locked(head[1], head[2], head[3] or "", hashes, wanted_by))
    return entries
