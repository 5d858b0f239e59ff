"""The stack as a whole: outputs, environment-agnostic, without a cycle, clean in the eyes of cdk-nag."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks

from infra.aws.acknowledgements import reasons
from remediator.vendor.deployment import Deployment
from tests.infra.conftest import GIVEN, ROOT
from tests.infra.deployed import DEPLOYMENT, EXTERNAL_ID, KEY, RECEIPTS, RECEIPTS_TABLE, SECRETS, Deployed, role_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aws_cdk import App

    from infra.assets.recipes import Assets

pytestmark = pytest.mark.xdist_group("synth")

KNOWN_TO_THE_EMBEDDED_ACCOUNT = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
}


def test_the_outputs_are_what_vendor_and_command_line_need(deployed: Deployed) -> None:
    assert deployed.outputs == {
        "Delivery": "automatic",
        "Deployment": DEPLOYMENT,
        "Endpoint": "https://abcdefghij.lambda-url.eu-west-1.on.aws/",
        "ExternalId": EXTERNAL_ID,
        "Gate": "sts",
        "OperatorRoleArn": role_arn("remediator-operator"),
        "ReaderRoleArn": role_arn("remediator-reader"),
        "Kept": f"{RECEIPTS} {KEY}",
        "ReceiptsTable": RECEIPTS_TABLE,
        "Region": "eu-west-1",
        "RemediateFunction": "remediator-remediate",
        "RemediatorRoleArn": role_arn("remediator"),
        "RotateFunction": "remediator-rotate",
        "SeedSecrets": ",".join(SECRETS),
        "StateTable": "remediator-state",
        "WriteRoleArn": role_arn("remediator-write"),
    }


def test_the_vendors_client_understands_the_outputs(deployed: Deployed) -> None:
    understood = Deployment.from_outputs(deployed.outputs)
    assert understood.seed_secrets == tuple(SECRETS)
    assert understood.id == DEPLOYMENT


def test_the_deployments_id_is_new_for_every_creation_of_the_stack(deployed: Deployed) -> None:
    assert deployed.template["Outputs"]["Deployment"]["Value"] == {
        "Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]
    }


def test_the_template_belongs_to_no_account_and_no_region(deployed: Deployed) -> None:
    text = json.dumps(deployed.template)
    accounts = set(re.findall(r"(?<![0-9a-f-])[0-9]{12}(?![0-9a-f-])", text))
    assert accounts == {GIVEN[name].split(":")[4] for name in ("vendor_principal_arn", "operator_principal_arn")}
    assert "eu-west-1" not in text
    assert "Mappings" not in deployed.template


def test_every_type_of_resource_is_one_that_the_embedded_account_can_hold(deployed: Deployed) -> None:
    types = {resource["Type"] for resource in deployed.template["Resources"].values()}
    assert types == KNOWN_TO_THE_EMBEDDED_ACCOUNT


def test_no_resource_waits_for_itself(deployed: Deployed) -> None:
    resources = deployed.template["Resources"]

    def named(value: Any) -> Iterator[str]:
        match value:
            case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
                yield name
            case dict():
                for part in value.values():
                    yield from named(part)
            case list():
                for part in value:
                    yield from named(part)

    graph = {
        name: {*named(resource["Properties"]), *resource.get("DependsOn", [])} & resources.keys()
        for name, resource in resources.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(resources)


def test_no_secret_and_no_gate_value_is_in_the_template(deployed: Deployed) -> None:
    environments = [one["Environment"]["Variables"] for one in deployed.of_type("AWS::Lambda::Function").values()]
    assert not any(EXTERNAL_ID in text for variables in environments for text in variables.values())
    assert "resolve:secretsmanager" not in json.dumps(deployed.template)


def violations(app: App) -> set[str]:
    return {violation.rule_name for violation in AwsSolutionsChecks(app).validate_scope(app).violations}


def test_cdk_nag_finds_nothing_that_is_not_acknowledged(app_with: Callable[..., App]) -> None:
    assert violations(app_with()) == set()


def test_cdk_nag_looks_at_every_synthesis(app_with: Callable[..., App]) -> None:
    app = app_with()
    sqs.Queue(app.node.find_child("Remediator"), "Unprotected")  # type: ignore[arg-type]  # the stack is a construct
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        app.synth()


def test_every_acknowledgement_answers_a_finding_and_says_why(
    app_with: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.aws.application.acknowledge", lambda _: None)
    found = violations(app_with())
    listed = {finding for findings in reasons().values() for finding in findings}
    assert listed == found
    assert all(len(reason) > 30 for findings in reasons().values() for reason in findings.values())


def test_a_deployment_without_bytecode_is_warned_about_with_what_it_costs(
    app_with: Callable[..., App], assets: Assets
) -> None:
    assert not assets.remediate.compiled
    app = app_with()
    messages = app.synth().get_stack_by_name("Remediator").messages
    assert any("290 ms" in str(message.entry.data) and "Python 3.13" in str(message.entry.data) for message in messages)


def run_app(folder: Path, context: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run what `cdk.json` says, as the CDK's command line does, without credentials and with no way out."""
    command = json.loads((ROOT / "cdk.json").read_bytes())["app"].split()
    environment = {
        "PATH": os.defpath,
        "HOME": os.environ["HOME"],
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_VALIDATION": "false",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    assert command[0] == "python"
    return subprocess.run(  # noqa: S603 - our own app, by our own interpreter
        [sys.executable, *command[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_app_synthesizes_offline_without_credentials(tmp_path: Path) -> None:
    ran = run_app(tmp_path, GIVEN)
    assert ran.returncode == 0, ran.stderr
    template = json.loads((tmp_path / "Remediator.template.json").read_bytes())
    assert len(template["Resources"]) > 30
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert "missing" not in manifest, "a look-up would be missing"


def test_the_app_refuses_in_sentences_and_not_with_a_stack_trace(tmp_path: Path) -> None:
    ran = run_app(tmp_path, {"external_id": EXTERNAL_ID})
    assert ran.returncode == 1
    assert ran.stderr.startswith("vendor_principal_arn: missing and without a default; write -c vendor_principal_arn=")
    assert "Traceback" not in ran.stderr
    assert list(tmp_path.iterdir()) == []
