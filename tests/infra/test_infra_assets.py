"""The archives that are deployed: only what the function needs, always the same, and able to run alone."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import xform_name
from packaging.requirements import Requirement

from infra.assets.build import BUDGET, LOCK, Builder, Recipe
from infra.assets.bytecode import find_compiler
from infra.assets.closure import Unshippable
from infra.assets.locked import SHIPPED, shipped_packages
from infra.assets.recipes import build_assets, remediate_recipe, rotate_recipe, watch_recipe
from infra.aws.functions import PYTHON
from remediator.catalogue.policies import TAGGING, operations
from remediator.catalogue.registry import all_fixes
from tests.infra.conftest import ROOT
from tests.infra.deployed import role_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.assets.build import Asset
    from infra.assets.recipes import Assets

pytestmark = pytest.mark.xdist_group("assets")

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
DEPLOYED = find_compiler(PYTHON)
INTERPRETERS = [sys.executable, *([str(DEPLOYED.python)] if DEPLOYED else [])]


def names_in(asset: Asset) -> list[str]:
    with zipfile.ZipFile(asset.path) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Assets:
    """Build with bytecode, for the deployed Python where there is one."""
    return build_assets(Builder(tmp_path_factory.mktemp("compiled"), DEPLOYED or find_compiler(HERE)))


@pytest.fixture(scope="module")
def unpacked(compiled: Assets, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for name, asset in (("rotate", compiled.rotate), ("remediate", compiled.remediate)):
        folders[name] = tmp_path_factory.mktemp(name)
        with zipfile.ZipFile(asset.path) as archive:
            archive.extractall(folders[name])
    return folders


def test_the_rotator_ships_no_fix_and_no_engine(assets: Assets) -> None:
    own = {name for name in names_in(assets.rotate) if name.startswith("remediator/")}
    assert "remediator/aws/rotate_handler.py" in own
    assert not any(name.startswith("remediator/catalogue/aws") for name in own)
    never = {"engine", "policies", "registry"}
    assert not {f"remediator/catalogue/{name}.py" for name in never} & own
    assert not any("fastjsonschema" in name for name in names_in(assets.rotate))


def test_the_remediator_ships_every_fix_and_nothing_that_makes_seeds(assets: Assets) -> None:
    own = {name for name in names_in(assets.remediate) if name.startswith("remediator/")}
    for fix in all_fixes("aws"):
        assert f"{type(fix).__module__.replace('.', '/')}.py" in own
    assert {"remediator/service/openapi.json", "remediator/catalogue/catalogue.json"} <= own
    never = {"aws/rotate_handler", "aws/seed_ring", "aws/staging", "aws/trust_policy", "core/seeds", "service/rotate"}
    assert not {f"remediator/{name}.py" for name in never} & own


def test_the_watcher_ships_no_fix_nothing_that_makes_seeds_and_nothing_that_writes(assets: Assets) -> None:
    own = {name for name in names_in(assets.watch) if name.startswith("remediator/")}
    assert "remediator/aws/watch_handler.py" in own
    assert not any(name.startswith(("remediator/catalogue/aws", "remediator/service/remediate")) for name in own)
    never = {"aws/seed_ring", "aws/staging", "aws/trust_policy", "aws/receipts", "aws/sessions", "core/seeds"}
    assert not {f"remediator/{name}.py" for name in never} & own


def test_neither_ships_what_runs_elsewhere(assets: Assets) -> None:
    elsewhere = ("remediator/cli", "remediator/local", "remediator/vendor", "boto3", "pydantic", "aws_xray_sdk", "moto")
    for asset in (assets.rotate, assets.remediate, assets.watch):
        assert [name for name in names_in(asset) if name.startswith(elsewhere)] == []
        assert [name for name in names_in(asset) if ".dist-info/" in name or name.endswith((".so", ".pyd"))] == []


def test_only_named_services_have_models(assets: Assets) -> None:
    def services(asset: Asset) -> set[str]:
        parts = (name.split("/") for name in names_in(asset) if name.startswith("botocore/data/"))
        return {part[2] for part in parts if len(part) > 3}

    assert services(assets.rotate) == {"dynamodb", "iam", "secretsmanager"}
    assert services(assets.remediate) == {"dynamodb", "events", "sts", TAGGING} | {
        fix.service for fix in all_fixes("aws")
    }
    assert services(assets.watch) == {"dynamodb"}


def test_every_operation_that_the_shipped_code_calls_is_in_the_shipped_models(assets: Assets) -> None:
    """Read the calls from the source, so that a call which no adapter declares is found out here."""
    session = botocore.session.get_session()
    for recipe, asset in (
        (rotate_recipe(), assets.rotate),
        (remediate_recipe(), assets.remediate),
        (watch_recipe(), assets.watch),
    ):
        named = {one.partition(":")[0] for one in recipe.operations}
        methods: dict[str, set[str]] = {}
        for service in named:
            for operation in session.get_service_model(service).operation_names:
                methods.setdefault(xform_name(operation), set()).add(f"{service}:{operation}")
        called = {method for text in adapters_in(asset) for method in called_in(text)} & methods.keys()
        assert len(called) >= len(named)
        missing = [method for method in called if not methods[method] & set(recipe.operations)]
        assert missing == []


def adapters_in(asset: Asset) -> list[bytes]:
    with zipfile.ZipFile(asset.path) as archive:
        talking = ("remediator/aws", "remediator/catalogue/aws")
        return [archive.read(name) for name in archive.namelist() if name.startswith(talking) and name.endswith(".py")]


def called_in(text: bytes) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
            if node.func.attr == "get_paginator" and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def test_what_may_be_shipped_is_what_the_project_declares_to_need() -> None:
    todo, needed = ["botocore", "aws-lambda-powertools", "fastjsonschema"], set()
    while todo:
        name = todo.pop().lower()
        if name not in needed:
            needed.add(name)
            wanted = (Requirement(line) for line in requires(name) or [])
            todo.extend(one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""}))
    assert {name.replace("_", "-") for name in needed} == set(SHIPPED.values())


def test_a_package_of_another_version_than_the_locked_one_is_refused_by_name(tmp_path: Path) -> None:
    lock = LOCK.read_text()
    (tmp_path / "lock").write_text(lock.replace("urllib3==", "urllib3==0."))
    with pytest.raises(Unshippable, match=r"urllib3: [0-9.]+ is installed, 0\.[0-9.]+ is locked"):
        shipped_packages(tmp_path / "lock")
    (tmp_path / "lock").write_text("")
    with pytest.raises(Unshippable, match="is installed, None is locked"):
        shipped_packages(tmp_path / "lock")


def test_archives_are_within_their_budget(compiled: Assets) -> None:
    for asset in (compiled.rotate, compiled.remediate):
        assert BUDGET / 2 < asset.path.stat().st_size <= BUDGET


def test_an_archive_over_its_budget_is_refused_with_the_numbers(tmp_path: Path) -> None:
    small = Recipe("small", "remediator.core.windows", (), ())
    with pytest.raises(Unshippable, match=r"small: [0-9,]+ bytes, over the budget of 1,000"):
        Builder(tmp_path, None, budget=1_000).build(small)


BUILD = """
import sys
from pathlib import Path
from infra.assets.build import Builder, Recipe
from infra.assets.bytecode import find_compiler
recipe = Recipe("some", "remediator.service.endpoint", {"jmespath", "dateutil.parser"}, {"iam:GetRole", "s3:GetObject"})
print(Builder(Path(sys.argv[1]), find_compiler(sys.argv[2])).build(recipe).path)
"""


def test_the_same_sources_give_the_same_bytes_wherever_and_whenever_they_are_built(tmp_path: Path) -> None:
    built = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'functions'}"}
        command = [sys.executable, "-c", BUILD, str(tmp_path / seed), HERE]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - ours
        built.append(Path(ran.stdout.strip()))
    one, other = built
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


def test_the_digest_follows_the_sources_and_what_compiled_them(assets: Assets, compiled: Assets) -> None:
    digests = [assets.rotate.digest, assets.remediate.digest, compiled.rotate.digest, compiled.remediate.digest]
    assert len(set(digests)) == 4
    assert [one.compiled for one in (assets.rotate, compiled.rotate)] == [False, True]


def test_entries_are_sorted_old_and_readable(compiled: Assets) -> None:
    with zipfile.ZipFile(compiled.remediate.path) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_every_source_has_its_bytecode(compiled: Assets) -> None:
    names = set(names_in(compiled.remediate))
    tag = f"cpython-{(PYTHON if DEPLOYED else HERE).replace('.', '')}"
    for name in names:
        if name.endswith(".py"):
            folder, _, file = name.rpartition("/")
            assert f"{folder}/__pycache__/{file[:-3]}.{tag}.pyc".lstrip("/") in names


def test_an_asset_that_is_there_already_is_not_built_again(tmp_path: Path) -> None:
    small = Recipe("small", "remediator.core.windows", (), ())
    first = Builder(tmp_path, None).build(small)
    age = first.path.stat().st_mtime_ns
    assert Builder(tmp_path, None).build(small) == first
    assert first.path.stat().st_mtime_ns == age
    assert list(tmp_path.iterdir()) == [first.path]


class Refusing(BaseHTTPRequestHandler):
    """Answer every call as a service that denies it."""

    def do_POST(self) -> None:
        body = b'{"__type": "AccessDeniedException", "message": "no"}'
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the server looks for this name

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def run_alone(python: str, folder: Path, script: str, **environment: str) -> str:
    """Run a script with nothing but Python's own library and the asset to import from."""
    settings = {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-real-one",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "Remediator",
        **environment,
    }
    start = f"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(folder)!r})\n"
    command = [python, "-I", "-S", "-c", start + script]
    ran = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


