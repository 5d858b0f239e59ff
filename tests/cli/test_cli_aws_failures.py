"""What AWS, or its SDK, refuses ends with an exit and says what to do next."""

from __future__ import annotations

import pytest
from botocore import exceptions as aws

from remediator.cli.exits import Exit
from remediator.cli.failures import explained


@pytest.mark.parametrize(
    ("error", "end", "advice"),
    [
        (aws.NoCredentialsError(), Exit.REFUSED, "aws sso login"),
        (aws.PartialCredentialsError(provider="env", cred_var="x"), Exit.REFUSED, "aws sso login"),
        (aws.UnauthorizedSSOTokenError(), Exit.REFUSED, "aws sso login"),
        (aws.TokenRetrievalError(provider="sso", error_msg="expired"), Exit.REFUSED, "aws sso login"),
        (aws.NoRegionError(), Exit.USAGE, "--region"),
        (aws.ProfileNotFound(profile="nobody"), Exit.NOT_FOUND, "--profile"),
        (aws.EndpointConnectionError(endpoint_url="https://sts"), Exit.NOT_FOUND, "network"),
        (aws.ReadTimeoutError(endpoint_url="https://sts"), Exit.NOT_FOUND, "network"),
        (aws.ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole"), Exit.REFUSED, "permissions"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_refusal_ends_with_its_exit_and_advice(error: Exception, end: Exit, advice: str) -> None:
    failed = explained(error)
    assert failed is not None
    assert (failed.exit, advice in failed.next) == (end, True)
