"""One synthesis for all tests that look at the template as it is by default."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.assets.build import Builder
from infra.assets.recipes import Assets, build_assets
from infra.aws.application import make_app
from tests.infra.deployed import EXTERNAL_ID, OPERATOR, VENDOR, Deployed

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import App

# The CDK's own validation of templates takes seconds and isn't what is tested here; cdk-nag isn't affected.
os.environ["CDK_VALIDATION"] = "false"

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {"vendor_principal_arn": VENDOR, "operator_principal_arn": OPERATOR, "external_id": EXTERNAL_ID}


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Assets:
    return build_assets(Builder(tmp_path_factory.mktemp("assets"), compiler=None))


@pytest.fixture(scope="session")
def app_with(assets: Assets) -> Callable[..., App]:
    def made(**parameters: Any) -> App:
        context = json.loads((ROOT / "cdk.json").read_bytes())["context"]
        return make_app({**context, **GIVEN, **parameters}, assets=assets)

    return made


@pytest.fixture(scope="session")
def deployed_with(app_with: Callable[..., App]) -> Callable[..., Deployed]:
    def synthesized(**parameters: Any) -> Deployed:
        return Deployed(app_with(**parameters).synth().get_stack_by_name("Remediator").template)

    return synthesized


@pytest.fixture(scope="session")
def deployed(deployed_with: Callable[..., Deployed]) -> Deployed:
    return deployed_with()
