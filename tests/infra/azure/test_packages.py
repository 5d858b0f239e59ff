"""The packages of the function apps: only what the app needs, always the same, and able to run alone."""

from __future__ import annotations

import json
import re
import site
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from infra.assets.bytecode import find_compiler
from infra.assets.closure import Unshippable
from infra.azure.package import LOCK, PYTHON, OwnClosure, contents, write_package
from infra.azure.requirements import cut_lock, distributions_of
from remediator.azure.remediate_function import TIMEOUT
from remediator.catalogue.registry import all_fixes
from tests.infra.azure.deployment import deployed
from tests.infra.azure.deployment import site as app_of

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = ("rotate", "remediate")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
CONTENTS = {role: contents(role) for role in ROLES}


def own(role: str) -> set[str]:
    return {name for name in CONTENTS[role].files if name.startswith("remediator/")}


def files_in(path: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_rotator_ships_no_fix_and_nothing_that_answers_requests() -> None:
    assert "remediator/azure/rotate_function.py" in own("rotate")
    assert not any(name.startswith("remediator/catalogue/azure") for name in own("rotate"))
    never = {"azure/sessions", "azure/callers", "azure/arm_client", "catalogue/engine", "service/endpoint"}
    assert not {f"remediator/{name}.py" for name in never} & own("rotate")


def test_the_remediator_ships_every_fix_and_nothing_that_makes_or_reads_seeds() -> None:
    for fix in all_fixes("azure"):
        assert f"{type(fix).__module__.replace('.', '/')}.py" in own("remediate")
    assert {"remediator/service/openapi.json", "remediator/catalogue/catalogue.json"} <= own("remediate")
    never = {
        "azure/rotate_function",
        "azure/seed_ring",
        "azure/sealed_gate",
        "azure/staging",
        "azure/stored_credential",
        "core/seeds",
    }
    assert not {f"remediator/{name}.py" for name in never} & own("remediate")


@pytest.mark.parametrize("role", ROLES)
def test_neither_ships_what_runs_elsewhere(role: str) -> None:
    elsewhere = ("aws", "azure_install", "catalogue/aws", "cli", "local", "vendor")
    assert not [name for name in own(role) if name.startswith(tuple(f"remediator/{one}/" for one in elsewhere))]
    assert CONTENTS[role].files.keys() - own(role) == {"function_app.py", "host.json", "requirements.txt"}


def test_an_app_asks_for_what_it_imports() -> None:
    both = {"azure-core", "azure-data-tables", "azure-functions", "azure-identity", "azure-keyvault-secrets"}
    both |= {"cryptography"}
    assert CONTENTS["rotate"].distributions == both
    assert CONTENTS["remediate"].distributions == both | {"fastjsonschema", "pyjwt"}


@pytest.mark.parametrize("role", ROLES)
def test_requirements_are_the_locked_versions_with_hashes_and_name_no_host(role: str) -> None:
    text = CONTENTS[role].files["requirements.txt"].decode()
    assert "://" not in text
    locked = LOCK.read_text()
    for entry in text.replace("\\\n", "").splitlines():
        requirement, *hashes = entry.split(" --hash=")
        name = requirement.strip()
        assert len(hashes) > 1
        assert f"\n{name} " in locked
    assert "azure-mgmt-" not in text
    assert "boto" not in text


@pytest.mark.parametrize("role", ROLES)
def test_everything_that_a_requirement_needs_is_a_requirement_too(role: str) -> None:
    from importlib.metadata import requires  # noqa: PLC0415 - this test alone looks at what is installed

    entries = {one.name for one in cut_lock(LOCK, CONTENTS[role].distributions, HERE)}
    assert entries >= CONTENTS[role].distributions
    for name in entries:
        for text in requires(name) or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert re.sub(r"[-_.]+", "-", needed.name).lower() in entries


def test_the_python_asked_for_is_the_one_packaged_for() -> None:
    for role in ROLES:
        assert app_of(deployed(), role).body["properties"]["functionAppConfig"]["runtime"] == {
            "name": "python",
            "version": PYTHON,
        }


def test_the_host_ends_an_invocation_when_the_code_expects_it() -> None:
    hosts = {role: json.loads(CONTENTS[role].files["host.json"]) for role in ROLES}
    assert hosts["remediate"]["functionTimeout"] == f"00:{TIMEOUT // 60:02}:{TIMEOUT % 60:02}"
    assert hosts["rotate"]["functionTimeout"] == "00:01:00"


@pytest.mark.parametrize("role", ROLES)
def test_the_same_sources_make_the_same_bytes(role: str, tmp_path: Path) -> None:
    compiler = find_compiler(PYTHON)
    first = write_package(role, tmp_path / "a", compiler)
    second = write_package(role, tmp_path / "b", compiler)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == second.digest


def test_a_package_over_its_budget_is_refused_and_not_written(tmp_path: Path) -> None:
    with pytest.raises(Unshippable, match="over the budget"):
        write_package("rotate", tmp_path, None, budget=1_000)
    assert list(tmp_path.iterdir()) == []


def test_every_source_has_bytecode_for_the_deployed_python(tmp_path: Path) -> None:
    compiler = find_compiler(PYTHON)
    if compiler is None:
        pytest.skip(f"there is no Python {PYTHON} here")
    files = files_in(write_package("remediate", tmp_path, compiler).path)
    sources = [Path(name) for name in files if name.endswith(".py")]
    for source in sources:
        assert str(source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc") in files


IMPORT = """
import sys
sys.path[:0] = [{app!r}, {packages!r}]
import function_app
import remediator
from remediator.catalogue import registry
(function,) = function_app.app.get_functions()
print(function.get_function_name(), remediator.__file__.startswith({app!r}))
"""
LOAD = """
for fix in {fixes!r}:
    registry.load(fix)
"""


@pytest.mark.parametrize("role", ROLES)
def test_a_package_runs_with_nothing_but_its_requirements_beside_it(role: str, tmp_path: Path) -> None:
    """Without the checkout: the project's own modules come from the package alone."""
    with zipfile.ZipFile(write_package(role, tmp_path, None).path) as archive:
        archive.extractall(tmp_path / "app")
    script = IMPORT.format(app=str(tmp_path / "app"), packages=site.getsitepackages()[0])
    if role == "rotate":
        script = script.replace("from remediator.catalogue import registry\n", "")
    else:
        script += LOAD.format(fixes=[fix.id for fix in all_fixes("azure")])
    ran = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [{"rotate": "rotate_window", "remediate": "remediate"}[role], "True"]


def test_an_import_that_nobody_named_is_refused(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("import numpy\n")
    closure = OwnClosure({"function_app": tmp_path}, "remediator")
    closure.add(["function_app"])
    with pytest.raises(Unshippable, match="numpy"):
        distributions_of(closure.outside)


def test_the_azure_namespace_is_not_a_way_in() -> None:
    with pytest.raises(Unshippable, match=r"azure\.mgmt\.storage"):
        distributions_of(["azure.mgmt.storage"])


def test_a_lock_file_of_another_form_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "dev.lock"
    lock.write_text("requests>=2\n")
    with pytest.raises(Unshippable, match="lock file"):
        cut_lock(lock, ["requests"], PYTHON)
