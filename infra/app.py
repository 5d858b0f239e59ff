"""Synthesize the deployment; `cdk` runs this. It looks nothing up and calls nobody."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

from infra.aws.application import make_app  # noqa: E402 - the path is set first
from infra.errors import Refused  # noqa: E402 - as above

try:
    make_app().synth()
except Refused as refused:
    sys.exit(str(refused))
