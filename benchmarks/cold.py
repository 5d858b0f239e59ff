"""Count the processor time of a cold start: a new process, the deployed archive, one invocation.

The other side is what a script does that has no gate: boto3 with its whole models, a client for each of the same
services, the same calls. Both run under the same Python, both with bytecode. One rotation without and one with
something to write; one plan of one finding; and, in a process that is warm, the next plans.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import boto3

from benchmarks.deployment import REGION, Delaying, current_keys, delaying, event, findings
from infra.assets.build import default_builder
from infra.assets.recipes import build_assets
from infra.aws.names import REMEDIATE_HANDLER, ROTATE_HANDLER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.assets.bytecode import Compiler

RUNS: Final = 11
WARM: Final = 50
MINOR: Final = "3.13"
SDK: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")

_OURS: Final = """
import contextlib, importlib, io, json, sys, time
from dataclasses import dataclass
@dataclass
class Context:
    aws_request_id: str = "cold"
    memory_limit_in_mb: int = 512
    def get_remaining_time_in_millis(self): return 170_000
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
first, *more = json.loads(sys.argv[2])
with contextlib.redirect_stdout(io.StringIO()):
    answers = [handler(first, Context())]
    cold = time.process_time()
    answers += [handler(one, Context()) for one in more]
print(json.dumps({"cold": cold, "warm": (time.process_time() - cold) / max(len(more), 1), "answers": answers}))
"""

_BARE: Final = """
import json, sys, time
import boto3
calls = json.loads(sys.argv[1])
clients = {}
def make():
    for service, operation, given in calls:
        if service not in clients:
            clients[service] = boto3.client(service)
        try:
            getattr(clients[service], operation)(**given)
        except clients[service].exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
                raise
make()
cold = time.process_time()
again = int(sys.argv[2])
for _ in range(again):
    make()
print(json.dumps({"cold": cold, "warm": (time.process_time() - cold) / max(again, 1)}))
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Hold medians of both sides, in milliseconds of processor time, and how many calls each side makes."""

    what: str
    ours: float
    bare: float
    calls: int

    @property
    def ratio(self) -> float:
        """Return how much of the other side's time ours takes."""
        return self.ours / self.bare


class Processes:
    """Start processes under the deployed Python: one has the archive, the other has boto3."""

    def __init__(self, folder: Path, compiler: Compiler) -> None:
        self._python = compiler.python
        assets = build_assets(default_builder(MINOR))
        self.folders = {"rotate": folder / "rotate", "remediate": folder / "remediate", "bare": folder / "bare"}
        for name, asset in (("rotate", assets.rotate), ("remediate", assets.remediate)):
            with zipfile.ZipFile(asset.path) as archive:
                archive.extractall(self.folders[name])
        _copy_sdk(self.folders["bare"])
        compiler.compile(self.folders["bare"])

    def run(self, folder: str, script: str, words: Sequence[str], cloud: Delaying) -> Any:  # noqa: ANN401 - JSON
        """Run a script alone with one folder's packages, and return what it prints."""
        command = [str(self._python), "-S", "-s", "-c", script, *words]
        environment = {"PATH": os.defpath, "PYTHONPATH": str(self.folders[folder]), **cloud.environment()}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise SystemExit(f"a measured process failed:\n{done.stderr[-2_000:]}")
        return json.loads(done.stdout)


def measure(compiler: Compiler) -> Iterator[Pair]:
    """Yield each comparison; the two sides take turns, so that what disturbs the machine disturbs both."""
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(Path(folder), compiler)
        yield from _rotations(processes)
        yield from _plans(processes)


def _rotations(processes: Processes) -> Iterator[Pair]:
    writing: list[tuple[float, float]] = []
    looking: list[tuple[float, float]] = []
    counts: list[int] = []
    for _ in range(RUNS):
        with delaying(0) as cloud:
            for found in (writing, looking):
                before = _total(cloud)
                ours = processes.run("rotate", _OURS, [ROTATE_HANDLER, "[{}]"], cloud)
                counts.append(_total(cloud) - before)
                calls = json.dumps(_WRITING_RUN if found is writing else _LOOKING_RUN)
                found.append((ours["cold"], processes.run("bare", _BARE, [calls, "0"], cloud)["cold"]))
    yield _pair("a rotation that writes, cold", writing, counts[0])
    yield _pair("a rotation that finds all in place, cold", looking, counts[1])


