"""Answer as Azure Resource Manager does, for the types of resources that fixes repair."""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm import providers
from remediator.local.azure.arm.description import demand_version, locate, shapes
from remediator.local.azure.arm.refusals import JSON_TYPE, ArmRefusal, bad_request, unauthorized, unlinked
from remediator.local.azure.arm.running import STATUS_ID, Operations, Reply
from remediator.local.azure.arm.samples import LOCATION, resources
from remediator.local.azure.rbac.roles import covers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.azure.arm.description import Located

Body = dict[str, Any]

TAGS: Final = re.compile(r"(?P<scope>.+)/providers/Microsoft\.Resources/tags/default", re.IGNORECASE)
TAGS_API: Final = "2021-04-01"
ACTIONS: Final = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold one request and its answer, as JSON; `body` and `answer` are None where there was none."""

    method: str
    path: str
    query: Mapping[str, str]
    if_match: str | None
    body: Any
    principal: str
    operations: tuple[tuple[str, str], ...]
    status: int
    headers: Mapping[str, str]
    answer: Any


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what a request asks for. `operations` are those that it needs, each with its scope; the first is its own."""

    method: str
    path: str
    query: Mapping[str, str]
    if_match: str | None
    body: Any
    located: Located | None
    operations: tuple[tuple[str, str], ...]
    tags: bool = False
    """Whether the located resource's tags are asked for, and nothing else of it."""


def allow_all(_principal: str, _operation: str, _scope: str) -> bool:
    """Allow everything to everybody."""
    return True


