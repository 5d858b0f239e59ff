"""Each cloud's office says of a deployment what commands need, so that none of them asks which cloud it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from remediator.catalogue.spec import Home
from remediator.operator.aws.office import AwsOffice
from remediator.operator.azure.office import AzureOffice
from remediator.operator.errors import NoFormer
from tests.cli.conftest import ACCOUNT, REGION, Deployed

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

SUBSCRIPTION = "00000000-0000-0000-0000-00000000ABCD"


class Nobody:
    def get_token(self, *_: str, **__: object) -> AccessToken:
        raise AssertionError("nothing here asks the cloud")


def test_home_on_aws_is_the_write_roles_partition_and_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        Deployed("https://endpoint.example")
        office = AwsOffice(boto3.Session(region_name=REGION), "Remediator")
        assert (office.home, office.write_role) == (Home("aws", ACCOUNT), "remediator-write")
        assert office.who().startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/remediator-operator/")


def test_home_on_azure_is_the_subscription_in_the_letter_case_of_ids() -> None:
    assert AzureOffice(Nobody(), SUBSCRIPTION, "g").home == Home("azure", SUBSCRIPTION.lower())


def test_on_azure_there_are_no_receipts_of_a_former_deployment() -> None:
    with pytest.raises(NoFormer) as refused:
        AzureOffice(Nobody(), SUBSCRIPTION, "g").archive("former")
    assert "--receipts-table" in refused.value.next
