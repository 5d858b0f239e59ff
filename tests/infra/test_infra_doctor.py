"""What the operator's doctor looks for is what the stack and the template deploy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.aws import names
from infra.aws.functions import PYTHON
from remediator.operator.aws import doctor as aws_doctor
from remediator.operator.aws import office as aws_office
from remediator.operator.azure import doctor as azure_doctor
from remediator.operator.azure import office as azure_office
from tests.infra.conftest import ROOT

if TYPE_CHECKING:
    from tests.infra.deployed import Deployed

pytestmark = pytest.mark.xdist_group("synth")

TEMPLATE = json.loads((ROOT / "infra/azure/azuredeploy.json").read_bytes())


def test_it_looks_for_the_names_that_are_deployed() -> None:
    assert names.SCHEDULE == aws_doctor.SCHEDULE
    assert names.DEAD_LETTERS == aws_doctor.DEAD_LETTERS
    assert names.WRITE_BOUNDARY == aws_doctor.BOUNDARY
    assert f"python{PYTHON}" == aws_doctor.RUNTIME


def test_it_asks_for_no_output_that_is_not_there(deployed: Deployed) -> None:
    assert deployed.outputs.keys() >= aws_office.OUTPUTS
    assert TEMPLATE["outputs"].keys() >= azure_office.OUTPUTS


def test_it_knows_the_statement_that_lets_the_vendor_read_seeds(deployed: Deployed) -> None:
    (policy,) = deployed.roles["remediator-reader"]["Policies"]
    assert policy["PolicyName"] == "call"
    assert aws_doctor.ALLOWS_SEEDS in [one["Sid"] for one in policy["PolicyDocument"]["Statement"]]


def test_it_watches_an_alarm_on_the_certificates_end_that_is_deployed() -> None:
    rules = [one["name"] for one in TEMPLATE["resources"] if one["type"] == "Microsoft.Insights/scheduledQueryRules"]
    assert any(azure_doctor.ENDS_SOON in name for name in rules)