class EmbeddedArm:
    """Hold resources, and serve requests for them one at a time.

    `allowed` is asked for every operation that a request needs: principal, operation, scope. What is put in `faults` is
    given each request that is allowed, and may raise `ArmRefusal` in the cloud's place.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        allowed: Callable[[str, str, str], bool] = allow_all,
    ) -> None:
        self.allowed = allowed
        self.operations = Operations(clock)
        self.faults: list[Callable[[Asked], None]] = []
        self.exchanges: list[Exchange] = []
        self._resources: dict[str, Body] = {}
        self._lock = threading.RLock()

    def add(self, path: str) -> None:
        """Create what a target's path names, as badly set as can be, with all that it can't be without, if need be."""
        for one, body in resources(path).items():
            kind = str(body.get("type", ""))
            self._resources.setdefault(one.lower(), providers.dressed(kind, body) if body else {})

    def resource(self, path: str) -> Body:
        """Return a copy of a resource as it is now."""
        with self._lock:
            self.operations.settle()
            return copy.deepcopy(self._resources[path.lower()])

    def forget_below(self, scope: str) -> None:
        """Forget the resources in a scope."""
        with self._lock:
            self.operations.forget_below(scope)
            for key in [key for key in self._resources if covers(scope, key)]:
                del self._resources[key]

    def set(self, path: str, body: Mapping[str, Any]) -> None:
        """Put a resource in a state, past all that Azure would check."""
        with self._lock:
            known = self._resources[path.lower()]
            self._resources[path.lower()] = providers.dressed(str(known["type"]), copy.deepcopy(dict(body)))

    def handle(  # noqa: PLR0913, PLR0917 - the parts of a request, as the listener has them
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        principal: str,
    ) -> Reply:
        """Answer one request: `path` decoded, headers' names in any letter case, `principal` who was authenticated."""
        with self._lock:
            self.operations.settle()
            asked: Asked | None = None
            try:
                asked = self.understand(method, path, query, headers, body)
                reply = self._served(asked, principal)
            except ArmRefusal as refusal:
                reply = refusal.reply()
            self.exchanges.append(_exchange(asked, method, path, query, principal, reply))
            return reply

    def understand(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Asked:
        """Return what a request asks for, and which operations it needs; raise `ArmRefusal` if it makes no sense."""
        condition = next((value for name, value in headers.items() if name.lower() == "if-match"), None)
        progress = STATUS_ID.fullmatch(path)
        if progress is not None:
            needed = (f"{progress['provider']}/locations/{progress['type']}/read", progress["scope"])
            return Asked(method, path, query, condition, None, None, (needed,))
        tags = TAGS.fullmatch(path)
        if tags is not None:
            return _about_tags(method, path, query, locate(tags["scope"]))
        located = locate(path.rstrip("/"))
        demand_version(located.type, query)
        if method not in located.type.methods:
            message = f"The requested resource does not support http method '{method}'."
            raise ArmRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
        content = _content(body) if located.type.methods[method] is not None else None
        own = (f"{located.type.name}/{ACTIONS[method]}", located.path)
        others = providers.linked(located.type.name, content or {}) if isinstance(content, dict) else ()
        return Asked(method, path, query, condition, content, located, (own, *others))

    def _served(self, asked: Asked, principal: str) -> Reply:
        self._demand_rights(asked, principal)
        for fault in tuple(self.faults):
            fault(asked)
        if asked.located is None:
            found = STATUS_ID.fullmatch(asked.path)
            operation_id = found["id"] if found else ""
            return self.operations.show(operation_id, result="result" in asked.query)
        if asked.located.parent is not None and asked.located.parent not in self._resources:
            message = "Can not perform requested operation on nested resource. Parent resource not found."
            raise ArmRefusal(HTTPStatus.NOT_FOUND, "ParentResourceNotFound", message)
        if asked.tags:
            return _shown(HTTPStatus.OK, _tags_of(self._current(asked.located), asked.path))
        serve = {"GET": self._get, "PUT": self._put, "PATCH": self._patch, "DELETE": self._delete}[asked.method]
        return serve(asked, asked.located)

    def _demand_rights(self, asked: Asked, principal: str) -> None:
        (own, scope), *others = asked.operations
        if not self.allowed(principal, own, scope):
            raise unauthorized(principal, own, scope)
        for operation, other in others:
            if not self.allowed(principal, operation, other):
                raise unlinked(principal, operation, scope, other)

    def _get(self, _: Asked, located: Located) -> Reply:
        return _shown(HTTPStatus.OK, self._current(located))

    def _patch(self, asked: Asked, located: Located) -> Reply:
        current = self._current(located)
        change = self._written(asked, located)
        after = providers.patched(current, change)
        return self._change(asked, located, current, after)

    def _put(self, asked: Asked, located: Located) -> Reply:
        known = self._resources.get(located.key)
        current = known or {"id": located.path, "name": located.path.rpartition("/")[2], "type": located.type.name}
        after = providers.replaced(current, self._written(asked, located), located.type.name)
        return self._change(asked, located, current, after)

    def _delete(self, asked: Asked, located: Located) -> Reply:
        if located.key not in self._resources:
            return HTTPStatus.NO_CONTENT, {}, b""
        self._demand_condition(asked, located, self._resources[located.key])
        for key in [key for key in self._resources if key == located.key or key.startswith(f"{located.key}/")]:
            del self._resources[key]
        return HTTPStatus.OK, {}, b""

    def _current(self, located: Located) -> Body:
        found = self._resources.get(located.key)
        if found is None:
            message = f"The Resource '{located.type.name}/{located.path.rpartition('/')[2]}' was not found."
            raise ArmRefusal(HTTPStatus.NOT_FOUND, "ResourceNotFound", message)
        return found

    def _written(self, asked: Asked, located: Located) -> Body:
        shape = located.type.methods[asked.method]
        if not isinstance(asked.body, dict):
            raise bad_request("InvalidRequestContent", "The request content was invalid: an object is expected.")
        shapes().demand(asked.body, shape)
        written: Body = shapes().writable(asked.body, shape)
        return written

    def _change(self, asked: Asked, located: Located, current: Body, after: Body) -> Reply:
        self._demand_condition(asked, located, current)
        if self.operations.is_busy(located.key):
            message = f"Another operation on resource '{located.path}' is in progress."
            raise ArmRefusal(HTTPStatus.CONFLICT, "AnotherOperationInProgress", message)
        providers.demand(located.type.name, current, after)
        later = providers.FINISHED_LATER.get((located.type.name, asked.method))
        new = located.key not in self._resources
        if later is None:
            return _shown(HTTPStatus.CREATED if new else HTTPStatus.OK, self._keep(located, after))
        begun = self.operations.start(located.key, lambda: self._keep(located, after))
        provider = located.type.name.partition("/")[0]
        scope = located.path.partition("/providers/")[0] if later.in_group else f"/subscriptions/{located.subscription}"
        where = f"{scope}/providers/{provider}/locations/{LOCATION}"
        told = self.operations.headers(begun, later, where=where, api=located.type.api)
        if later.status == HTTPStatus.ACCEPTED:
            return HTTPStatus.ACCEPTED, told, b""
        going_on = providers.dressed(located.type.name, copy.deepcopy(after))
        going_on["properties"]["provisioningState"] = "Updating"
        status, shown, body = _shown(HTTPStatus.CREATED if new else HTTPStatus.OK, going_on)
        return status, shown | told, body

    def _keep(self, located: Located, after: Body) -> Body:
        kept = providers.dressed(located.type.name, after)
        self._resources[located.key] = kept
        return kept

    def _demand_condition(self, asked: Asked, located: Located, current: Mapping[str, Any]) -> None:
        if located.type.name not in providers.TAGGED or asked.if_match in (None, "*", current.get("etag")):
            return
        message = f"Precondition failed for resource '{located.path}': its ETag isn't {asked.if_match}."
        raise ArmRefusal(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", message)


def _about_tags(method: str, path: str, query: Mapping[str, str], located: Located) -> Asked:
    if query.get("api-version") != TAGS_API:
        raise bad_request("NoRegisteredProviderFound", f"Tags are spoken to in version '{TAGS_API}' here.")
    if method != "GET":
        message = f"The embedded Resource Manager doesn't know {method} for tags."
        raise ArmRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    needed = ("Microsoft.Resources/tags/read", located.path)
    return Asked(method, path, query, None, None, located, (needed,), tags=True)


def _tags_of(resource: Body, path: str) -> Body:
    properties = {"tags": dict(resource.get("tags") or {})}
    return {"id": path, "name": "default", "type": "Microsoft.Resources/tags", "properties": properties}


def _content(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(body)
    except ValueError:
        raise bad_request("InvalidRequestContent", "The request content was invalid: it isn't JSON.") from None


def _shown(status: int, body: Body) -> Reply:
    tag = {"ETag": body["etag"]} if "etag" in body else {}
    return status, JSON_TYPE | tag, json.dumps(body).encode()


def _exchange(  # noqa: PLR0913, PLR0917 - the parts of an exchange
    asked: Asked | None, method: str, path: str, query: Mapping[str, str], principal: str, reply: Reply
) -> Exchange:
    status, headers, answer = reply
    return Exchange(
        method=method,
        path=path,
        query=dict(query),
        if_match=asked.if_match if asked else None,
        body=copy.deepcopy(asked.body) if asked else None,
        principal=principal,
        operations=asked.operations if asked else (),
        status=int(status),
        headers=headers,
        answer=json.loads(answer) if answer else None,
    )
