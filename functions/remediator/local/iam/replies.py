"""Word a refusal the way each service does: code, status and envelope by protocol.

Sources: "Common errors" of the services' API references; AWS JSON, REST JSON, Query, EC2 and REST XML protocols.
"""

from __future__ import annotations

import json
import uuid
from typing import Final
from xml.sax.saxutils import escape

Reply = tuple[int, dict[str, str], str]

# generic code -> (code, status) by family; a family misses what it shares with "query".
_QUERY: Final = {
    "AccessDenied": ("AccessDenied", 403),
    "MissingAuthenticationToken": ("MissingAuthenticationToken", 403),
    "IncompleteSignature": ("IncompleteSignature", 400),
    "InvalidClientTokenId": ("InvalidClientTokenId", 403),
    "SignatureDoesNotMatch": ("SignatureDoesNotMatch", 403),
    "XAmzContentSHA256Mismatch": ("SignatureDoesNotMatch", 403),
    "RequestTimeTooSkewed": ("SignatureDoesNotMatch", 403),
    "ExpiredToken": ("ExpiredToken", 403),
    "UnknownOperation": ("InvalidAction", 400),
    "SerializationException": ("MalformedInput", 400),
    "ThrottlingException": ("Throttling", 400),
}
_JSON: Final = {
    "AccessDenied": ("AccessDeniedException", 400),
    "MissingAuthenticationToken": ("MissingAuthenticationTokenException", 400),
    "IncompleteSignature": ("IncompleteSignatureException", 400),
    "InvalidClientTokenId": ("UnrecognizedClientException", 400),
    "SignatureDoesNotMatch": ("InvalidSignatureException", 400),
    "XAmzContentSHA256Mismatch": ("InvalidSignatureException", 400),
    "RequestTimeTooSkewed": ("InvalidSignatureException", 400),
    "ExpiredToken": ("ExpiredTokenException", 400),
    "UnknownOperation": ("UnknownOperationException", 400),
    "SerializationException": ("SerializationException", 400),
    "ThrottlingException": ("ThrottlingException", 400),
}
_REST_JSON: Final = {
    **{generic: (code, 403) for generic, (code, _) in _JSON.items()},
    "UnknownOperation": ("UnknownOperationException", 404),
    "SerializationException": ("SerializationException", 400),
    "ThrottlingException": ("TooManyRequestsException", 429),
}
_S3: Final = {
    **_QUERY,
    "MissingAuthenticationToken": ("AccessDenied", 403),
    "IncompleteSignature": ("AuthorizationHeaderMalformed", 400),
    "InvalidClientTokenId": ("InvalidAccessKeyId", 403),
    "XAmzContentSHA256Mismatch": ("XAmzContentSHA256Mismatch", 400),
    "RequestTimeTooSkewed": ("RequestTimeTooSkewed", 403),
    "ExpiredToken": ("ExpiredToken", 400),
    "UnknownOperation": ("MethodNotAllowed", 405),
    "SerializationException": ("MalformedXML", 400),
    "ThrottlingException": ("SlowDown", 503),
}
_EC2: Final = {
    **_QUERY,
    "AccessDenied": ("UnauthorizedOperation", 403),
    "MissingAuthenticationToken": ("AuthFailure", 401),
    "InvalidClientTokenId": ("AuthFailure", 401),
    "SignatureDoesNotMatch": ("AuthFailure", 401),
    "XAmzContentSHA256Mismatch": ("AuthFailure", 401),
    "RequestTimeTooSkewed": ("RequestExpired", 400),
    "ExpiredToken": ("RequestExpired", 400),
    "ThrottlingException": ("RequestLimitExceeded", 503),
}
_PROTOCOLS: Final = {"query": _QUERY, "ec2": _EC2, "json": _JSON, "rest-json": _REST_JSON, "rest-xml": _QUERY}
_BY_SERVICE: Final = {
    "s3": _S3,
    "sns": {**_QUERY, "AccessDenied": ("AuthorizationError", 403)},
    "dynamodb": {**_JSON, "ThrottlingException": ("ProvisionedThroughputExceededException", 400)},
}


def code_for(generic: str, model: str, protocol: str) -> tuple[str, int]:
    """Return the service's own code and HTTP status for a generic code; codes that aren't generic are their own."""
    table = _BY_SERVICE.get(model, _PROTOCOLS[protocol])
    return table.get(generic, (generic, 400))


def refusal(generic: str, message: str, *, model: str, protocol: str, status: int | None = None) -> Reply:
    """Return the reply that a service's SDK reads as this error; `status` overrides the service's own."""
    code, usual = code_for(generic, model, protocol)
    return _envelope(code, message, model, protocol, status or usual)


def _envelope(code: str, message: str, model: str, protocol: str, status: int) -> Reply:
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": request_id}
    if protocol in ("json", "rest-json"):
        version = "1.0" if protocol == "json" else None
        headers["Content-Type"] = f"application/x-amz-json-{version}" if version else "application/json"
        headers["x-amzn-ErrorType"] = code
        if model == "sqs":
            headers["x-amzn-query-error"] = f"{code.removesuffix('Exception')};Sender"
        return status, headers, json.dumps({"__type": code, "message": message, "Message": message})
    headers["Content-Type"] = "text/xml"
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if model == "s3":
        body = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    elif protocol == "ec2":
        body = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        error = f"<Error><Type>Sender</Type>{inner}</Error>"
        body = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return status, headers, f'<?xml version="1.0" encoding="UTF-8"?>{body}'
