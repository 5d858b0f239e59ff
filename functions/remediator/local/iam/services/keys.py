"""KMS: keys by id, alias or ciphertext, and the use that other services make of them for the caller.

Sources: Service Authorization Reference, "AWS Key Management Service"; KMS Developer Guide, "kms:ViaService".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.kms.models import kms_backends
from moto.kms.utils import KEY_ID_LEN

from remediator.local.iam.arns import Arn, state_of
from remediator.local.iam.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from remediator.local.iam.apicall import ApiCall

_WITHOUT_KEY: Final = frozenset(
    {"CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "DescribeCustomKeyStores", "ListRetirableGrants"}
)
_ON_ALIAS_TOO: Final = frozenset({"CreateAlias", "DeleteAlias", "UpdateAlias"})
_CONTEXTS: Final = {
    "ReEncryptFrom": "SourceEncryptionContext",
    "ReEncryptTo": "DestinationEncryptionContext",
}


def checks(call: ApiCall) -> list[Check]:
    """Return what a KMS operation needs; aliases and re-encryption concern two resources."""
    params = call.params
    if call.operation in _WITHOUT_KEY:
        return [Check(f"kms:{call.operation}")]
    if call.operation in _ON_ALIAS_TOO:
        name = str(params.get("AliasName"))
        key = params.get("TargetKeyId") or name
        return [Check(f"kms:{call.operation}", resource) for resource in (call.arn(name), _arn(call, key))]
    if call.operation == "ReEncrypt":
        source = _key_of(call, params.get("SourceKeyId"))
        return [
            _check(call, "ReEncryptFrom", source),
            _check(call, "ReEncryptTo", str(params.get("DestinationKeyId"))),
        ]
    return [_check(call, call.operation, _key_of(call, params.get("KeyId")))]


def _key_of(call: ApiCall, given: object) -> str:
    blob = call.params.get("CiphertextBlob")
    if given or not isinstance(blob, bytes):
        return str(given)
    return blob[:KEY_ID_LEN].decode(errors="replace")


def _check(call: ApiCall, action: str, key: str) -> Check:
    context: dict[str, Any] = {"kms:CallerAccount": call.account}
    encryption = call.params.get(_CONTEXTS.get(action, "EncryptionContext")) or {}
    context.update(_encryption_context(encryption))
    if "alias/" in key:
        context["kms:RequestAlias"] = "alias/" + key.partition("alias/")[2]
    if call.operation == "CreateGrant":
        context["kms:GrantOperations"] = list(call.params.get("Operations") or [])
        context["kms:GranteePrincipal"] = str(call.params.get("GranteePrincipal"))
    return Check(f"kms:{action}", _arn(call, key), context)


def _encryption_context(pairs: Mapping[str, str]) -> dict[str, Any]:
    context: dict[str, Any] = {f"kms:EncryptionContext:{name}": value for name, value in pairs.items()}
    return {**context, "kms:EncryptionContextKeys": list(pairs)} if pairs else {}


def _arn(call: ApiCall, key: object) -> str:
    name = str(key)
    arn = Arn.parse(name)
    if arn and arn.resource.startswith("key/"):
        return name
    account, region = (arn.account, arn.region) if arn else (call.account, call.region)
    alias = arn.resource if arn else name
    state = state_of(kms_backends, account, region)
    key_id = state.get_key_id_from_alias(alias) if state and alias.startswith("alias/") else alias
    return f"arn:aws:kms:{region}:{account}:key/{key_id or alias}"


def uses(call: ApiCall, key: str | None, actions: Iterable[str], encryption: Mapping[str, str]) -> list[Check]:
    """Return what it takes that a service uses a key for the caller.

    Nothing for a key that AWS manages: its policy allows everybody who may use the service.
    """
    if not key or "alias/aws/" in key or _is_managed_by_aws(_arn(call, key)):
        return []
    context = {
        "kms:ViaService": f"{call.service}.{call.region}.amazonaws.com",
        "kms:CallerAccount": call.account,
        "aws:ViaAWSService": "true",
        **_encryption_context(encryption),
    }
    return [Check(f"kms:{action}", _arn(call, key), context) for action in actions]


def _is_managed_by_aws(text: str) -> bool:
    arn = Arn.parse(text)
    state = state_of(kms_backends, arn.account, arn.region) if arn else None
    key = state.keys.get(arn.resource.removeprefix("key/")) if arn and state else None
    return bool(key and key.key_manager == "AWS")
