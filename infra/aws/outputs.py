"""Give what is pasted into the vendor's console, and what the command line needs to find its deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct


def make_outputs(scope: Construct, values: Mapping[str, tuple[str, str]]) -> None:
    """Make outputs from name → (value, description)."""
    for name, (value, description) in values.items():
        CfnOutput(scope, f"{name}Output", value=value, description=description).override_logical_id(name)
