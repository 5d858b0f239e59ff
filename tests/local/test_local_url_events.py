"""Function URL events and answers, format 2.0, against AWS's documented example."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from remediator.local.function_url.event import BadResult, HttpRequest, event_of, reply_of
from remediator.local.iam import Principal

SESSION = Principal(
    arn="arn:aws:iam::444455556666:role/vendor",
    session_arn="arn:aws:sts::444455556666:assumed-role/vendor/run",
    account="444455556666",
    unique_id="AROAEXAMPLE:run",
    access_key="ASIAEXAMPLE",
    session_policy=None,
)


def request(**changes: Any) -> HttpRequest:
    given: dict[str, Any] = {
        "identity": "11111111-2222-3333-4444-555555555555",
        "method": "POST",
        "path": "/my/path",
        "query": "",
        "headers": [("Host", "localhost:1234"), ("User-Agent", "agent"), ("Content-Type", "application/json")],
        "body": b'{"a": 1}',
        "source_ip": "127.0.0.1",
        "received": 1583348638.39,
    }
    return HttpRequest(**{**given, **changes})


def test_the_event_is_as_documented() -> None:
    event = event_of(request(), "abc", SESSION)
    assert event["version"] == "2.0"
    assert (event["rawPath"], event["rawQueryString"], event["routeKey"]) == ("/my/path", "", "$default")
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert event["requestContext"] == {
        "accountId": "444455556666",
        "apiId": "abc",
        "authentication": None,
        "authorizer": {
            "iam": {
                "accessKey": "ASIAEXAMPLE",
                "accountId": "444455556666",
                "callerId": "AROAEXAMPLE:run",
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": "arn:aws:sts::444455556666:assumed-role/vendor/run",
                "userId": "AROAEXAMPLE:run",
            }
        },
        "domainName": "localhost:1234",
        "domainPrefix": "abc",
        "http": {
            "method": "POST",
            "path": "/my/path",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "agent",
        },
        "requestId": "11111111-2222-3333-4444-555555555555",
        "routeKey": "$default",
        "stage": "$default",
        "time": "04/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638390,
    }
    assert "cookies" not in event
    assert "queryStringParameters" not in event


def test_header_names_are_lower_case_and_repeated_ones_are_joined() -> None:
    headers = [("X-One", "a"), ("x-one", "b"), ("X-TWO", "c"), ("Cookie", "k=v; l=w")]
    event = event_of(request(headers=headers), "abc", SESSION)
    assert (event["headers"]["x-one"], event["headers"]["x-two"]) == ("a,b", "c")
    assert event["cookies"] == ["k=v", "l=w"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1"


def test_query_parameters_are_decoded_and_repeated_ones_are_joined() -> None:
    event = event_of(request(query="p=1&p=2&q=a%20b&empty="), "abc", SESSION)
    assert event["rawQueryString"] == "p=1&p=2&q=a%20b&empty="
    assert event["queryStringParameters"] == {"p": "1,2", "q": "a b", "empty": ""}


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", "ä".encode(), True),
        ("application/problem+json; charset=utf-8", b"{}", True),
        ("text/plain", b"x", True),
        ("application/octet-stream", b"x", False),
        ("", b"x", False),
        ("application/json", b"\xff\xfe", False),
    ],
)
def test_bodies_that_arent_text_are_base64(content_type: str, body: bytes, text: bool) -> None:  # noqa: FBT001
    event = event_of(request(headers=[("Content-Type", content_type)], body=body), "abc", SESSION)
    assert event["isBase64Encoded"] is not text
    assert event["body"] == (body.decode() if text else base64.b64encode(body).decode())


def test_no_body_is_no_body() -> None:
    event = event_of(request(body=b""), "abc", SESSION)
    assert "body" not in event
    assert event["isBase64Encoded"] is False


def test_a_url_for_everybody_names_nobody() -> None:
    context = event_of(request(), "abc", None)["requestContext"]
    assert context["accountId"] == "anonymous"
    assert "authorizer" not in context


def test_a_result_with_a_status_is_a_response() -> None:
    result = {"statusCode": 201, "headers": {"X-A": "b"}, "body": "ä", "cookies": ["k=v"]}
    reply = reply_of(json.dumps(result).encode())
    assert (reply.status, reply.body) == (201, "ä".encode())
    assert reply.headers == (("X-A", "b"), ("Content-Type", "application/json"), ("Set-Cookie", "k=v"))


def test_a_result_without_a_status_is_the_body() -> None:
    reply = reply_of(b'{"a": 1}')
    assert (reply.status, reply.body) == (200, b'{"a": 1}')


def test_a_base64_body_is_decoded() -> None:
    assert reply_of(b'{"statusCode": 200, "body": "/w==", "isBase64Encoded": true}').body == b"\xff"


@pytest.mark.parametrize(
    "payload",
    [
        b"not json",
        b'{"statusCode": "200"}',
        b'{"statusCode": 7}',
        b'{"statusCode": true}',
        b'{"statusCode": 200, "body": "%", "isBase64Encoded": true}',
        b'{"statusCode": 200, "headers": {"X": "a\\r\\nSet-Cookie: b"}}',
        b'{"statusCode": 200, "headers": {"bad name": "a"}}',
    ],
)
def test_a_result_that_cannot_be_a_response_is_refused(payload: bytes) -> None:
    with pytest.raises(BadResult):
        reply_of(payload)
