"""Synthesize the deployment, all of it as a customer gets it, under another stack's name; `cdk` runs this."""

from __future__ import annotations

import sys

from infra.aws import names
from infra.aws.application import make_app

names.STACK = sys.argv[1]  # type: ignore[misc]  # this process makes one app, and ends
make_app().synth()
