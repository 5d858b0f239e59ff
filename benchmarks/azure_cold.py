"""Measure what it takes to import the function apps on Azure, against the same with Microsoft's clients of ARM.

Each side is a new process of this Python, with bytecode, that sees nothing but its own packages. The other side has
none of our modules, which is in its favour: it imports what an app with a client per provider would.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from infra.assets.bytecode import Compiler
from infra.azure.package import LOCK, contents
from infra.azure.requirements import cut_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

RUNS: Final = 11
HERE: Final = f"{sys.version_info.major}.{sys.version_info.minor}"

CLIENTS: Final = (
    *("azure-mgmt-compute", "azure-mgmt-keyvault", "azure-mgmt-network", "azure-mgmt-postgresqlflexibleservers"),
    *("azure-mgmt-sql", "azure-mgmt-storage", "azure-mgmt-web"),
)
"""The clients of the providers whose settings the fixes repair."""

_BESIDE: Final = "azure.functions, azure.identity, azure.data.tables"
_IMPORTS: Final[Mapping[str, str]] = {
    "rotate": f"import {_BESIDE}, azure.keyvault.secrets, cryptography.hazmat.primitives.ciphers.aead",
    "remediate": "\n".join(
        (
            f"import {_BESIDE}, cryptography.hazmat.primitives.ciphers.aead, jwt, fastjsonschema",
            "from azure.mgmt.compute import ComputeManagementClient",
            "from azure.mgmt.keyvault import KeyVaultManagementClient",
            "from azure.mgmt.network import NetworkManagementClient",
            "from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient",
            "from azure.mgmt.sql import SqlManagementClient",
            "from azure.mgmt.storage import StorageManagementClient",
            "from azure.mgmt.web import WebSiteManagementClient",
        )
    ),
}
_OURS: Final[Mapping[str, str]] = {
    "rotate": "import function_app, azure.functions",
    "remediate": "import function_app, azure.functions\nfrom remediator.catalogue import registry\n"
    "[registry.load(fix.id) for fix in registry.all_fixes('azure')]",
}
_MEASURE: Final = """
import json, re, time
{imports}
took = time.process_time() * 1000
[peak] = re.findall(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(json.dumps([took, int(peak) / 1000]))
"""
"""Not `getrusage`: what it tells of memory begins with the process that started this one."""


@dataclass(frozen=True, slots=True)
class Side:
    """Hold medians: milliseconds of processor time and megabytes of memory once imported; and megabytes of packages."""

    cpu_ms: float
    rss_mb: float
    unpacked_mb: float
    zipped_mb: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Hold both sides of one app."""

    app: str
    ours: Side
    sdk: Side

    def document(self) -> dict[str, float]:
        """Return what both sides take, and ours as a part of the other."""
        found: dict[str, float] = {}
        for name in ("cpu_ms", "rss_mb", "unpacked_mb", "zipped_mb"):
            ours, sdk = (getattr(side, name) for side in (self.ours, self.sdk))
            found |= {name: round(ours, 1), f"sdk_{name}": round(sdk, 1), f"{name}_ratio": round(ours / sdk, 2)}
        return found


def measure(runs: int = RUNS) -> Iterator[Pair]:
    """Yield each app's comparison; the two sides take turns, so that what disturbs the machine disturbs both."""
    for app in ("rotate", "remediate"):
        with tempfile.TemporaryDirectory() as name:
            ours, sdk = Path(name) / "ours", Path(name) / "sdk"
            needed = contents(app).distributions
            _own(app, ours)
            _installed(needed, ours)
            _installed(needed | (set(CLIENTS) if app == "remediate" else set()), sdk)
            for folder in (ours, sdk):
                Compiler(Path(sys.executable), HERE).compile(folder)
            took = [(_run(ours, _OURS[app]), _run(sdk, _IMPORTS[app])) for _ in range(runs)]
            yield Pair(app, _side(ours, [one for one, _ in took]), _side(sdk, [other for _, other in took]))


def _side(folder: Path, took: Sequence[tuple[float, float]]) -> Side:
    unpacked, zipped = _sizes(folder)
    return Side(median(cpu for cpu, _ in took), median(memory for _, memory in took), unpacked, zipped)


def _own(app: str, folder: Path) -> None:
    for name, content in contents(app).files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _installed(names: Iterable[str], folder: Path) -> None:
    """Copy distributions and all that they need as they are installed here, without bytecode and commands."""
    for one in cut_lock(LOCK, names, HERE):
        for file in distribution(one.name).files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(Path(str(file.locate())).read_bytes())


def _run(folder: Path, imports: str) -> tuple[float, float]:
    command = [sys.executable, "-S", "-s", "-c", _MEASURE.format(imports=imports)]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise SystemExit(f"a measured process failed:\n{done.stderr[-2_000:]}")
    milliseconds, megabytes = json.loads(done.stdout)
    return milliseconds, megabytes


def _sizes(folder: Path) -> tuple[float, float]:
    """Return the megabytes of a folder with its bytecode, and of the same as an archive."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for file in files:
            written.write(file, file.relative_to(folder))
    return sum(file.stat().st_size for file in files) / 1e6, archive.tell() / 1e6
