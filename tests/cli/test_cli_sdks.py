"""A command on one cloud loads nothing of the other cloud's SDK, which need not be installed.

On Azure, `test_cli_azure.py` runs every command where there is no boto3.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from remediator.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ID = "0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11"
COMMANDS = (
    ("status",),
    ("doctor",),
    ("history",),
    ("show", ID, "--commands"),
    ("rollback", ID),
    ("code",),
    ("freeze",),
    ("unfreeze", "--yes"),
    ("roll-gate",),
    ("policy", "show"),
    ("policy", "edit", "--set", "plan_only=true"),
    ("vendor", "get", ID),
)
RUN = """
import json, sys
from remediator.cli.main import app
for words in json.loads(sys.argv[1]):
    try:
        app(words)
    except SystemExit as ended:
        print(ended.code)
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"boto3", "azure"}))
"""
NOWHERE = "http://127.0.0.1:9"
KEYS = {
    "aws": {"aws_access_key_id": "a", "aws_secret_access_key": "s"},
    "azure": dict.fromkeys(("tenant_id", "client_id", "client_secret"), ID),
}


def run(commands: Sequence[Sequence[str]], file: Path, cloud: str, **described: object) -> list[str]:
    """Run commands in one process, where the cloud can't be reached; return how each ended, then what was loaded."""
    credentials = {f"{whose}_credentials": KEYS[cloud] for whose in ("admin", "operator", "vendor")}
    file.write_text(json.dumps({"cloud": cloud, "outputs": {}, **credentials, **described}))
    words = json.dumps([[*one, "--account", str(file)] for one in commands])
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", RUN, words],
        env=os.environ | {"AWS_MAX_ATTEMPTS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_no_command_on_aws_loads_azures_sdk(tmp_path: Path) -> None:
    *codes, loaded = run(COMMANDS, tmp_path / "a.json", "aws", region="eu-west-1", aws_endpoint_url=NOWHERE)
    assert codes == [str(Exit.NOT_FOUND.value)] * len(COMMANDS)
    assert loaded == "boto3"


def test_the_office_on_azure_loads_no_boto3(tmp_path: Path) -> None:
    described: dict[str, object] = {"subscription_id": ID, "resource_group": "g", "environment": {}, "ca_file": None}
    command = ("history", "--receipts-table", "former")
    *codes, loaded = run([command], tmp_path / "a.json", "azure", **described)
    assert codes == [str(Exit.NOT_FOUND.value)]
    assert loaded == "azure"