def _plans(processes: Processes) -> Iterator[Pair]:
    cold: list[tuple[float, float]] = []
    warm: list[tuple[float, float]] = []
    calls = 0
    with delaying(0) as cloud:
        processes.run("rotate", _OURS, [ROTATE_HANDLER, "[{}]"], cloud)
        secrets: Any = boto3.client("secretsmanager", endpoint_url=cloud.endpoint, region_name=REGION, **_KEYS)
        for _ in range(RUNS):
            asked = {"mode": "plan", "findings": findings(1)}
            events = [event(asked, current_keys(secrets)) for _ in range(WARM + 1)]
            before = _total(cloud)
            ours = processes.run("remediate", _OURS, [REMEDIATE_HANDLER, json.dumps(events)], cloud)
            calls = (_total(cloud) - before) // (WARM + 1)
            _require_planned(ours["answers"])
            bare = processes.run("bare", _BARE, [json.dumps(_PLAN), str(WARM)], cloud)
            cold.append((ours["cold"], bare["cold"]))
            warm.append((ours["warm"], bare["warm"]))
    yield _pair("a plan of one finding, cold", cold, calls)
    yield _pair("the next plan, warm", warm, calls)


def _require_planned(answers: Sequence[Any]) -> None:
    outcomes = {json.loads(one["body"]).get("results", [{}])[0].get("outcome") for one in answers}
    if outcomes != {"planned"}:
        raise SystemExit(f"the plans ended as {outcomes}: nothing was measured")


def _pair(what: str, found: Sequence[tuple[float, float]], calls: int) -> Pair:
    ours, bare = (median(one[side] for one in found) * 1000 for side in (0, 1))
    return Pair(what, ours, bare, calls)


def _total(cloud: Delaying) -> int:
    return sum(cloud.counts()["calls"].values())


def _copy_sdk(folder: Path) -> None:
    site = Path(boto3.__file__).parents[1]
    for name in SDK:
        source = site / name if (site / name).is_dir() else site / f"{name}.py"
        for file in [source] if source.is_file() else source.rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                target = folder / file.relative_to(site)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())


_KEYS: Final[Any] = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
_ITEM: Final[Any] = {"pk": {"S": "bare"}}
_LOOK: Final[Any] = ["dynamodb", "batch_get_item", {"RequestItems": {"bare": {"Keys": [_ITEM]}}}]
_UPDATE: Final[Any] = [
    "dynamodb",
    "update_item",
    {
        "TableName": "bare",
        "Key": _ITEM,
        "UpdateExpression": "SET holder = :holder",
        "ExpressionAttributeValues": {":holder": {"S": "bare"}},
    },
]
_WRITING_RUN: Final[Any] = [
    _LOOK,
    _UPDATE,
    _LOOK,
    ["secretsmanager", "batch_get_secret_value", {"SecretIdList": ["bare"]}],
    *(
        [
            "secretsmanager",
            "put_secret_value",
            {"SecretId": "bare", "SecretString": "x", "ClientRequestToken": "t" * 40},
        ]
        for _ in range(4)
    ),
    ["dynamodb", "put_item", {"TableName": "bare", "Item": _ITEM}],
    ["dynamodb", "transact_write_items", {"TransactItems": [{"Put": {"TableName": "bare", "Item": _ITEM}}]}],
    ["iam", "update_assume_role_policy", {"RoleName": "bare", "PolicyDocument": "{}"}],
    _UPDATE,
]
"""What the first rotation of a deployment calls: four windows at once."""
_LOOKING_RUN: Final[Any] = [_LOOK, ["iam", "get_role", {"RoleName": "bare"}]]
_PLAN: Final[Any] = [
    _LOOK,
    ["dynamodb", "transact_write_items", {"TransactItems": [{"Put": {"TableName": "bare", "Item": _ITEM}}]}],
    ["dynamodb", "get_item", {"TableName": "bare", "Key": _ITEM}],
    ["sts", "assume_role", {"RoleArn": f"arn:aws:iam::{'1' * 12}:role/bare", "RoleSessionName": "bare"}],
    ["s3", "get_public_access_block", {"Bucket": "bare"}],
    ["dynamodb", "transact_write_items", {"TransactItems": [{"Put": {"TableName": "bare", "Item": _ITEM}}]}],
    _UPDATE,
]
