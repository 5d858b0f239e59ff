"""Read roles and users from moto, as IAM's data plane sees them: now, or some seconds late."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from moto.iam.models import IAMBackend, iam_backends

from .arns import Arn
from .hooks import arguments, run_all, wrap
from .policy import Malformed, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Everything that changes what a role or user may do; a contract test holds the list against moto.
MUTATORS: Final = (
    *("create_role", "delete_role", "update_role", "update_assume_role_policy", "tag_role", "untag_role"),
    *("put_role_policy", "delete_role_policy", "attach_role_policy", "detach_role_policy"),
    *("put_role_permissions_boundary", "delete_role_permissions_boundary"),
    *("create_policy_version", "set_default_policy_version", "delete_policy_version"),
    *("create_user", "delete_user", "set_user_boundary", "put_user_policy", "delete_user_policy"),
    *("attach_user_policy", "detach_user_policy", "add_user_to_group", "remove_user_from_group"),
    *("put_group_policy", "delete_group_policy", "attach_group_policy", "detach_group_policy"),
)
_NO_POLICY: Final = '{"Version": "2012-10-17", "Statement": []}'
_KEEP_SECONDS: Final = 3600.0

Document = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Entity:
    """Hold what one role or user is and may do; documents are (name, JSON text)."""

    arn: str
    unique_id: str
    identity: tuple[Document, ...]
    boundary: Document | None
    tags: tuple[tuple[str, str], ...] = ()
    trust: str | None = None
    trust_bound: tuple[tuple[str, str], ...] = ()
    max_session: int = 3600

    def identity_policies(self) -> list[Policy]:
        """Return the identity policies; raises `Malformed`."""
        return [Policy.parse(name, text) for name, text in self.identity]

    def boundary_policy(self) -> Policy | None:
        """Return the permissions boundary; raises `Malformed`."""
        return Policy.parse(*self.boundary) if self.boundary else None

    def trust_policy(self) -> Policy | None:
        """Return the trust policy of a role; raises `Malformed`."""
        name = f"trust policy of {self.arn.rpartition('/')[2]}"
        return Policy.parse(name, self.trust, dict(self.trust_bound)) if self.trust is not None else None


def entity(arn: str, delay: float = 0.0) -> Entity | None:
    """Return the role or user with this ARN as it stood `delay` seconds ago; None if there was none."""
    if delay <= 0:
        return _live(arn)
    return _TIMELINE.at(arn, time.time() - delay)


def install() -> Callable[[], None]:
    """Watch every IAM write, so that it can become effective late; returns what takes the hooks off again."""
    _TIMELINE.begin()
    undo = [wrap(IAMBackend, name, _watched) for name in MUTATORS]
    undo.append(wrap(IAMBackend, "update_assume_role_policy", _bound_anew))
    return lambda: run_all(undo)


def _bound_anew(write: Callable[..., None], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - moto's own signatures
    given = arguments(write, args, kwargs)
    _BOUND.pop(given["self"].get_role(given["role_name"]), None)
    write(*args, **kwargs)


def _watched(write: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - moto's own signatures
    result = write(*args, **kwargs)
    _TIMELINE.observe()
    return result


class _Timeline:
    """Remember for every role and user what it was, since when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, list[tuple[float, Entity | None]]] = {}

    def begin(self) -> None:
        """Take what stands now as having always stood."""
        with self._lock:
            self._seen = {found.arn: [(float("-inf"), found)] for found in _all_live()}

    def observe(self) -> None:
        """Note what changed."""
        now = time.time()
        live = {found.arn: found for found in _all_live()}
        with self._lock:
            for arn in self._seen.keys() | live.keys():
                past = self._seen.setdefault(arn, [(float("-inf"), None)])
                if past[-1][1] != live.get(arn):
                    past.append((now, live.get(arn)))
                    self._forget(past, now - _KEEP_SECONDS)

    def at(self, arn: str, moment: float) -> Entity | None:
        """Return what stood at that moment."""
        live = _live(arn)
        with self._lock:
            past = self._seen.setdefault(arn, [(float("-inf"), live)])
            if past[-1][1] != live:  # written around the watched methods, as moto's CloudFormation does at times
                past.append((time.time(), live))
            return next(found for since, found in reversed(past) if since <= moment)

    @staticmethod
    def _forget(past: list[tuple[float, Entity | None]], before: float) -> None:
        while len(past) > 1 and past[1][0] < before:
            del past[0]
        past[0] = (float("-inf"), past[0][1])


