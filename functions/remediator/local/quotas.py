"""Make the quotas bite that moto lacks.

moto has these itself, and a test holds it to them: 60 rules per security group, 100 items per transaction, the size of
an item (405,000 bytes; AWS says 400 KB), 5 versions per managed policy. Sources: "IAM and AWS STS quotas" (sizes of IAM
policies are counted without white space), API reference of `AssumeRole`, "AWS Secrets Manager quotas".
"""

from __future__ import annotations

import json
import math
import re
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend
from moto.secretsmanager.exceptions import SecretsManagerClientError
from moto.secretsmanager.models import SecretsManagerBackend
from moto.sts.exceptions import STSClientError, STSValidationError
from moto.sts.responses import TokenResponse

from .iam import entities, identities
from .iam.hooks import arguments, run_all, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# AWS doesn't say how it packs session policies, nor the limit ("a separate limit"): this is a stand-in. The compact
# document, deflated; the limit lets 25 security groups pass within the 2,048 characters and refuses 23 KMS keys, whose
# names don't compress. Callers must live with any limit: they halve their targets when they hear PackedPolicyTooLarge.
PACKED_BYTES: Final = 600

_TRUST: Final = 2048
_MANAGED: Final = 6144
_INLINE: Final = {"role": 10_240, "user": 2048, "group": 5120}
_SESSION_POLICY: Final = 2048
_SHORTEST_SESSION: Final = 900
_LONGEST_SESSION: Final = 43_200
_CHAINED_SESSION: Final = 3600
_SESSION_NAME: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)

_VERSIONS: Final = 100
_VERSION_STAYS_SECONDS: Final = 24 * 3600


def install(*, packed_bytes: int = PACKED_BYTES) -> Callable[[], None]:
    """Make moto keep the quotas; returns what takes them out again."""

    def assume_role(original: Callable[..., Any], self: TokenResponse) -> Any:  # noqa: ANN401 - moto's ActionResult
        percent = _check_session(self, packed_bytes)
        reply = original(self)
        reply.result["PackedPolicySize"] = percent
        return reply

    undo = [
        wrap(TokenResponse, "assume_role", assume_role),
        wrap(IAMBackend, "create_role", _with_trust),
        wrap(IAMBackend, "update_assume_role_policy", _with_trust),
        wrap(IAMBackend, "create_policy", _with_document),
        wrap(IAMBackend, "create_policy_version", _with_document),
        *(wrap(IAMBackend, f"put_{kind}_policy", _with_inline(kind)) for kind in _INLINE),
        wrap(SecretsManagerBackend, "_add_secret", _with_version),
    ]
    return lambda: run_all(undo)


def _characters(document: str) -> int:
    return len("".join(document.split()))


def _with_trust(original: Callable[..., Any], *args: Any, **named: Any) -> Any:  # noqa: ANN401 - moto's own signatures
    given = arguments(original, args, named)
    _limit("ACLSizePerRole", given.get("policy_document") or given["assume_role_policy_document"], _TRUST)
    return original(*args, **named)


def _with_document(original: Callable[..., Any], *args: Any, **named: Any) -> Any:  # noqa: ANN401 - moto's own signatures
    _limit("PolicySize", arguments(original, args, named)["policy_document"], _MANAGED)
    return original(*args, **named)


def _limit(what: str, document: str, most: int) -> None:
    if _characters(document) > most:
        raise LimitExceededException(f"Cannot exceed quota for {what}: {most}")


def _with_inline(kind: str) -> Callable[..., None]:
    def put(original: Callable[..., None], backend: IAMBackend, name: str, policy_name: str, policy_json: str) -> None:
        holders: dict[str, Callable[[str], Any]] = {
            "role": backend.get_role,
            "user": backend.get_user,
            "group": backend.get_group,
        }
        inline = holders[kind](name).policies.items()
        kept = [entities.as_text(text) for known, text in inline if known != policy_name]
        if sum(map(_characters, [*kept, policy_json])) > _INLINE[kind]:
            raise LimitExceededException(f"Maximum policy size of {_INLINE[kind]} bytes exceeded for {kind} {name}")
        original(backend, name, policy_name, policy_json)

    return put


