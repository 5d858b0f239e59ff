from __future__ import annotations

from typing import Any

import pytest

from infra.aws.parameters import BadParameter, Parameters, read_parameters
from tests.infra.conftest import GIVEN
from tests.infra.deployed import EXTERNAL_ID, OPERATOR, VENDOR

FIXES = ("aws.kms.enable-rotation", "aws.s3.require-tls")


def read(**context: Any) -> Parameters:
    return read_parameters({**GIVEN, **context}, known_fixes=FIXES)


def refusal(**context: Any) -> str:
    with pytest.raises(BadParameter) as caught:
        read(**context)
    return str(caught.value)


def test_what_has_a_default_may_be_left_out() -> None:
    assert read() == Parameters(
        vendor_principal_arn=VENDOR,
        operator_principal_arn=OPERATOR,
        external_id=EXTERNAL_ID,
        fixes=FIXES,
        regions=(),
        vendor_rollback=False,
        retention_days=400,
        alarm_email=None,
        receipts_table=None,
        reserved_concurrency=False,
        architecture="arm64",
    )


def test_everything_that_is_missing_is_named_at_once_with_what_to_write() -> None:
    with pytest.raises(BadParameter) as caught:
        read_parameters({}, known_fixes=FIXES)
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "vendor_principal_arn",
        "operator_principal_arn",
        "external_id",
    ]
    assert all(f"write -c {line.partition(':')[0]}=" in line for line in lines)


@pytest.mark.parametrize("name", ["vendor_principal_arn", "operator_principal_arn"])
@pytest.mark.parametrize(
    "value",
    [
        "*",
        "",
        "999999999999",
        "arn:aws:iam::999999999999:root",
        "arn:aws:iam::999999999999:role/*",
        "arn:aws:iam::*:role/vendor",
        "arn:aws:iam::99999999999:role/vendor",
        "arn:aws:sts::999999999999:assumed-role/vendor/session",
        "arn:aws:iam::999999999999:role/vendor\n",
        "arn:aws:iam::\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669:role/vendor",
        ["arn:aws:iam::999999999999:role/vendor"],
    ],
)
def test_a_principal_is_exactly_one_role_or_user(name: str, value: Any) -> None:
    assert refusal(**{name: value}).startswith(f"{name}: ")


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:iam::999999999999:role/vendor",
        "arn:aws-us-gov:iam::999999999999:user/team/vendor",
        "arn:aws:iam::999999999999:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef",
    ],
)
def test_roles_and_users_of_any_path_and_partition_are_taken(value: str) -> None:
    assert read(vendor_principal_arn=value).vendor_principal_arn == value


def test_vendor_and_operator_are_not_the_same() -> None:
    assert refusal(operator_principal_arn=VENDOR).startswith("operator_principal_arn: must differ")


@pytest.mark.parametrize("value", ["short", "has a space", "x" * 1225, "tabs\tin-it", 12345678, "caf\u00e9-caf\u00e9"])
def test_an_external_id_has_the_form_that_sts_takes(value: Any) -> None:
    assert refusal(external_id=value).startswith("external_id: ")


def test_an_external_id_that_is_refused_is_not_shown() -> None:
    assert "shown here" not in refusal(external_id="shown here")


@pytest.mark.parametrize("written", ["aws.s3.require-tls", ["aws.s3.require-tls"], " aws.s3.require-tls "])
def test_fixes_are_written_as_a_list_or_with_commas(written: Any) -> None:
    assert read(fixes=written).fixes == ("aws.s3.require-tls",)


def test_a_fix_that_is_not_in_the_catalogue_is_refused_with_those_that_are() -> None:
    said = refusal(fixes="aws.s3.require-tls,aws.s3.delete-bucket")
    assert "aws.s3.delete-bucket" in said
    assert all(fix in said for fix in FIXES)


@pytest.mark.parametrize("value", ["", "aws.s3.require-tls,", [], ["a", 1], 7])
def test_an_empty_or_mixed_list_of_fixes_is_refused(value: Any) -> None:
    assert refusal(fixes=value).startswith("fixes: ")


def test_regions_are_sorted_and_named_once() -> None:
    assert read(regions="us-gov-west-1,eu-west-1,eu-west-1").regions == ("eu-west-1", "us-gov-west-1")


@pytest.mark.parametrize("value", ["*", "eu-west", "EU-WEST-1", "eu-west-1;eu-west-2", "europe", []])
def test_what_is_not_a_region_is_refused(value: Any) -> None:
    assert refusal(regions=value).startswith("regions: ")


@pytest.mark.parametrize("name", ["vendor_rollback", "reserved_concurrency"])
@pytest.mark.parametrize(("written", "meant"), [("true", True), ("false", False), (True, True), (False, False)])
def test_a_switch_is_true_or_false(name: str, written: Any, meant: bool) -> None:  # noqa: FBT001 - a table's column
    assert getattr(read(**{name: written}), name) is meant


@pytest.mark.parametrize("name", ["vendor_rollback", "reserved_concurrency"])
@pytest.mark.parametrize("value", ["yes", "1", 1, 0, "True", "", []])
def test_anything_else_is_no_switch(name: str, value: Any) -> None:
    assert refusal(**{name: value}).startswith(f"{name}: ")


@pytest.mark.parametrize(("written", "meant"), [(30, 30), ("3653", 3653), (400, 400)])
def test_retention_is_a_number_of_days(written: Any, meant: int) -> None:
    assert read(retention_days=written).retention_days == meant


@pytest.mark.parametrize("value", [29, 3654, "0", "-30", "30.5", 30.0, True, "\u0663\u0660\u0660", "for ever"])
def test_retention_outside_its_range_is_refused_with_the_range(value: Any) -> None:
    said = refusal(retention_days=value)
    assert "30" in said
    assert "3653" in said


@pytest.mark.parametrize("value", ["nobody", "a@b", "a@example.com,b@example.com", "a b@example.com", 7, ""])
def test_the_alarm_address_is_one_address(value: Any) -> None:
    assert refusal(alarm_email=value).startswith("alarm_email: ")


@pytest.mark.parametrize("value", ["arm", "x86", "amd64", "", 64, []])
def test_an_unknown_architecture_is_refused_with_those_there_are(value: Any) -> None:
    assert "arm64 or x86_64" in refusal(architecture=value)


def test_a_misspelt_parameter_is_refused_and_the_cdks_own_context_is_not() -> None:
    read(**{"@aws-cdk/core:checkSecretUsage": True, "aws:cdk:enable-path-metadata": True, "cli-telemetry": False})
    assert refusal(retention="30").startswith("retention: no such parameter; write one of ")


def test_an_unknown_delivery_is_refused_with_those_there_are() -> None:
    assert "automatic or manual" in refusal(delivery="by-post")


def test_an_unknown_gate_is_refused_with_those_there_are() -> None:
    assert "sts or sealed" in refusal(gate="open")
    assert not read().sealed
    assert read(gate="sealed").sealed


def test_a_receipts_table_is_named_so_that_the_deployments_own_patterns_cover_it() -> None:
    assert read(receipts_table="remediator-receipts").receipts_table == "remediator-receipts"
    for value in ("receipts", "my-remediator-receipts", "remediator-receipts/x", "remediator-receipts*", "", 7):
        assert refusal(receipts_table=value).startswith("receipts_table: "), value
