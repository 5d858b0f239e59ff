"""Secrets Manager: secrets by name or ARN, batches, and the key that protects a secret.

Sources: Service Authorization Reference, "AWS Secrets Manager"; Secrets Manager User Guide, "Secret encryption" (the
caller's own permissions on a customer managed key are used, via Secrets Manager).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.secretsmanager.models import secretsmanager_backends

from remediator.local.iam.check import Check

from . import keys

if TYPE_CHECKING:
    from remediator.local.iam.apicall import ApiCall

_WITHOUT_SECRET: Final = frozenset(
    {"ListSecrets", "GetRandomPassword", "ValidateResourcePolicy", "BatchGetSecretValue"}
)
_READS: Final = frozenset({"GetSecretValue"})
_WRITES: Final = frozenset({"PutSecretValue", "CreateSecret", "UpdateSecret"})
_CONTEXT: Final = {
    "VersionId": "secretsmanager:VersionId",
    "VersionStage": "secretsmanager:VersionStage",
    "Name": "secretsmanager:Name",
    "KmsKeyId": "secretsmanager:KmsKeyId",
}


def checks(call: ApiCall) -> list[Check]:
    """Return what a Secrets Manager operation needs; a batch needs its own action, and the read of each secret."""
    if call.operation == "BatchGetSecretValue":
        listed = [check for name in _batched(call) for check in _read(call, name)]
        return [Check("secretsmanager:BatchGetSecretValue"), *listed]
    if call.operation in _WITHOUT_SECRET:
        return [Check(f"secretsmanager:{call.operation}")]
    if call.operation == "CreateSecret":
        resource = call.arn(f"secret:{call.params.get('Name')}-??????")
        return [_check(call, resource), *_key_use(call, resource, None)]
    secret = _find(call, str(call.params.get("SecretId")))
    resource = secret.arn if secret else _unknown(call, str(call.params.get("SecretId")))
    return [_check(call, resource), *_key_use(call, resource, secret)]


def _check(call: ApiCall, resource: str) -> Check:
    context = {key: str(call.params[name]) for name, key in _CONTEXT.items() if call.params.get(name)}
    if call.params.get("SecretId"):
        context["secretsmanager:SecretId"] = resource
    return Check(f"secretsmanager:{call.operation}", resource, context)


def _batched(call: ApiCall) -> list[str]:
    if call.params.get("SecretIdList"):
        return [str(name) for name in call.params["SecretIdList"]]
    backend = secretsmanager_backends[call.account][call.region]
    found, _ = backend.list_secrets(call.params.get("Filters") or [])
    return [str(secret["ARN"]) for secret in found]


def _read(call: ApiCall, name: str) -> list[Check]:
    secret = _find(call, name)
    resource = secret.arn if secret else _unknown(call, name)
    context = {"secretsmanager:SecretId": resource}
    return [Check("secretsmanager:GetSecretValue", resource, context), *_uses(call, resource, secret, ("Decrypt",))]


def _find(call: ApiCall, name: str) -> Any:  # noqa: ANN401 - moto's FakeSecret
    return secretsmanager_backends[call.account][call.region].secrets.get(name)


def _unknown(call: ApiCall, name: str) -> str:
    return name if name.startswith("arn:") else call.arn(f"secret:{name}")


def _key_use(call: ApiCall, resource: str, secret: Any) -> list[Check]:  # noqa: ANN401 - moto's FakeSecret
    if call.operation in _READS:
        return _uses(call, resource, secret, ("Decrypt",))
    carries_value = any(call.params.get(name) for name in ("SecretString", "SecretBinary"))
    if call.operation in _WRITES and carries_value:
        return _uses(call, resource, secret, ("GenerateDataKey", "Decrypt"))
    return []


def _uses(call: ApiCall, resource: str, secret: Any, actions: tuple[str, ...]) -> list[Check]:  # noqa: ANN401 - moto's
    key = call.params.get("KmsKeyId") or (getattr(secret, "kms_key_id", None) if secret else None)
    return keys.uses(call, key, actions, {"SecretARN": resource})
