"""Find the owner of an access key in moto's key store, and make sessions."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from moto.sts.models import AssumedRole, STSBackend, sts_backends
from moto.sts.responses import TokenResponse

from . import entities
from .evaluator import Policies, Request, evaluate
from .hooks import run_all, wrap
from .principal import Principal, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.core.responses import ActionResult


@dataclass(frozen=True, slots=True)
class Credential:
    """Hold a key pair and its owner; `token` and `expires` (Unix seconds) only for sessions."""

    secret: str
    token: str | None
    expires: float | None
    principal: Principal


@dataclass(frozen=True, slots=True)
class _Issued:
    at: float
    role_id: str | None
    tags: tuple[tuple[str, str], ...] = ()
    source_identity: str | None = None
    policy_arns: tuple[str, ...] = ()


_ISSUED: Final[WeakKeyDictionary[AssumedRole, _Issued]] = WeakKeyDictionary()


def credential(access_key: str) -> Credential | None:
    """Return the live credential with this id: None for unknown and inactive keys, and sessions of deleted roles."""
    return _session(access_key) or _user_key(access_key)


def principal_of(access_key: str) -> Principal:
    """Return the owner of an access key; raises `Refused` for an unknown one."""
    found = credential(access_key)
    if found is None:
        raise Refused("InvalidClientTokenId", "The security token included in the request is invalid.")
    return found.principal


def _session(access_key: str) -> Credential | None:
    for partitions in list(sts_backends.values()):
        for backend in list(partitions.values()):
            for session in reversed(backend.assumed_roles):
                if session.access_key_id == access_key:
                    return _session_credential(session)
    return None


def _session_credential(session: AssumedRole) -> Credential | None:
    role = entities.entity(session.role_arn)
    issued = _ISSUED.get(session)
    if role is None or issued is None or issued.role_id != role.unique_id:
        return None
    principal = Principal(
        arn=session.role_arn,
        session_arn=session.arn,
        account=session.account_id,
        unique_id=f"{role.unique_id}:{session.session_name}",
        access_key=session.access_key_id,
        session_policy=_session_policy(session, issued),
        issued_at=issued.at,
        tags=issued.tags,
        source_identity=issued.source_identity,
    )
    expires = session.expiration.replace(tzinfo=UTC).timestamp()
    return Credential(session.secret_access_key, session.session_token, expires, principal)


def _session_policy(session: AssumedRole, issued: _Issued) -> dict[str, object] | None:
    """Join the inline and the managed session policies: together they say what the session may keep."""
    texts = [session.policy] if session.policy else []
    texts += [entities.managed_policy(arn) for arn in issued.policy_arns]
    if not texts:
        return None
    documents = [json.loads(text) for text in texts]
    listed = [entry["Statement"] for entry in documents]
    statements = [one for entry in listed for one in (entry if isinstance(entry, list) else [entry])]
    return {"Version": documents[0].get("Version", "2008-10-17"), "Statement": statements}


def _user_key(access_key: str) -> Credential | None:
    for account, backend in entities.backends():
        for user in list(backend.users.values()):
            for key in user.access_keys:
                if key.access_key_id == access_key and key.status == "Active":
                    principal = Principal(user.arn, None, account, user.id, access_key, None, kind="User")
                    return Credential(key.secret_access_key, None, None, principal)
    return None


def assume_for_service(service: str, role_arn: str, session_name: str, *, duration: int = 3600) -> AssumedRole:
    """Give an AWS service (`lambda.amazonaws.com`) a session of a role, if the role's trust policy lets it.

    Returns moto's AssumedRole (`access_key_id`, `secret_access_key`, `session_token`, `expiration`). Raises `Refused`.
    """
    role = entities.entity(role_arn)
    trust = role.trust_policy() if role else None
    if role is None or trust is None:
        raise Refused("AccessDenied", f"role {role_arn} does not exist")
    account = role_arn.split(":")[4]
    context = {"aws:SourceAccount": account, "sts:RoleSessionName": session_name}
    request = Request(Principal.service(service), "sts:AssumeRole", role_arn, account, context)
    decision = evaluate(request, Policies(resource=trust))
    if not decision.allowed:
        raise Refused("AccessDenied", decision.reason)
    partition = role_arn.split(":")[1]
    return sts_backends[account][partition].assume_role(
        region_name="us-east-1",
        role_session_name=session_name,
        role_arn=role_arn,
        policy="",
        duration=duration,
        external_id="",
    )


def install() -> Callable[[], None]:
    """Note for every session what moto forgets; returns what takes the hooks off again."""
    undo = [wrap(STSBackend, "assume_role", _noting_issue), wrap(TokenResponse, "assume_role", _noting_request)]
    return lambda: run_all(undo)


def _noting_issue(assume: Callable[..., AssumedRole], *args: Any, **kwargs: Any) -> AssumedRole:  # noqa: ANN401 - moto's
    session = assume(*args, **kwargs)
    role = entities.entity(session.role_arn)
    _ISSUED[session] = _Issued(time.time(), role.unique_id if role else None)
    return session


def _noting_request(assume: Callable[..., ActionResult], request: TokenResponse) -> ActionResult:
    reply = assume(request)
    session: AssumedRole = reply.result["Credentials"]  # type: ignore[index] # moto types every result as object
    _ISSUED[session] = replace(
        _ISSUED[session],
        tags=tuple((tag["Key"], tag["Value"]) for tag in request.params.get("Tags") or ()),
        source_identity=request.params.get("SourceIdentity"),
        policy_arns=tuple(entry["arn"] for entry in request.params.get("PolicyArns") or ()),
    )
    return reply
