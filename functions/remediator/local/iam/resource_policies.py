"""Find the policy that a resource itself carries, and the account that owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.awslambda.models import lambda_backends
from moto.dynamodb.models import dynamodb_backends
from moto.ecr.models import ecr_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from . import entities
from .policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from .check import Check

_ROLE_ACTIONS: Final = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def owner(arn: str, caller_account: str) -> str:
    """Return the account that owns a resource: the caller's where the ARN doesn't say."""
    parts = arn.split(":")
    if arn == "*" or len(parts) < 6:  # noqa: PLR2004 - an ARN has six parts
        return caller_account
    if parts[2] == "s3" and not parts[4]:
        known = s3_backends.bucket_accounts.get(_bucket_name(arn))
        return str(known[1]) if known else caller_account
    return parts[4] if parts[4] not in ("", "aws") else caller_account


def policy_of(check: Check, *, delay: float = 0.0) -> Policy | None:
    """Return the resource's policy, if it has one that concerns this action; raises `Malformed`.

    `delay` is how many seconds late a role's trust policy is seen.
    """
    if check.action in _ROLE_ACTIONS:
        role = entities.entity(check.resource, delay)
        return role.trust_policy() if role else None
    service = check.action.partition(":")[0]
    if service not in _READERS or check.resource.count(":") < 5:  # noqa: PLR2004 - an ARN has five colons
        return None
    document = _READERS[service](check.resource)
    if not document:
        return None
    text = entities.as_text(document.decode() if isinstance(document, bytes) else document)
    return Policy.parse(f"policy of {check.resource.split(':', 5)[5]}", text)


def _split(arn: str) -> tuple[str, str, str]:
    parts = arn.split(":", 5)
    return parts[3], parts[4], parts[5]


def _bucket_name(arn: str) -> str:
    return arn.split(":", 5)[5].partition("/")[0]


def _bucket(arn: str) -> Any:  # noqa: ANN401 - moto keeps bytes, text or objects; so below
    name = _bucket_name(arn)
    known = s3_backends.bucket_accounts.get(name)
    bucket = s3_backends[known[1]][known[0]].buckets.get(name) if known else None
    return bucket.policy if bucket else None


def _key(arn: str) -> Any:  # noqa: ANN401
    region, account, resource = _split(arn)
    key = kms_backends[account][region].keys.get(resource.removeprefix("key/"))
    return key.policy if key else None


def _secret(arn: str) -> Any:  # noqa: ANN401
    region, account, _ = _split(arn)
    secret = secretsmanager_backends[account][region].secrets.get(arn)
    return getattr(secret, "policy", None)


def _queue(arn: str) -> Any:  # noqa: ANN401
    region, account, name = _split(arn)
    queue = sqs_backends[account][region].queues.get(name)
    return queue.policy if queue else None


def _topic(arn: str) -> Any:  # noqa: ANN401
    region, account, _ = _split(arn)
    topic = sns_backends[account][region].topics.get(arn)
    return topic.policy if topic else None


def _function(arn: str) -> Any:  # noqa: ANN401
    region, account, resource = _split(arn)
    name = resource.removeprefix("function:").partition(":")[0]
    for function in lambda_backends[account][region].list_functions():
        if function.function_name == name:
            statements = function.policy.statements
            return {"Version": "2012-10-17", "Statement": statements} if statements else None
    return None


def _repository(arn: str) -> Any:  # noqa: ANN401
    region, account, resource = _split(arn)
    repository = ecr_backends[account][region].repositories.get(resource.removeprefix("repository/"))
    return repository.policy if repository else None


def _table(arn: str) -> Any:  # noqa: ANN401
    region, account, resource = _split(arn)
    table = "/".join(resource.split("/")[:2])  # an index has its table's policy
    policy = dynamodb_backends[account][region].resource_policies.get(f"arn:aws:dynamodb:{region}:{account}:{table}")
    return policy.policy_doc if policy else None


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "dynamodb": _table,
    "ecr": _repository,
    "kms": _key,
    "lambda": _function,
    "s3": _bucket,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
