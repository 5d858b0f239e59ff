"""The embedded Azure stays up for clients in other processes until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.hosting import eventually

pytestmark = pytest.mark.xdist_group("embedded Azure's deployment")

ROOT = Path(__file__).resolve().parents[3]
RUN = """
import functools, sys
from pathlib import Path
from remediator.local.azure.up import up
up(0, Path(sys.argv[1]), 1, functools.partial(print, flush=True))
"""


def test_it_stays_up_says_how_to_reach_it_and_stops_on_request(tmp_path: Path) -> None:
    path = tmp_path / "azure.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "functions")}
    with subprocess.Popen(  # noqa: S603 - the script above
        [sys.executable, "-c", RUN, str(path)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert eventually(lambda: path.exists() or process.poll() is not None, 60)
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            told = json.loads(path.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert not path.exists()
    assert not Path(told["ca_file"]).exists()
    assert told["cloud"] == "azure"
    assert told["endpoint_url"].startswith("https://")
