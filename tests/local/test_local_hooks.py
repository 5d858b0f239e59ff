"""What is replaced inside moto: that it is there, that it takes what we think, and that ours is what runs."""

from __future__ import annotations

import inspect
import os
import socket
from typing import TYPE_CHECKING, Any

import moto
import pytest
from moto.awslambda.models import FunctionUrlConfig, LambdaBackend, LambdaFunction
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse
from moto.cloudformation.models import CloudFormationBackend
from moto.core.base_backend import BackendDict
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler
from moto.ec2.models.instances import InstanceBackend
from moto.events.models import Rule
from moto.iam import models as iam_models
from moto.rds.models import RDSBackend
from moto.s3.responses import S3Response
from moto.secretsmanager.models import SecretsManagerBackend

from remediator.local.account import EmbeddedAccount
from remediator.local.emulator.hooks import HookMismatch, Hooks
from remediator.local.emulator.installed import AlreadyRunning

if TYPE_CHECKING:
    from collections.abc import Callable

# Everything of moto's that is replaced, with the parameters that it must have.
REPLACED: list[tuple[Any, str, str]] = [
    (iam_models, "get_account_id_from", "access_key"),
    (LambdaResponse, "invoke", "self"),
    (LambdaResponse, "remove_permission", "self"),
    (LambdaFunction, "_invoke_lambda", "self event"),
    (LambdaFunction, "update_configuration", "self config_updates"),
    (LambdaFunction, "get_configuration", "self on_create"),
    (LambdaFunction, "create_url_config", "self config"),
    (LambdaFunction, "delete_url_config", "self"),
    (LambdaBackend, "create_function", "self spec"),
    (LambdaBackend, "delete_function", "self function_name qualifier"),
    (LambdaBackend, "put_function_event_invoke_config", "self function_name config"),
    (LambdaBackend, "add_permission", "self function_name qualifier raw"),
    (LambdaBackend, "get_policy", "self function_name qualifier"),
    (Policy, "add_statement", "self raw qualifier"),
    (S3Response, "get_bucket_encryption", "self"),
    (
        InstanceBackend,
        "modify_instance_metadata_options",
        "self instance_id http_tokens hop_limit http_endpoint dry_run http_protocol metadata_tags",
    ),
    (RDSBackend, "modify_db_instance", "self db_instance_identifier db_kwargs"),
    (RDSBackend, "describe_db_instances", "self db_instance_identifier filters"),
    (SecretsManagerBackend, "batch_get_secret_value", "self secret_id_list filters max_results next_token"),
    (DynamoHandler, "transact_write_items", "self"),
    (DynamoDBBackend, "transact_write_items", "self transact_items"),
    (Rule, "put_targets", "self targets"),
    (Rule, "send_to_targets", "self original_event transform_input"),
    (
        CloudFormationBackend,
        "create_stack",
        (
            "self name template parameters notification_arns tags role_arn enable_termination_protection"
            " timeout_in_mins stack_policy_body"
        ),
    ),
    (CloudFormationBackend, "update_stack", "self name template role_arn parameters tags"),
    (CloudFormationBackend, "delete_stack", "self name_or_stack_id"),
    (
        CloudFormationBackend,
        "create_change_set",
        (
            "self stack_name change_set_name template parameters description change_set_type notification_arns"
            " tags role_arn"
        ),
    ),
    (CloudFormationBackend, "execute_change_set", "self change_set_name stack_name"),
    (CloudFormationBackend, "delete_change_set", "self change_set_name"),
]


def _parameters(function: Callable[..., Any]) -> str:
    return " ".join(inspect.signature(function).parameters)


def test_moto_is_the_version_that_the_hooks_were_written_for() -> None:
    assert moto.__version__ == "5.2.5"


@pytest.mark.parametrize(("owner", "name", "parameters"), REPLACED)
def test_what_is_replaced_is_there_and_takes_what_we_think(owner: Any, name: str, parameters: str) -> None:
    original = inspect.getattr_static(owner, name)
    assert original.__module__.startswith("moto.")
    assert _parameters(original) == parameters


def test_ours_runs_while_an_account_is_up_and_motos_before_and_after() -> None:
    before = {(owner, name): inspect.getattr_static(owner, name) for owner, name, _ in REPLACED}
    with EmbeddedAccount():
        during = {(owner, name): inspect.getattr_static(owner, name) for owner, name, _ in REPLACED}
    after = {(owner, name): inspect.getattr_static(owner, name) for owner, name, _ in REPLACED}
    assert [key for key in before if during[key] is before[key]] == []
    assert all(function.__module__.startswith("remediator.local.") for function in during.values())
    assert after == before


def test_every_replacement_of_ours_is_in_the_list_above() -> None:
    listed = {(owner, name) for owner, name, _ in REPLACED}
    replaced: set[tuple[Any, str]] = set()
    original = Hooks.replace

    def recording(self: Hooks, owner: Any, name: str, replacement: Callable[..., Any]) -> Callable[..., Any]:
        replaced.add((owner, name))
        return original(self, owner, name, replacement)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hooks, "replace", recording)
        with EmbeddedAccount():
            pass
    assert replaced == listed


def test_what_is_only_read_is_there_too() -> None:
    configuration = inspect.signature(FunctionUrlConfig.__init__).parameters
    assert list(configuration) == ["self", "function", "config"]
    assert isinstance(getattr(BackendDict, "_instances", None), list)
    for attribute in ("code_bytes", "code_sha_256", "environment_vars", "reserved_concurrency", "event_invoke_config"):
        assert attribute in inspect.getsource(LambdaFunction), attribute


def test_a_replacement_with_other_parameters_is_refused() -> None:
    hooks = Hooks()
    with pytest.raises(HookMismatch, match="takes"):
        hooks.replace(LambdaResponse, "invoke", lambda self, more: (self, more))
    assert inspect.getattr_static(LambdaResponse, "invoke").__module__ == "moto.awslambda.responses"


def test_a_replacement_of_what_isnt_there_is_refused() -> None:
    with pytest.raises(HookMismatch, match="has no"):
        Hooks().replace(LambdaResponse, "no_such_thing", lambda self: self)


def test_an_account_leaves_the_environment_as_it_was() -> None:
    before = dict(os.environ)
    with EmbeddedAccount():
        assert os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] == "true"
    assert dict(os.environ) == before


def test_one_process_hosts_one_account_at_a_time() -> None:
    with EmbeddedAccount(), pytest.raises(AlreadyRunning), EmbeddedAccount():
        pass
    with EmbeddedAccount():
        pass


def test_an_account_forgets_everything_when_it_closes() -> None:
    with EmbeddedAccount() as first:
        client: Any = first.client("s3")
        client.create_bucket(Bucket="left", CreateBucketConfiguration={"LocationConstraint": first.region})
    with EmbeddedAccount() as second:
        client = second.client("s3")
        assert client.list_buckets()["Buckets"] == []
        client.create_bucket(Bucket="left", CreateBucketConfiguration={"LocationConstraint": second.region})


def test_an_account_that_cannot_start_leaves_nothing_behind() -> None:
    before = {(owner, name): inspect.getattr_static(owner, name) for owner, name, _ in REPLACED}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"), EmbeddedAccount(port=taken.getsockname()[1]):
            pass
    assert {(owner, name): inspect.getattr_static(owner, name) for owner, name, _ in REPLACED} == before
    with EmbeddedAccount() as account:
        client: Any = account.client("sts")
        assert client.get_caller_identity()["Account"] == account.identities.admin.arn.split(":")[4]
