"""Tell who answered, from the answer itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from remediator.cli.demo.board import Verdict
from remediator.service.problems import NAMESPACE
from remediator.vendor.errors import NoAccess, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.vendor import Answer
    from remediator.vendor.transport import Reply

_GATEKEEPERS = {
    "sts": "STS",
    "iam": "IAM",
    "dynamodb": "DynamoDB and IAM",
    "s3": "S3 and IAM",
    "lambda": "Lambda and IAM",
}


def of_reply(reply: Reply) -> Verdict:
    """Return who answered at the endpoint: only the remediator states problems, the function URL says `Message`."""
    document: Any = json.loads(reply.body)
    if reply.headers.get("content-type", "").startswith("application/problem+json"):
        reasons = sorted({one["reason"]["code"] for one in document.get("results", ()) if "reason" in one})
        code = "/".join([document["type"].removeprefix(NAMESPACE), *reasons])
        return Verdict("the remediator", reply.status, code)
    if "Message" in document:
        return Verdict("the function URL", reply.status, document["Message"])
    outcomes = sorted({one["outcome"] for one in document.get("results", ())})
    return Verdict("the remediator", reply.status, "/".join(outcomes))


def of_ask(ask: Callable[[], Answer]) -> Verdict | str:
    """Return who answered the vendor's library: the remediator, or a cloud's service before it was asked."""
    try:
        answer = ask()
    except Refused as refused:
        return Verdict("the remediator", refused.status, refused.problem.removeprefix(NAMESPACE))
    except NoAccess as denied:
        return f"{denied.service}: {denied.code}"
    return Verdict("the remediator", 200, "/".join(sorted({result.outcome.value for result in answer.results})))


def of_call(service: str, call: Callable[[], object]) -> Verdict:
    """Return how a cloud's service answered a call."""
    try:
        call()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return Verdict(_GATEKEEPERS[service], status, error.response["Error"]["Code"])
    return Verdict(_GATEKEEPERS[service], 200, "allowed")