ROTATE_ONCE = """
import types
from remediator.aws.rotate_handler import RotationFailed, handler
try:
    handler({}, types.SimpleNamespace(aws_request_id="one"))
except RotationFailed as failed:
    print("failed:", failed)
"""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_the_rotator_runs_from_its_archive_alone(python: str, unpacked: dict[str, Path], refusing: str) -> None:
    said = run_alone(
        python,
        unpacked["rotate"],
        ROTATE_ONCE,
        AWS_ENDPOINT_URL=refusing,
        DEPLOYMENT="any",
        STATE_TABLE="remediator-state",
        SEED_SECRETS=",".join("abcdef"),
        WRITE_ROLE_NAME="remediator-write",
        REMEDIATOR_ROLE_ARN=role_arn("remediator"),
    )
    assert "failed: ClientError AccessDeniedException" in said
    assert '"RotationFailed"' in said, "the metric is on its way"


ANSWER_ONCE = """
import json, types
from remediator.aws.remediate_handler import handler
event = {
    "rawPath": "/v1/health", "rawQueryString": "", "headers": {}, "isBase64Encoded": False,
    "requestContext": {"http": {"method": "GET"}, "authorizer": {"iam": {"userId": "AROAREADER:session"}}},
}
context = types.SimpleNamespace(aws_request_id="one", get_remaining_time_in_millis=lambda: 60_000)
print(json.dumps(handler(event, context)))
"""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_the_remediator_runs_from_its_archive_alone(python: str, unpacked: dict[str, Path], refusing: str) -> None:
    said = run_alone(
        python,
        unpacked["remediate"],
        ANSWER_ONCE,
        AWS_ENDPOINT_URL=refusing,
        DEPLOYMENT="any",
        STATE_TABLE="remediator-state",
        RECEIPTS_TABLE="remediator-receipts",
        WRITE_ROLE_ARN=role_arn("remediator-write"),
        READER_ROLE_ID="AROAREADER",
        OPERATOR_ROLE_ID="AROAOPERATOR",
        ACCOUNT_ID="123456789012",
        PARTITION="aws",
        FIXES="aws.s3.require-tls",
        REGIONS="eu-west-1",
        VENDOR_ROLLBACK="false",
        RETENTION_DAYS="400",
        OWN_RESOURCES="[]",
    )
    answer = json.loads(said.splitlines()[-1])
    assert answer["statusCode"] == 500
    assert "AccessDeniedException" in said, "the call got as far as the service"


READ_ONCE = """
import json
import botocore.session
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from remediator.catalogue.policies import operations
from remediator.catalogue.registry import all_fixes
from remediator.catalogue.spec import Home
session = botocore.session.get_session()
found = {}
for fix in all_fixes("aws"):
    client = session.create_client(fix.service, region_name="eu-west-1")
    try:
        fix.read(client, fix.target.parse(fix.target.example, Home("aws", "123456789012")))
    except (ClientError, ResponseParserError):
        found[fix.id] = sorted(f"{fix.service}:{name}" for name in client.meta.service_model.operation_names)
print(json.dumps(found))
"""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_every_fix_reaches_its_service_from_the_archive_and_finds_its_operations(
    python: str, unpacked: dict[str, Path], refusing: str
) -> None:
    found = json.loads(run_alone(python, unpacked["remediate"], READ_ONCE, AWS_ENDPOINT_URL=refusing))
    for fix in all_fixes("aws"):
        assert operations(fix) <= set(found[fix.id])
