"""The unmodified CDK CLI against the account: bootstrap, deploy, update, failure."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from remediator.local import deploy
from remediator.local.deploy import App, DeployFailed

if TYPE_CHECKING:
    from remediator.local.account import EmbeddedAccount

ROOT = Path(__file__).resolve().parents[2]


def sample(**context: str) -> App:
    command = f"{sys.executable} {Path(__file__).with_name('sample_app.py')}"
    return App(command=command, stack="Sample", context=context)


def says(embedded: EmbeddedAccount, name: str) -> Any:
    client: Any = embedded.client("lambda")
    return json.loads(client.invoke(FunctionName=name)["Payload"].read())


def test_an_app_is_deployed_and_a_broken_update_is_rolled_back(embedded: EmbeddedAccount) -> None:
    outputs = embedded.deploy(sample(says="one"))
    assert outputs == embedded.outputs
    assert says(embedded, outputs["Name"]) == "one"
    assert embedded.confirm("CDKToolkit") > 30

    with pytest.raises(DeployFailed) as failed:
        embedded.deploy(sample(says="two", broken="true"))
    assert "no-such-role" in str(failed.value)
    assert says(embedded, outputs["Name"]) == "one"
    cloudformation: Any = embedded.client("cloudformation")
    state = cloudformation.describe_stacks(StackName="Sample")["Stacks"][0]["StackStatus"]
    assert state == "UPDATE_ROLLBACK_COMPLETE"


def test_an_app_that_cannot_be_synthesized_says_why(embedded: EmbeddedAccount, tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text("import sys\nsys.exit('parameter x is missing')\n")
    with pytest.raises(DeployFailed, match="parameter x is missing"):
        embedded.deploy(App(command=f"{sys.executable} {app}", stack="Never"))


def test_a_missing_cli_is_said(embedded: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(deploy, "CLI", tmp_path / "nothing")
    with pytest.raises(DeployFailed, match="make setup"):
        embedded.deploy(sample(says="x"))


def test_the_cli_sees_nothing_of_the_callers_own_aws(
    monkeypatch: pytest.MonkeyPatch, embedded: EmbeddedAccount
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "of the caller")
    admin = embedded.identities.admin.credentials
    target = deploy.Target(embedded.endpoint, "111122223333", "eu-west-1", admin)
    environment = deploy._environment(target)
    assert "of the caller" not in environment.values()
    assert environment["AWS_ENDPOINT_URL"] == embedded.endpoint
