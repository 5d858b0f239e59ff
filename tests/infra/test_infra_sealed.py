"""A sealed gate as it is deployed: a trust policy that stands still, a value that nothing shows, no right on IAM."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.aws.sealed import NOT_HEXADECIMAL
from remediator.aws.sealed_gate import TOUCHED
from remediator.core.gate import parse_fixed
from tests.infra.deployed import KEY, STATE, Deployed, arn, role_arn

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.xdist_group("synth")

WRITE = "remediator-write"
ROLES = ("remediator", WRITE, "remediator-rotator", "remediator-reader", "remediator-operator", "remediator-scheduler")
SECRET = arn("secretsmanager", "secret:remediator/gate/1-AbCdEf")
NEXT = arn("secretsmanager", "secret:remediator/gate/2-AbCdEf")
READING = ("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue")
WINDOW = {"dynamodb__LeadingKeys": ["window/5984850"]}


@pytest.fixture(scope="module")
def sealed(deployed_with: Callable[..., Deployed]) -> Deployed:
    return deployed_with(gate="sealed")


def statement(found: Deployed) -> dict[str, Any]:
    (one,) = found.roles[WRITE]["AssumeRolePolicyDocument"]["Statement"]
    return dict(one)


def test_the_trust_policy_names_the_remediators_role_and_a_value_by_reference_and_no_date(sealed: Deployed) -> None:
    assert statement(sealed) == {
        "Effect": "Allow",
        "Principal": {"AWS": role_arn("remediator")},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": f"{{{{resolve:secretsmanager:{SECRET}:SecretString}}}}"}},
    }


def test_nothing_in_the_template_is_the_value_or_says_it_anywhere_else(sealed: Deployed) -> None:
    text = json.dumps(sealed.template)
    assert text.count("{{resolve:") == 1
    assert not re.search(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f.])", text.replace('.zip"', "."))
    assert not any("resolve" in str(value) for value in sealed.outputs.values())


def test_the_value_is_drawn_from_256_bits_in_the_alphabet_that_is_read(sealed: Deployed) -> None:
    secret = sealed.one("AWS::SecretsManager::Secret", Name="remediator/gate/1", KmsKeyId=KEY)
    assert "SecretString" not in secret
    drawn = secret["GenerateSecretString"]
    assert (drawn["PasswordLength"], drawn["RequireEachIncludedType"], drawn["IncludeSpace"]) == (64, False, False)
    letters = set("abcdefghijklmnopqrstuvwxyz0123456789") - set(drawn["ExcludeCharacters"])
    assert (drawn["ExcludeUppercase"], drawn["ExcludePunctuation"]) == (True, True)
    assert letters == set("0123456789abcdef")
    assert drawn["ExcludeCharacters"] == NOT_HEXADECIMAL
    assert parse_fixed("".join(sorted(letters)) * 4)


def test_a_new_generation_is_a_new_secret_and_with_it_another_reference(sealed: Deployed) -> None:
    resources = [one["Properties"] for one in sealed.template["Resources"].values()]
    (name,) = [one["Name"] for one in resources if "GenerateSecretString" in one]
    assert name == {"Fn::Join": ["", ["remediator/gate/", {"Ref": "GateGeneration"}]]}
    assert sealed.template["Parameters"]["GateGeneration"]["Default"] == "1"


def test_the_rotator_has_no_right_on_iam_at_all(sealed: Deployed) -> None:
    allowed = {action for one in sealed.statements("remediator-rotator") if one["Effect"] == "Allow"
               for action in one["Action"]}  # fmt: skip
    assert not {action for action in allowed if action.startswith(("iam:", "sts:"))}
    for action in ("iam:GetRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:PassRole"):
        assert not sealed.asks("remediator-rotator", action, role_arn(WRITE)).allowed


@pytest.mark.parametrize("role", ROLES)
def test_the_rotator_alone_reads_the_value_and_nobody_writes_it(sealed: Deployed, role: str) -> None:
    assert sealed.asks(role, READING[0], SECRET).allowed is (role == "remediator-rotator")
    assert not sealed.asks(role, READING[0], NEXT).allowed
    for action in ("PutSecretValue", "UpdateSecret", "DeleteSecret", "PutResourcePolicy", "UpdateSecretVersionStage"):
        assert not sealed.asks(role, f"secretsmanager:{action}", SECRET).allowed


@pytest.mark.parametrize("role", ["remediator", WRITE, "remediator-reader"])
@pytest.mark.parametrize("secret", [SECRET, NEXT])
def test_remediator_write_role_and_reader_are_denied_it_whatever_else_may_allow_it(
    sealed: Deployed, role: str, secret: str
) -> None:
    for action in READING:
        refused = sealed.asks(role, action, secret)
        assert (refused.allowed, refused.explicit) == (False, True)


@pytest.mark.parametrize("role", ["remediator", WRITE])
def test_neither_the_remediator_nor_the_write_role_reads_the_trust_policy(sealed: Deployed, role: str) -> None:
    for action in ("iam:GetRole", "iam:UpdateAssumeRolePolicy"):
        refused = sealed.asks(role, action, role_arn(WRITE))
        assert (refused.allowed, refused.explicit) == (False, True)


def lays(found: Deployed, role: str, attributes: Any, **more: Any) -> bool:
    context = WINDOW | {"dynamodb__Attributes": list(attributes)} | more
    return found.asks(role, "dynamodb:UpdateItem", STATE, **context).allowed


def test_the_rotator_changes_pads_and_nothing_else_of_a_window(sealed: Deployed) -> None:
    assert lays(sealed, "remediator-rotator", TOUCHED)
    for others in (["P"], ["c"], ["not_after"], [*TOUCHED, "P"], [*TOUCHED, "opening"]):
        assert not lays(sealed, "remediator-rotator", others)
    assert not sealed.asks("remediator-rotator", "dynamodb:UpdateItem", STATE, **WINDOW).allowed
    assert not lays(sealed, "remediator-rotator", TOUCHED, dynamodb__ReturnValues="ALL_NEW")
    for key in ("control", "policy", "count/AROA/1"):
        assert not lays(sealed, "remediator-rotator", TOUCHED, dynamodb__LeadingKeys=[key])


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"remediator-rotator"}))
def test_nobody_else_changes_a_pad(sealed: Deployed, role: str) -> None:
    assert not lays(sealed, role, TOUCHED)


@pytest.mark.parametrize("gate", [None, "sts"])
def test_with_sts_there_is_none_of_it(
    deployed: Deployed, deployed_with: Callable[..., Deployed], gate: str | None
) -> None:
    found = deployed_with(gate=gate) if gate else deployed
    assert "GateGeneration" not in found.template.get("Parameters", {})
    assert "resolve:secretsmanager" not in json.dumps(found.template)
    assert not lays(found, "remediator-rotator", TOUCHED)
    assert found.outputs["Gate"] == "sts"
    environment = found.one("AWS::Lambda::Function", FunctionName="remediator-rotate")["Environment"]["Variables"]
    assert "GATE_SECRET" not in environment


def test_functions_and_outputs_say_that_it_is_sealed(sealed: Deployed) -> None:
    functions = {
        one["FunctionName"]: one["Environment"]["Variables"]
        for one in sealed.of_type("AWS::Lambda::Function").values()
        if "DEPLOYMENT" in str(one.get("Environment"))
    }
    assert functions["remediator-rotate"]["GATE_SECRET"] == SECRET
    assert functions["remediator-remediate"]["GATE"] == "sealed"
    assert "GATE_SECRET" not in functions["remediator-remediate"]
    assert sealed.outputs["Gate"] == "sealed"