_TIMELINE: Final = _Timeline()


def backends() -> Iterator[tuple[str, IAMBackend]]:
    """Yield every account's IAM backend that exists."""
    for account, partitions in list(iam_backends.items()):
        for backend in list(partitions.values()):
            yield account, backend


def _all_live() -> Iterator[Entity]:
    for _, backend in backends():
        yield from (_role(backend, role) for role in list(backend.roles.values()))
        yield from (_user(backend, user) for user in list(backend.users.values()))


def _live(arn: str) -> Entity | None:
    parsed = Arn.parse(arn)
    account = parsed.account if parsed else ""
    for backend in list(iam_backends[account].values()) if account in iam_backends else []:
        for role in list(backend.roles.values()):
            if role.arn == arn:
                return _role(backend, role)
        for user in list(backend.users.values()):
            if user.arn == arn:
                return _user(backend, user)
    return None


def _role(backend: IAMBackend, role: Any) -> Entity:  # noqa: ANN401 - moto's Role
    trust = as_text(role.assume_role_policy_document)
    return Entity(
        arn=role.arn,
        unique_id=role.id,
        identity=_documents(role),
        boundary=_boundary(backend, role.permissions_boundary_arn),
        tags=_tags(role.tags),
        trust=trust,
        trust_bound=_bound(role, trust),
        max_session=int(role.max_session_duration or 3600),
    )


def _user(backend: IAMBackend, user: Any) -> Entity:  # noqa: ANN401 - moto's User
    groups = [group for group in list(backend.groups.values()) if user in group.users]
    documents = [*_documents(user), *(document for group in groups for document in _documents(group))]
    boundary = _boundary(backend, getattr(user, "permissions_boundary_arn", None))
    return Entity(user.arn, user.id, tuple(documents), boundary, _tags(user.tags))


def _documents(holder: Any) -> tuple[Document, ...]:  # noqa: ANN401 - moto's Role, User or Group
    inline = [(name, as_text(document)) for name, document in list(holder.policies.items())]
    managed = [(policy.name, _default_version(policy)) for policy in list(holder.managed_policies.values())]
    return (*inline, *managed)


def _default_version(policy: Any) -> str:  # noqa: ANN401 - moto's ManagedPolicy
    return next(as_text(version.document) for version in policy.versions if version.is_default)


def managed_policy(arn: str) -> str:
    """Return the default version of a managed policy; one that doesn't exist allows nothing."""
    for _, backend in backends():
        if arn in backend.managed_policies:
            return _default_version(backend.managed_policies[arn])
    return _NO_POLICY


def _boundary(backend: IAMBackend, arn: str | None) -> Document | None:
    if not arn:
        return None
    policy = backend.managed_policies.get(arn)
    return (policy.name, _default_version(policy)) if policy else (f"{arn} (missing)", _NO_POLICY)


def _tags(tags: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - moto keeps lists, dicts, or nothing
    return tuple((tag["Key"], tag["Value"]) for tag in tags or ())


def as_text(document: object) -> str:
    """Return a policy document as JSON text; moto's CloudFormation leaves some as objects."""
    return document if isinstance(document, str) else json.dumps(document)


_BOUND: Final[WeakKeyDictionary[Any, tuple[str, tuple[tuple[str, str], ...]]]] = WeakKeyDictionary()


def _bound(role: Any, trust: str) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - moto's Role
    known = _BOUND.get(role)
    if known is None or known[0] != trust:
        known = _BOUND[role] = (trust, unique_ids(trust))
    return known[1]


def unique_ids(document: str) -> tuple[tuple[str, str], ...]:
    """Return the unique ids that the roles and users named as principals have now; unknown ones are left out."""
    try:
        policy = Policy.parse("", document)
    except Malformed:
        return ()
    names = {name for statement in policy.statements for kind, name in statement.principals or () if kind == "AWS"}
    holders = [
        (str(holder.arn), str(holder.id))
        for _, backend in backends()
        for holder in [*list[Any](backend.roles.values()), *backend.users.values()]
    ]
    return tuple(sorted((arn, unique_id) for arn, unique_id in holders if arn in names))
