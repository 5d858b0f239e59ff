"""How the functions run, what they are told, and what starts them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from remediator.aws.settings import remediate_settings, rotate_settings, watch_settings
from remediator.aws.staging import LEASE
from remediator.catalogue.registry import all_fixes
from remediator.core.windows import PERIOD
from remediator.service.records import LONGEST_RUN
from tests.infra.deployed import (
    ACCOUNT,
    DEAD_LETTERS,
    DEPLOYMENT,
    RECEIPTS_TABLE,
    ROTATE,
    SECRETS,
    Deployed,
    role_arn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.xdist_group("synth")

FUNCTION = "AWS::Lambda::Function"
NAMES = ("remediator-rotate", "remediator-remediate", "remediator-watch")


def environment(deployed: Deployed, name: str) -> dict[str, str]:
    variables: dict[str, str] = deployed.one(FUNCTION, FunctionName=name)["Environment"]["Variables"]
    return variables


def test_the_functions_have_the_handlers_and_roles_of_their_jobs(deployed: Deployed) -> None:
    jobs = {one["FunctionName"]: (one["Handler"], one["Role"]) for one in deployed.of_type(FUNCTION).values()}
    assert jobs == {
        "remediator-rotate": ("remediator.aws.rotate_handler.handler", role_arn("remediator-rotator")),
        "remediator-remediate": ("remediator.aws.remediate_handler.handler", role_arn("remediator")),
        "remediator-watch": ("remediator.aws.watch_handler.handler", role_arn("remediator-watcher")),
    }


@pytest.mark.parametrize("name", NAMES)
def test_functions_run_on_python_3_13_without_tracing(deployed: Deployed, name: str) -> None:
    function = deployed.one(FUNCTION, FunctionName=name)
    assert function["Runtime"] == "python3.13"
    assert "TracingConfig" not in function
    assert "Layers" not in function
    assert not any("TRACE" in key for key in function["Environment"]["Variables"])


def test_a_run_of_the_rotator_ends_before_its_lease_does(deployed: Deployed) -> None:
    assert deployed.one(FUNCTION, FunctionName="remediator-rotate")["Timeout"] * 2 <= LEASE


def test_a_request_may_work_as_long_as_an_attempt_lasts(deployed: Deployed) -> None:
    timeout = deployed.one(FUNCTION, FunctionName="remediator-remediate")["Timeout"]
    assert LONGEST_RUN + 10 < timeout < PERIOD


def test_the_rotator_understands_its_environment(deployed: Deployed) -> None:
    settings = rotate_settings(environment(deployed, "remediator-rotate"))
    assert settings.deployment == DEPLOYMENT
    assert settings.state_table == "remediator-state"
    assert list(settings.seed_secrets) == SECRETS
    assert settings.write_role_name == "remediator-write"
    assert settings.remediator_role_arn == role_arn("remediator")


def test_the_watcher_understands_its_environment(deployed: Deployed) -> None:
    settings = watch_settings(environment(deployed, "remediator-watch"))
    assert settings.receipts_table == RECEIPTS_TABLE
    assert settings.ours.remediator_arn == role_arn("remediator")
    ids = (settings.ours.remediator_id, settings.ours.rotator_id, settings.ours.operator_id)
    assert ids == ("AROAremediator", "AROAremediator-rotator", "AROAremediator-operator")


def test_the_remediator_understands_its_environment(deployed: Deployed) -> None:
    settings = remediate_settings(environment(deployed, "remediator-remediate"))
    assert settings.deployment == DEPLOYMENT
    assert (settings.state_table, settings.receipts_table) == ("remediator-state", RECEIPTS_TABLE)
    assert settings.write_role_arn == role_arn("remediator-write")
    assert settings.reader_role_id == "AROAremediator-reader"
    assert settings.operator_role_id == "AROAremediator-operator"
    assert settings.vendor_rollback is False
    assert settings.retention_days == 400
    assert (settings.scope.home.partition, settings.scope.home.account) == ("aws", ACCOUNT)
    assert settings.scope.regions == {"eu-west-1"}
    assert settings.scope.fixes == {fix.id for fix in all_fixes("aws")}
    assert len(settings.scope.own) > 15
    assert settings.account_alias == ACCOUNT


def test_what_the_deployer_chose_reaches_the_remediator(deployed_with: Callable[..., Deployed]) -> None:
    chosen = environment(
        deployed_with(vendor_rollback="true", regions="eu-west-3,eu-west-1", retention_days="90"),
        "remediator-remediate",
    )
    settings = remediate_settings(chosen)
    assert settings.vendor_rollback is True
    assert settings.scope.regions == {"eu-west-1", "eu-west-3"}
    assert settings.retention_days == 90


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_fits_into_what_lambda_takes(deployed: Deployed, name: str) -> None:
    assert len(json.dumps(environment(deployed, name))) < 4096


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_passed_that_the_function_does_not_read(deployed: Deployed, name: str) -> None:
    read: set[str] = set()

    class Watched(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            read.add(key)
            return super().__getitem__(key)

        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            return super().get(key, default)

    watched = Watched(environment(deployed, name))
    readers: dict[str, Any] = dict(zip(NAMES, (rotate_settings, remediate_settings, watch_settings), strict=True))
    readers[name](watched)
    assert watched.keys() - read == {
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_SERVICE_NAME",
    }


def test_concurrency_is_reserved_only_where_the_account_can(
    deployed: Deployed, deployed_with: Callable[..., Deployed]
) -> None:
    def reserved(synthesized: Deployed) -> list[Any]:
        return [synthesized.one(FUNCTION, FunctionName=name).get("ReservedConcurrentExecutions") for name in NAMES]

    assert reserved(deployed) == [None, None, None]
    assert reserved(deployed_with(reserved_concurrency="true")) == [1, 5, 2]


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_architecture_is_the_deployers_choice(deployed_with: Callable[..., Deployed], architecture: str) -> None:
    functions = deployed_with(architecture=architecture).of_type(FUNCTION).values()
    assert [one["Architectures"] for one in functions] == [[architecture]] * len(NAMES)


def test_a_function_starts_only_when_its_log_group_is_there(deployed: Deployed) -> None:
    for name in NAMES:
        waits_for = deployed.resource(FUNCTION, FunctionName=name)["DependsOn"]
        groups = [deployed.template["Resources"][one]["Properties"].get("LogGroupName") for one in waits_for]
        assert f"/aws/lambda/{name}" in groups


def test_the_endpoint_wants_signatures_and_answers_whole(deployed: Deployed) -> None:
    url = deployed.one("AWS::Lambda::Url")
    assert (url["AuthType"], url["InvokeMode"]) == ("AWS_IAM", "BUFFERED")
    assert "Cors" not in url
    assert url["TargetFunctionArn"].endswith(":function:remediator-remediate")


def test_the_rotator_runs_in_the_middle_of_each_window_by_the_clock(deployed: Deployed) -> None:
    schedule = deployed.one("AWS::Scheduler::Schedule")
    assert schedule["Name"] == "remediator-rotate"
    assert schedule["ScheduleExpression"] == "cron(2/5 * * * ? *)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["Target"]["Arn"] == ROTATE
    assert schedule["Target"]["RoleArn"] == role_arn("remediator-scheduler")


def test_a_rotation_is_given_up_before_the_next_is_due_and_then_rings(deployed: Deployed) -> None:
    target = deployed.one("AWS::Scheduler::Schedule")["Target"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 120, "MaximumRetryAttempts": 2}
    assert target["DeadLetterConfig"] == {"Arn": DEAD_LETTERS}
    config = deployed.one("AWS::Lambda::EventInvokeConfig")
    assert config["FunctionName"] == "remediator-rotate"
    assert (config["MaximumEventAgeInSeconds"], config["MaximumRetryAttempts"]) == (120, 1)
    assert config["DestinationConfig"] == {"OnFailure": {"Destination": DEAD_LETTERS}}
