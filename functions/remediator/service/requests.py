"""Read what a caller asks: HTTP in, typed and checked requests out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import fastjsonschema

from remediator.catalogue import registry
from remediator.catalogue.errors import Unfit
from remediator.core.gate import length_prefixed
from remediator.service.problems import Problem, Refused
from remediator.service.records import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.catalogue.spec import JSON, Fix, Home, Target

MAX_BODY: Final = 1 << 20
"""The largest body in bytes."""

OPENAPI: Final = Path(__file__).with_name("openapi.json")


class Role(StrEnum):
    """Say who a principal is to the deployment."""

    READER = "reader"
    OPERATOR = "operator"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Principal:
    """Hold who calls, as the cloud tells it: `id` is the cloud's unique id, never a name."""

    role: Role
    id: str


@dataclass(frozen=True, slots=True)
class Call:
    """Hold an HTTP request. Header names are lower case; `remaining` is the function's time left, in seconds."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    principal: Principal
    remaining: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold one finding of a request, with the fix it is answered by."""

    fix: Fix[Any, Any, Any]
    target: Target
    raw_target: Mapping[str, str]
    options: Any
    parameters: Mapping[str, JSON]
    finding: str | None
    reference: str | None
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Remediation:
    """Hold a request to plan or apply."""

    mode: Mode
    findings: tuple[Asked, ...]


def digest_of(call: Call) -> str:
    """Return the digest under which an Idempotency-Key is bound to a request: method, path and body; never headers."""
    return hashlib.sha256(length_prefixed(call.method, call.path, call.body)).hexdigest()


def require_plain(call: Call) -> None:
    """Refuse a query, and a body in a form or of a size that nobody of ours sends."""
    if call.query:
        raise Refused(Problem.INVALID_REQUEST, "The query string must be empty.")
    if len(call.body) > MAX_BODY:
        raise Refused(Problem.TOO_LARGE, "Send fewer findings per request: at most 500, in at most 1 MiB.")
    if call.headers.get("content-encoding", "identity") != "identity":
        raise Refused(Problem.UNSUPPORTED_MEDIA_TYPE, "Send the body uncompressed.")
    if call.method == "GET" and call.body:
        raise Refused(Problem.INVALID_REQUEST, "A GET has no body.")
    if call.method == "POST" and call.headers.get("content-type") != "application/json":
        raise Refused(Problem.UNSUPPORTED_MEDIA_TYPE, "Send the body as Content-Type: application/json.")


def read_remediation(body: bytes, home: Home) -> Remediation:
    """Read the body of a plan or an apply, or refuse it with the index of what is wrong."""
    document = read_body(body, "RemediationRequest")
    asked = tuple(_read_finding(index, raw, home) for index, raw in enumerate(document["findings"]))
    _require_distinct(asked)
    return Remediation(Mode(document["mode"]), asked)


def read_selection(body: bytes, name: str) -> frozenset[int] | None:
    """Read the body of a refresh or a rollback: the chosen indexes, or None for all."""
    chosen = read_body(body, name).get("findings")
    return None if chosen is None else frozenset(chosen)


def read_body(body: bytes, name: str) -> Any:  # noqa: ANN401 - JSON, checked against the schema of that name
    """Read a JSON body and check it against a schema of the OpenAPI document."""
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise Refused(Problem.INVALID_REQUEST, "The body isn't JSON with distinct names in UTF-8.") from None
    try:
        return _validator(name)(document)
    except fastjsonschema.JsonSchemaValueException as error:
        raise Refused(Problem.INVALID_REQUEST, _shortened(error)) from None


def openapi() -> dict[str, JSON]:
    """Return the OpenAPI document."""
    document: dict[str, JSON] = json.loads(OPENAPI.read_bytes())
    return document


def _read_finding(index: int, raw: Mapping[str, JSON], home: Home) -> Asked:
    try:
        fix, implied = _fix_of(raw, home)
        target = fix.target.parse(raw["target"], home)
        parameters = _parameters(fix, implied, raw.get("parameters", {}))
    except Unfit as unfit:
        raise Refused(Problem.INVALID_REQUEST, f"findings[{index}]: {unfit}", extra={"index": index}) from None
    return Asked(
        fix=fix,
        target=target,
        raw_target=raw["target"],
        options=fix.parameters(**parameters),
        parameters=parameters,
        finding=raw.get("finding"),
        reference=raw.get("reference"),
        acknowledged=raw.get("acknowledge_irreversible", False),
    )


def _fix_of(raw: Mapping[str, JSON], home: Home) -> tuple[Fix[Any, Any, Any], Mapping[str, JSON]]:
    if "fix" in raw:
        return registry.load(raw["fix"]), {}
    return registry.answering(raw["finding"], home.cloud)


def _parameters(fix: Fix[Any, Any, Any], implied: Mapping[str, JSON], given: Mapping[str, JSON]) -> Mapping[str, JSON]:
    contradicted = sorted(name for name in implied.keys() & given.keys() if implied[name] != given[name])
    if contradicted:
        raise Unfit(f"the finding already says the parameter {contradicted[0]}")
    try:
        checked: dict[str, JSON] = _parameter_validator(type(fix))({**implied, **given})
    except fastjsonschema.JsonSchemaValueException as error:
        raise Unfit(_shortened(error)) from None
    return checked


def _require_distinct(asked: tuple[Asked, ...]) -> None:
    seen: dict[str, int] = {}
    for index, one in enumerate(asked):
        name = json.dumps(
            [one.fix.id, one.target.id, one.target.region, one.target.item, one.parameters], sort_keys=True
        )
        if name in seen:
            detail = f"findings[{index}] asks for the same as findings[{seen[name]}]."
            raise Refused(Problem.INVALID_REQUEST, detail, extra={"index": index})
        seen[name] = index


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return dict(pairs)


def _constant(name: str) -> JSON:
    raise ValueError(f"{name} isn't JSON")


def _shortened(error: fastjsonschema.JsonSchemaValueException) -> str:
    return str(error.message)[:300]


@cache
def _validator(name: str) -> Callable[[Any], Any]:
    components = openapi()["components"]
    return _compiled({"$ref": f"#/components/schemas/{name}", "components": components})


@cache
def _parameter_validator(fix: type[Fix[Any, Any, Any]]) -> Callable[[Any], Any]:
    return _compiled(fix.parameter_schema())


def _compiled(schema: dict[str, JSON]) -> Callable[[Any], Any]:
    compiled: Callable[[Any], Any] = fastjsonschema.compile(schema)
    return compiled
