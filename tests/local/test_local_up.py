"""`remediator local up`, from outside, as somebody with another language would use it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from remediator.local.up import write_privately
from tests.local.hosting import eventually

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_written_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_text("old")
    path.chmod(0o644)
    write_privately(path, {"secret": "s"})
    assert json.loads(path.read_text()) == {"secret": "s"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_it_stays_up_says_how_to_reach_it_and_stops_on_request(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    run = "from remediator.cli.main import main; main()"
    command = [sys.executable, "-c", run, "local", "up", "--json", str(path), "--latency", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "functions")}
    with subprocess.Popen(  # noqa: S603 - this project's own command
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert eventually(lambda: path.exists() or process.poll() is not None, 120)
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            _use(json.loads(path.read_text()))
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert not path.exists()


def _use(account: dict[str, Any]) -> None:
    wanted = (
        *("aws_endpoint_url", "region", "account_id", "endpoint_url", "reader_role_arn", "operator_role_arn"),
        *("reader_external_id", "vendor_credentials", "operator_credentials", "admin_credentials", "seed_secrets"),
        *("deployment", "stack", "vendor_principal_arn", "outputs"),
    )
    assert [name for name in wanted if not account.get(name)] == []
    vendor = boto3.Session(**account["vendor_credentials"], region_name=account["region"])
    sts = vendor.client("sts", endpoint_url=account["aws_endpoint_url"])
    assumed = sts.assume_role(
        RoleArn=account["reader_role_arn"], RoleSessionName="test", ExternalId=account["reader_external_id"]
    )["Credentials"]
    reader = boto3.client(
        "secretsmanager",
        endpoint_url=account["aws_endpoint_url"],
        region_name=account["region"],
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
    slot = int(time.time() // 300) % len(account["seed_secrets"])
    record = json.loads(reader.get_secret_value(SecretId=account["seed_secrets"][slot])["SecretString"])
    assert record["deployment"] == account["deployment"]
    with pytest.raises(sts.exceptions.ClientError):
        sts.assume_role(RoleArn=account["reader_role_arn"], RoleSessionName="test", ExternalId="wrong-one")
