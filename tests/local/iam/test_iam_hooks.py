"""What we rely on inside moto: if a new version of it breaks one of these, the enforcement would hang in the air."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.responses import BaseResponse
from moto.core.routing import get_service_router
from moto.core.utils import convert_to_flask_response
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse
from moto.s3.models import FakeBucket
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from remediator.local.iam import additions, entities, install
from remediator.local.iam.hooks import add, wrap
from remediator.local.iam.services import by_parameter

HOOKED = [
    (convert_to_flask_response, "__call__", ["self", "args", "kwargs"]),
    (BaseResponse, "_get_action", ["self"]),
    (FakeBucket, "get_permission", ["self", "action", "resource"]),
    (TokenResponse, "assume_role", ["self"]),
    (IamResponse, "create_user", ["self"]),
    (
        STSBackend,
        "assume_role",
        ["self", "region_name", "role_session_name", "role_arn", "policy", "duration", "external_id"],
    ),
]
LACKING = [
    "put_user_permissions_boundary",
    "delete_user_permissions_boundary",
    "simulate_principal_policy",
    "simulate_custom_policy",
]


@pytest.mark.parametrize(("owner", "name", "parameters"), HOOKED)
def test_a_hooked_method_has_the_parameters_that_we_pass_on(owner: type, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


@pytest.mark.parametrize("name", LACKING)
def test_moto_still_lacks_what_we_add(name: str) -> None:
    assert not hasattr(IamResponse, name)


def test_the_list_of_iams_writes_is_complete() -> None:
    prefixes = (
        "create_",
        "delete_",
        "put_",
        "attach_",
        "detach_",
        "update_",
        "set_",
        "add_",
        "remove_",
        "tag_",
        "untag_",
    )
    subjects = ("role", "user", "group", "policy", "boundary")
    writes = {
        name for name in vars(IAMBackend) if name.startswith(prefixes) and any(subject in name for subject in subjects)
    }
    assert writes - set(entities.MUTATORS) == {
        # They change what nobody is allowed or refused by, or go through one of the others.
        *(
            "create_group",
            "delete_group",
            "update_group",
            "create_policy",
            "delete_policy",
            "tag_policy",
            "untag_policy",
        ),
        *("update_role_description", "update_user", "tag_user", "untag_user", "create_service_linked_role"),
        *("delete_service_linked_role", "add_role_to_instance_profile", "remove_role_from_instance_profile"),
        *("create_inline_policy", "update_inline_policy", "delete_inline_policy", "update_account_password_policy"),
        *("delete_account_password_policy",),
    }
    assert set(entities.MUTATORS) - writes == {"set_user_boundary"}


def test_moto_reads_requests_of_every_protocol() -> None:
    assert set(PROTOCOL_PARSERS) == {"ec2", "json", "query", "rest-json", "rest-xml"}
    for service in (
        "s3",
        "sts",
        "iam",
        "dynamodb",
        "secretsmanager",
        "kms",
        "ec2",
        "rds",
        "lambda",
        "logs",
        "scheduler",
    ):
        assert get_service_router(service)


def test_a_method_that_moto_no_longer_has_is_an_error() -> None:
    with pytest.raises(AttributeError):
        wrap(IAMBackend, "no_such_method", lambda *_: None)


def test_everything_hooked_is_motos_own_again_afterwards() -> None:
    def current() -> list[Any]:
        written = [getattr(IAMBackend, name, None) for name in entities.MUTATORS]
        return [*(getattr(owner, name) for owner, name, _ in HOOKED), *written]

    before = current()
    installation = install(bypass=[])
    with pytest.raises(RuntimeError, match="already installed"):
        install(bypass=[])
    hooked = current()
    installation.uninstall()
    assert current() == before
    assert not any(ours is theirs for ours, theirs in zip(hooked, before, strict=True))


def test_a_member_that_moto_has_learnt_is_an_error() -> None:
    with pytest.raises(AttributeError, match="of its own"):
        add(IAMBackend, "get_role", None)


def test_a_wrapped_method_is_the_old_one_again_after_undoing() -> None:
    before = IAMBackend.get_role
    undo = wrap(IAMBackend, "get_role", lambda original, *args: original(*args))
    assert IAMBackend.get_role is not before
    undo()
    assert IAMBackend.get_role is before


def test_the_additions_can_be_taken_away_again() -> None:
    additions.install()()
    assert not any(hasattr(IamResponse, name) for name in LACKING)


def test_every_service_of_ours_is_in_the_table_of_resources() -> None:
    special = {"cloudformation", "ec2", "logs", "scheduler", "sqs"}
    assert {"cloudwatch", "ecr", "lambda", "rds", "sns", "ssm"} <= set(by_parameter._RESOURCES) | special
