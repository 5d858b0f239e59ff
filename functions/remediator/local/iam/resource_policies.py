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
from .arns import Arn, state_of
from .policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from .check import Check

_ROLE_ACTIONS: Final = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def owner(arn: str, caller_account: str) -> str:
    """Return the account that owns a resource: the caller's where the ARN doesn't say."""
    parsed = Arn.parse(arn)
    if parsed is None:
        return caller_account
    if parsed.service == "s3" and not parsed.account:
        known = s3_backends.bucket_accounts.get(_bucket_name(parsed))
        return str(known[1]) if known else caller_account
    return parsed.account if parsed.account not in ("", "aws") else caller_account


def policy_of(check: Check, *, delay: float = 0.0) -> Policy | None:
    """Return the resource's policy, if it has one that concerns this action; raises `Malformed`.

    `delay` is how many seconds late a role's trust policy is seen.
    """
    arn = Arn.parse(check.resource)
    if arn is None:
        return None
    if check.action in _ROLE_ACTIONS:
        role = entities.entity(check.resource, delay)
        return role.trust_policy() if role else None
    reader = _READERS.get(check.action.partition(":")[0])
    document = reader(arn) if reader else None
    if not document:
        return None
    text = entities.as_text(document.decode() if isinstance(document, bytes) else document)
    return Policy.parse(f"policy of {arn.resource}", text)


def _bucket_name(arn: Arn) -> str:
    return arn.resource.partition("/")[0]


def _bucket(arn: Arn) -> Any:  # noqa: ANN401 - moto keeps bytes, text or objects; so below
    name = _bucket_name(arn)
    known = s3_backends.bucket_accounts.get(name)
    bucket = s3_backends[known[1]][known[0]].buckets.get(name) if known else None
    return bucket.policy if bucket else None


def _key(arn: Arn) -> Any:  # noqa: ANN401
    state = state_of(kms_backends, arn.account, arn.region)
    key = state.keys.get(arn.resource.removeprefix("key/")) if state else None
    return key.policy if key else None


def _secret(arn: Arn) -> Any:  # noqa: ANN401
    state = state_of(secretsmanager_backends, arn.account, arn.region)
    name = f"arn:{arn.partition}:secretsmanager:{arn.region}:{arn.account}:{arn.resource}"
    return getattr(state.secrets.get(name), "policy", None) if state else None


def _queue(arn: Arn) -> Any:  # noqa: ANN401
    state = state_of(sqs_backends, arn.account, arn.region)
    queue = state.queues.get(arn.resource) if state else None
    return queue.policy if queue else None


def _topic(arn: Arn) -> Any:  # noqa: ANN401
    state = state_of(sns_backends, arn.account, arn.region)
    topic = state.topics.get(f"arn:{arn.partition}:sns:{arn.region}:{arn.account}:{arn.resource}") if state else None
    return topic.policy if topic else None


def _function(arn: Arn) -> Any:  # noqa: ANN401
    state = state_of(lambda_backends, arn.account, arn.region)
    name = arn.resource.removeprefix("function:").partition(":")[0]
    functions = [function for function in state.list_functions() if function.function_name == name] if state else []
    statements = functions[0].policy.statements if functions else []
    return {"Version": "2012-10-17", "Statement": statements} if statements else None


def _repository(arn: Arn) -> Any:  # noqa: ANN401
    state = state_of(ecr_backends, arn.account, arn.region)
    repository = state.repositories.get(arn.resource.removeprefix("repository/")) if state else None
    return repository.policy if repository else None


def _table(arn: Arn) -> Any:  # noqa: ANN401
    state = state_of(dynamodb_backends, arn.account, arn.region)
    table = "/".join(arn.resource.split("/")[:2])  # an index has its table's policy
    name = f"arn:{arn.partition}:dynamodb:{arn.region}:{arn.account}:{table}"
    policy = state.resource_policies.get(name) if state else None
    return policy.policy_doc if policy else None


_READERS: Final[dict[str, Callable[[Arn], Any]]] = {
    "dynamodb": _table,
    "ecr": _repository,
    "kms": _key,
    "lambda": _function,
    "s3": _bucket,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
