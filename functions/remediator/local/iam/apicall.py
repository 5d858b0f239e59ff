"""Read an HTTP request as the API call that it is: service, operation, parameters."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.parse import PROTOCOL_PARSERS, RequestDict
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.ec2.models import ec2_backends
from werkzeug.exceptions import NotFound

from .arns import state_of
from .principal import Refused
from .signature import Scope, scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where the name in the signature isn't the name of the SDK's model, or of the IAM prefix.
_MODELS: Final = {"monitoring": "cloudwatch", "email": "ses", "tagging": "resourcegroupstaggingapi"}
_PREFIXES: Final = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}
_ELB_CLASSIC_VERSION: Final = "2012-06-01"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """Hold one API call. `service` is the IAM prefix, `model` the SDK's service, `params` as the SDK names them."""

    service: str
    model: str
    operation: str
    params: Mapping[str, Any]
    region: str
    account: str
    protocol: str
    source_ip: str = "127.0.0.1"
    secure: bool = True
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def arn(self, resource: str, *, service: str | None = None, region: str | None = None) -> str:
        """Return an ARN in the caller's account, in this call's service and region unless said otherwise."""
        region = self.region if region is None else region
        return f"arn:aws:{service or self.service}:{region}:{self.account}:{resource}"


def body_of(environ: dict[str, Any]) -> bytes:
    """Read the request's body and put it back for whoever reads next."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read()
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return bytes(body)


def scope_or_none(request: Request) -> Scope | None:
    """Read who claims to have signed the request; None for unsigned ones. Raises `Refused`."""
    return scope_of(request.raw_url, dict(request.headers))


def protocol_of(request: Request, service: str) -> str:
    """Return the protocol whose error shape the caller understands; JSON for services that nobody knows."""
    try:
        model = get_service_model(model_of(request, service, b""))
    except UnknownServiceError:
        return "json"
    try:
        return determine_request_protocol(model, request.content_type)
    except NotImplementedError:
        return str(model.protocol)


def model_of(request: Request, service: str, body: bytes) -> str:
    """Return the SDK's name for the service that a request addresses."""
    if service == "s3" and (request.path.startswith("/v20180820/") or "s3-control" in request.host):
        return "s3control"
    if service == "elasticloadbalancing":
        version = (parse_qs(body.decode(errors="replace")).get("Version") or [""])[0]
        return "elb" if version == _ELB_CLASSIC_VERSION else "elbv2"
    if service == "es":
        return "opensearch" if request.path.startswith("/2021-01-01/") else "es"
    return _MODELS.get(service, service)


def read(request: Request, scope: Scope | None, account: str, body: bytes) -> ApiCall:
    """Read the call; unsigned requests are taken for S3's. Raises `Refused` for operations that don't exist."""
    service = scope.service if scope else "s3"
    if scope and state_of(ec2_backends, account, scope.region) is None:
        raise Refused("SignatureDoesNotMatch", f"Credential should be scoped to a valid region, not {scope.region!r}.")
    model_name = model_of(request, service, body)
    # A copy, because reading a form uses up the stream that moto needs.
    copy = Request({**request.environ, "wsgi.input": io.BytesIO(body)})
    try:
        operation, uri_params = get_service_router(model_name).match(copy)
        protocol = determine_request_protocol(get_service_model(model_name), copy.content_type)
    except (UnknownServiceError, NotImplementedError, NotFound) as error:
        raise Refused("UnknownOperation", f"{service} has no such operation") from error
    _check_one_form(copy, protocol)
    return ApiCall(
        service=_PREFIXES.get(service, service),
        model=model_name,
        operation=operation.name,
        params=_params(copy, operation, uri_params, protocol, body),
        region=scope.region if scope else "us-east-1",
        account=account,
        protocol=protocol,
        source_ip=request.remote_addr or "127.0.0.1",
        secure=request.headers.get("X-Forwarded-Proto", "https") != "http",
        host=request.host,
        headers=dict(request.headers),
    )


def _check_one_form(request: Request, protocol: str) -> None:
    if protocol in ("query", "ec2") and request.args and request.form:
        raise Refused("SerializationException", "parameters are either in the query or in the body")


def _params(request: Request, operation: Any, uri: dict[str, Any], protocol: str, body: bytes) -> dict[str, Any]:  # noqa: ANN401 - moto's model
    parser = PROTOCOL_PARSERS[protocol](operation)
    form: RequestDict = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": body,
        "url_path": request.path,
        "url_params": uri,
    }
    try:
        return dict(parser.parse(form) or {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("SerializationException", f"{operation.name} can't be read: {error!r}") from error
