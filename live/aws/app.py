"""Synthesize the deployment, all of it as a customer gets it, under another stack's name; `cdk` runs this."""

from __future__ import annotations

import sys

from infra.packaged_node import use_packaged_node

use_packaged_node()

from infra.aws import names  # noqa: E402 - the CDK starts Node.js when it is imported
from infra.aws.application import make_app  # noqa: E402 - as above

names.STACK = sys.argv[1]  # type: ignore[misc]  # this process makes one app, and ends
make_app().synth()