def _check_session(request: TokenResponse, packed_bytes: int) -> int:
    """Check the parameters of AssumeRole; return how full the packed policy is, in percent."""
    parameters: dict[str, Any] = request.params
    _constrain("roleSessionName", str(parameters.get("RoleSessionName", "")), _SESSION_NAME)
    if "ExternalId" in parameters:
        _constrain("externalId", str(parameters["ExternalId"]), _EXTERNAL_ID)
    _check_duration(request, int(parameters.get("DurationSeconds", _CHAINED_SESSION)))
    policy = parameters.get("Policy")
    if policy is not None and len(policy) > _SESSION_POLICY:
        raise STSValidationError(
            _broken("policy", policy, f"Member must have length less than or equal to {_SESSION_POLICY}")
        )
    percent = _packed_percent(policy, parameters.get("Tags") or [], packed_bytes)
    if percent > 100:  # noqa: PLR2004 - percent
        raise STSClientError(
            "PackedPolicyTooLarge", f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
        )
    return percent


def _constrain(name: str, value: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(value):
        raise STSValidationError(
            _broken(name, value, f"Member must satisfy regular expression pattern: {pattern.pattern}")
        )


def _broken(name: str, value: str, constraint: str) -> str:
    return f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {constraint}"


def _check_duration(request: TokenResponse, seconds: int) -> None:
    if not _SHORTEST_SESSION <= seconds <= _LONGEST_SESSION:
        bound = f"Member must have value between {_SHORTEST_SESSION} and {_LONGEST_SESSION}"
        raise STSValidationError(_broken("durationSeconds", str(seconds), bound))
    caller = identities.credential(request.get_access_key())
    if caller and caller.principal.session_arn and seconds > _CHAINED_SESSION:
        raise STSValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    role = entities.entity(request.params["RoleArn"])
    if role and seconds > role.max_session:
        raise STSValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _packed_percent(policy: str | None, tags: Iterable[dict[str, str]], packed_bytes: int) -> int:
    parts = [f"{tag['Key']}={tag['Value']}" for tag in tags]
    if policy is not None:
        try:
            parts.append(json.dumps(json.loads(policy), separators=(",", ":")))
        except ValueError as error:
            raise STSClientError("MalformedPolicyDocument", "The policy is not in the valid JSON format.") from error
    if not parts:
        return 0
    return math.ceil(100 * len(zlib.compress("\n".join(parts).encode(), 9)) / packed_bytes)


class VersionQuotaExceeded(SecretsManagerClientError):  # noqa: N818 - named for what is the case
    """Say that a secret has as many versions as it may have, and none that may go."""

    def __init__(self) -> None:
        super().__init__("LimitExceededException", "You have exceeded the maximum number of versions for this secret.")


def _with_version(original: Callable[..., Any], *args: Any, **named: Any) -> Any:  # noqa: ANN401 - moto's own signatures
    given = arguments(original, args, named)
    secret = given["self"].secrets.get(given["secret_id"])
    carries_value = given.get("secret_string") is not None or given.get("secret_binary") is not None
    if secret is not None and carries_value and given.get("version_id") not in secret.versions:
        _make_room(secret.versions)
    return original(*args, **named)


def _make_room(versions: dict[str, dict[str, Any]]) -> None:
    """Remove the oldest unlabelled versions beyond 100; a version younger than a day always stays."""
    latest = time.time() - _VERSION_STAYS_SECONDS
    removable = [name for name, v in versions.items() if not v["version_stages"] and v["createdate"] <= latest]
    removable.sort(key=lambda name: int(versions[name]["createdate"]))
    for name in removable[: max(0, len(versions) + 1 - _VERSIONS)]:
        del versions[name]
    if len(versions) >= _VERSIONS:
        raise VersionQuotaExceeded
