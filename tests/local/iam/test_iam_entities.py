"""The attributes of moto's entities that we read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.iam.models import Group, iam_backends
from moto.sts.models import sts_backends

from tests.local.iam.iam_account import ACCOUNT, allow, document, refused, trust

if TYPE_CHECKING:
    from tests.local.iam.iam_account import Account


def test_motos_entities_have_the_attributes_that_we_read(account: Account) -> None:
    caller = account.user(allow("s3:*"))
    role = account.role(trust({"AWS": caller.arn}))
    account.assume(caller, role)
    backend = iam_backends[ACCOUNT]["aws"]
    wanted: list[tuple[Any, tuple[str, ...]]] = [
        (
            next(iter(backend.roles.values())),
            ("arn", "id", "name", "policies", "managed_policies", "permissions_boundary_arn"),
        ),
        (next(iter(backend.roles.values())), ("assume_role_policy_document", "max_session_duration", "tags")),
        (next(iter(backend.users.values())), ("arn", "id", "policies", "managed_policies", "access_keys", "tags")),
        (next(iter(backend.users.values())).access_keys[0], ("access_key_id", "secret_access_key", "status")),
        (sts_backends[ACCOUNT]["aws"].assumed_roles[0], ("expiration", "policy", "session_name")),
        (Group("1", "r", "g"), ("policies", "managed_policies", "users")),
    ]
    for thing, names in wanted:
        assert [name for name in names if not hasattr(thing, name)] == []


def test_an_unreadable_policy_refuses_and_says_so(account: Account) -> None:
    keys = account.session(allow("dynamodb:ListTables"))
    role = keys.arn.split("/")[1]
    iam_backends[ACCOUNT]["aws"].get_role(role).policies["broken"] = "{"
    mark = account.installation.calls.mark()
    assert refused(lambda: account.client("dynamodb", keys).list_tables()) == "AccessDeniedException"
    (call,) = account.installation.calls.since(mark)
    assert "'broken' can't be read" in call.reason


def test_a_boundary_that_was_deleted_allows_nothing(account: Account) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}), allow("*"), boundary=document(allow("*")))
    keys = account.assume(caller, role)
    account.client("dynamodb", keys).list_tables()
    backend = iam_backends[ACCOUNT]["aws"]
    del backend.managed_policies[str(backend.get_role(role.rpartition("/")[2]).permissions_boundary_arn)]
    assert refused(lambda: account.client("dynamodb", keys).list_tables()) == "AccessDeniedException"


def test_groups_and_managed_policies_count(account: Account) -> None:
    iam, user = account.client("iam"), account.user()
    name, group = user.arn.rpartition("/")[2], account.name("group")
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=name)
    iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=json.dumps(document(allow("iam:ListUsers"))))
    iam.attach_group_policy(GroupName=group, PolicyArn=account.policy(document(allow("iam:ListRoles"))))
    iam.attach_user_policy(UserName=name, PolicyArn=account.policy(document(allow("iam:ListGroups"))))
    mine = account.client("iam", user)
    mine.list_users()
    mine.list_roles()
    mine.list_groups()
    assert refused(mine.list_policies) == "AccessDenied"


def test_only_a_policys_default_version_counts(account: Account) -> None:
    iam, user = account.client("iam"), account.user()
    policy = account.policy(document(allow("iam:ListUsers")))
    iam.attach_user_policy(UserName=user.arn.rpartition("/")[2], PolicyArn=policy)
    mine = account.client("iam", user)
    mine.list_users()
    other = json.dumps(document(allow("iam:ListRoles")))
    version = iam.create_policy_version(PolicyArn=policy, PolicyDocument=other)["PolicyVersion"]["VersionId"]
    mine.list_users()
    iam.set_default_policy_version(PolicyArn=policy, VersionId=version)
    mine.list_roles()
    assert refused(mine.list_users) == "AccessDenied"


def test_tags_of_a_role_are_its_sessions_tags(account: Account) -> None:
    caller = account.user()
    team = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    rights = allow("dynamodb:ListTables", Condition=team)
    for value, fine in (("red", True), ("blue", False)):
        role = account.role(trust({"AWS": caller.arn}), rights, Tags=[{"Key": "team", "Value": value}])
        dynamodb = account.client("dynamodb", account.assume(caller, role))
        if fine:
            dynamodb.list_tables()
        else:
            assert refused(dynamodb.list_tables) == "AccessDeniedException"
