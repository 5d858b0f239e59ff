"""The service control policy for organizations: what it keeps from whom, by two evaluators."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra.aws import names
from tests.infra.conftest import ROOT
from tests.infra.deployed import ACCOUNT, FORMER_RECEIPTS, KEY, RECEIPTS, REMEDIATE, SECRETS, STATE, arn
from tests.infra.deployed import role_arn as role
from tests.local.iam.oracle import Case, ask_the_oracle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.infra.deployed import Deployed

LIMIT = 5_120
"""Characters of a service control policy, white space counted unless the console takes it away."""

SCP: dict[str, Any] = json.loads((ROOT / "infra/aws/scp.json").read_bytes())
EVERYTHING: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}

ADMIN, VENDOR = role("Admin"), role("remediator-reader")
ROTATOR, REMEDIATOR, OPERATOR = role("remediator-rotator"), role("remediator"), role("remediator-operator")
EXEC = role(f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-1")
PUBLISHER = role(f"cdk-hnb659fds-file-publishing-role-{ACCOUNT}-eu-west-1")
WRITE = role("remediator-write")
OTHERS_ROLES = [role(one) for one in ("remediator", "remediator-rotator", "remediator-operator", "remediator-reader")]
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/remediator-write-boundary"
ASSETS = f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-eu-west-1"
ALIASED = {"kms:ResourceAliases": ["alias/remediator"]}

ONLY = {
    ("sts:AssumeRole", WRITE): {REMEDIATOR},
    ("iam:UpdateAssumeRolePolicy", WRITE): {ROTATOR, EXEC},
    ("iam:PutRolePolicy", WRITE): {OPERATOR, EXEC},
    **{(f"iam:{verb}", WRITE): {EXEC} for verb in ("AttachRolePolicy", "DetachRolePolicy", "DeleteRolePolicy")},
    **{(f"iam:{verb}", WRITE): {EXEC} for verb in ("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary")},
    **{("iam:UpdateRole", one): {EXEC} for one in [*OTHERS_ROLES, WRITE]},
    **{("iam:PassRole", one): {EXEC} for one in OTHERS_ROLES},
    ("iam:CreateRole", role("remediator-mine")): {EXEC},
    ("iam:CreatePolicyVersion", BOUNDARY): {EXEC},
    ("lambda:UpdateFunctionCode", REMEDIATE): {ROTATOR, REMEDIATOR, OPERATOR, VENDOR, EXEC, PUBLISHER},
    ("secretsmanager:GetSecretValue", SECRETS[0]): {ROTATOR, REMEDIATOR, OPERATOR, VENDOR, EXEC, PUBLISHER},
    ("dynamodb:PutItem", STATE): {ROTATOR, REMEDIATOR, OPERATOR, VENDOR, EXEC, PUBLISHER},
    ("s3:PutObject", f"{ASSETS}/code.zip"): {ROTATOR, REMEDIATOR, OPERATOR, VENDOR, EXEC, PUBLISHER},
    ("dynamodb:DeleteItem", RECEIPTS): {REMEDIATOR, EXEC},
    ("dynamodb:DeleteTable", FORMER_RECEIPTS): {REMEDIATOR, EXEC},
    ("kms:ScheduleKeyDeletion", KEY): {EXEC},
    ("kms:PutKeyPolicy", KEY): {EXEC},
}
"""Action and resource → whom the policy leaves it to; what they may really do, their own policies say."""

EVERYBODY = {
    ("iam:GetRole", WRITE),
    ("sts:AssumeRole", OPERATOR),
    ("lambda:GetFunction", REMEDIATE),
    ("dynamodb:DescribeTable", STATE),
    ("dynamodb:Query", RECEIPTS),
    ("logs:FilterLogEvents", arn("logs", "log-group:/aws/lambda/remediator-rotate")),
    ("cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:remediator-wrong-code")),
    ("iam:UpdateAssumeRolePolicy", role("another")),
    ("iam:PutRolePolicy", role("another")),
    ("lambda:UpdateFunctionCode", arn("lambda", "function:another")),
    ("kms:Decrypt", KEY),
    ("s3:PutObject", "arn:aws:s3:::photographs/1.jpg"),
}
WHO = (ADMIN, VENDOR, ROTATOR, REMEDIATOR, OPERATOR, EXEC, PUBLISHER)


def asked(who: str, action: str, resource: str, scp: dict[str, Any] = SCP) -> Case:
    """Ask as an administrator in every other respect, under our policy beside one that allows everything."""
    context = {"aws:PrincipalArn": who, **(ALIASED if action.startswith("kms:") else {})}
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{who.rpartition('/')[2]}/session"
    control = EVERYTHING | {"Statement": [*EVERYTHING["Statement"], *scp["Statement"]]}
    invites = {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": action}
    on = {"Resource": "*"} if action.startswith("kms:") else {}
    policy = EVERYTHING | {"Statement": [invites | on]} if action.startswith(("kms:", "sts:")) else None
    return Case(action, resource, [EVERYTHING], context=context, control=[control], principal=session, policy=policy)


def cases() -> Iterator[tuple[Case, bool]]:
    for (action, resource), allowed in ONLY.items():
        for who in WHO:
            yield asked(who, action, resource), who in allowed
    for action, resource in sorted(EVERYBODY):
        for who in WHO:
            yield asked(who, action, resource), True


def test_it_fits_as_it_is_written_into_an_organizations_policy() -> None:
    length = len(json.dumps(SCP, separators=(",", ":")))
    assert length <= LIMIT
    assert f"{length:,} characters of the {LIMIT:,}" in (ROOT / "docs/operations.md").read_text()


def test_each_thing_is_left_to_those_it_is_for_and_to_nobody_else() -> None:
    differing = [
        (case.context["aws:PrincipalArn"], case.action, case.resource, decision.reason)
        for case, allowed in cases()
        if (decision := case.decide()).allowed is not allowed
    ]
    assert differing == []


def test_an_independent_evaluator_agrees_on_all_of_it() -> None:
    all_cases = list(cases())
    answers = ask_the_oracle([case for case, _ in all_cases])
    differing = [
        (case.context["aws:PrincipalArn"], case.action, case.resource, answer)
        for (case, allowed), answer in zip(all_cases, answers, strict=True)
        if (answer == "Allowed") is not allowed
    ]
    assert differing == []


def test_no_statement_is_there_for_nothing() -> None:
    """Taken out one by one, each is missed by somebody to whom a thing isn't left."""
    denied = [
        (who, action, resource) for (action, resource), allowed in ONLY.items() for who in WHO if who not in allowed
    ]
    for statement in SCP["Statement"]:
        rest = SCP | {"Statement": [one for one in SCP["Statement"] if one is not statement]}
        let_through = [who for who, action, resource in denied if asked(who, action, resource, rest).decide().allowed]
        assert let_through, statement["Sid"]


def test_it_hinders_nothing_that_the_deployments_own_roles_are_granted(deployed: Deployed) -> None:
    """What the stack itself allows its roles on its own resources, the organization's policy leaves them."""
    hindered = []
    for name in deployed.roles:
        for statement in deployed.statements(name):
            if statement["Effect"] != "Allow":
                continue
            for action in statement["Action"]:
                hindered += [
                    (name, action, resource)
                    for resource in statement["Resource"]
                    if resource != "*" and not asked(role(name), action, resource.replace("*", "x")).decide().allowed
                ]
    assert hindered == []


def test_it_names_what_the_stack_names() -> None:
    text = json.dumps(SCP)
    for name in (names.WRITE_ROLE, names.REMEDIATOR_ROLE, names.ROTATOR_ROLE, names.OPERATOR_ROLE, names.KEY_ALIAS):
        assert f'{name}"' in text, name
