"""Let moto's Lambda run what was deployed into it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends
from moto.awslambda.responses import LambdaResponse

from remediator.local.emulator import lambda_repairs
from remediator.local.runtime.asynchronous import DELIVERY_HEADER
from remediator.local.runtime.functions import Function, Throttled, Unassumable

if TYPE_CHECKING:
    from remediator.local.emulator.hooks import Hooks
    from remediator.local.runtime.asynchronous import AsyncInvoker
    from remediator.local.runtime.host import LambdaHost

SYNCHRONOUS_LIMIT: Final = 6 * 1024 * 1024
ASYNCHRONOUS_LIMIT: Final = 1024 * 1024

Reply = tuple[int, dict[str, str], str | bytes]


def deployed(arn: str) -> Function | None:
    """Return the function with this ARN as it is configured now; None if there is none."""
    _, _, _, region, account, _, name, *_ = arn.split(":")
    for function in list(lambda_backends[account][region].list_functions()):
        if function.function_name == name:
            return describe(function)
    return None


def describe(function: LambdaFunction) -> Function:
    """Return what the host needs to know of a function."""
    kept = lambda_repairs.kept(function)
    events = function.event_invoke_config[0].config if function.event_invoke_config else {}
    destinations = events.get("DestinationConfig") or {}
    return Function(
        arn=f"arn:{function.partition}:lambda:{function.region}:{function.account_id}:function:{function.function_name}",
        name=function.function_name,
        account=function.account_id,
        region=function.region,
        runtime=str(function.run_time),
        handler=str(function.handler),
        code=function.code_bytes,
        code_digest=function.code_sha_256,
        role_arn=function.role,
        environment=dict(function.environment_vars),
        timeout=int(function.timeout),
        memory=int(function.memory_size),
        log_group=lambda_repairs.log_group(function),
        log_format=kept.get("LoggingConfig", {}).get("LogFormat", "Text"),
        reserved=None if function.reserved_concurrency is None else int(function.reserved_concurrency),
        dead_letter_arn=kept.get("DeadLetterConfig", {}).get("TargetArn"),
        retries=int(events.get("MaximumRetryAttempts", 2)),
        maximum_age=int(events.get("MaximumEventAgeInSeconds", 21_600)),
        on_failure_arn=destinations.get("OnFailure", {}).get("Destination"),
        on_success_arn=destinations.get("OnSuccess", {}).get("Destination"),
    )


class LambdaService:
    """Answer Invoke with the host, and every other way by which moto calls a function."""

    def __init__(self, host: LambdaHost, asynchronous: AsyncInvoker) -> None:
        self._host = host
        self._asynchronous = asynchronous

    def install(self, hooks: Hooks) -> None:
        """Take moto's place where functions are invoked."""
        service = self

        def invoke(self: LambdaResponse) -> Reply:
            status, headers, body = service.answer(self)
            return status, {**headers, "status": str(status)}, body  # moto takes the status from there

        def invoke_lambda(self: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:  # noqa: ANN401 - moto's own
            invocation = service._host.invoke(describe(self), json.dumps(event).encode())
            failed = invocation.outcome.error_type is not None
            return invocation.outcome.payload.decode(), failed, invocation.log_tail

        hooks.replace(LambdaResponse, "invoke", invoke)
        hooks.replace(LambdaFunction, "_invoke_lambda", invoke_lambda)

    def answer(self, request: LambdaResponse) -> Reply:
        """Carry out an Invoke call whose caller was let in.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        backend: LambdaBackend = request.backend
        name = unquote(request.path.rsplit("/", 2)[-2])
        function = describe(backend.get_function(name, request._get_param("Qualifier")))  # noqa: SLF001 - moto's own way
        event = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        refusal = _unfit(event, ASYNCHRONOUS_LIMIT if kind == "Event" else SYNCHRONOUS_LIMIT)
        if refusal is not None:
            return refusal
        if kind == "DryRun":
            return 204, {}, ""
        if kind == "Event":
            delivery = self._asynchronous.submit(function.arn, event or b"{}")
            return 202, {DELIVERY_HEADER: delivery.identity}, ""
        return self._synchronous(request, function, event or b"{}")

    def _synchronous(self, request: LambdaResponse, function: Function, event: bytes) -> Reply:
        try:
            invocation = self._host.invoke(function, event)
        except Throttled:
            reason = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "Type": "User"}
            return _error(429, "TooManyRequestsException", "Rate Exceeded.", **reason)
        except Unassumable as unassumable:
            message = f"The role defined for the function cannot be assumed by Lambda. ({unassumable})"
            return _error(403, "AccessDeniedException", message)
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        if invocation.outcome.error_type is not None:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if request.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation.log_tail.encode()).decode()
        return 200, headers, invocation.outcome.payload


def _unfit(event: bytes, limit: int) -> Reply | None:
    if len(event) > limit:
        message = f"{len(event)} byte payload is too large for the Invoke operation (limit {limit} bytes)"
        return _error(413, "RequestTooLargeException", message)
    try:
        json.loads(event or b"{}")
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        return _error(400, "InvalidRequestContentException", message)
    return None


def _error(status: int, kind: str, message: str, **fields: str) -> Reply:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": kind}
    return status, headers, json.dumps({**fields, "message": message})
