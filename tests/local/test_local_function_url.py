"""A function URL from outside: who gets in, what arrives, what comes back."""

from __future__ import annotations

import email.utils
import json
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.iam.models import iam_backends

from remediator.local.emulator.identities import VENDOR_ACCOUNT
from remediator.local.runtime.functions import Credentials as Session
from tests.local.stacks import Deployed, allows, deploy, function_resources, resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.account import EmbeddedAccount

SOURCE = """
import base64, json, os, time
def handler(event, context):
    path = event["rawPath"]
    if path == "/raise": raise RuntimeError("secret reason")
    if path == "/exit": os._exit(1)
    if path == "/sleep": time.sleep(30)
    if path == "/malformed": return {"statusCode": "x"}
    if path == "/plain": return [1, 2]
    if path == "/headers": return {"statusCode": 204, "headers": {"X-Own": "1", "Date": "x", "Content-Length": "9"}}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}
"""
BOTH = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")


@dataclass
class Keys:
    access_key: str
    secret_key: str
    token: str | None = None


@dataclass
class Site:
    """Hold a function with a URL, and roles of two accounts that may or may not call it."""

    account: EmbeddedAccount
    stack: Deployed
    url: str

    def assume(self, role: str) -> Keys:
        """Return a session of one of the stack's roles, which the administrator may assume."""
        sts: Any = self.account.client("sts")
        arn = self.stack.client("iam").get_role(RoleName=self.stack.physical_id(role))["Role"]["Arn"]
        found = sts.assume_role(RoleArn=arn, RoleSessionName="caller")["Credentials"]
        return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def call(self, keys: Keys | None, path: str = "/", method: str = "POST", **how: Any) -> requests.Response:
        """Send a request, signed with `keys`; `forge` changes headers after signing."""
        forge = how.pop("forge", {})
        body = how.pop("body", b"{}")
        service = how.pop("service", "lambda")
        headers = {"Content-Type": "application/json", **how.pop("headers", {})}
        url = self.url.rstrip("/") + path
        prepared = AWSRequest(method, url, data=body, headers=headers)
        if keys is not None:
            signer = SigV4Auth(Credentials(keys.access_key, keys.secret_key, keys.token), service, self.account.region)
            signer.add_auth(prepared)
        sent = {**dict(prepared.headers.items()), **forge}
        return requests.request(method, url, data=how.pop("send", body), headers=sent, timeout=40)


def caller(*statements: dict[str, Any]) -> dict[str, Any]:
    account = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
    trusting = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    policies = [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}]
    return resource(
        "AWS::IAM::Role",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trusting]},
        Policies=policies if statements else [],
    )


def may(*actions: str, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement


def permission(action: str, principal: Any, **more: Any) -> dict[str, Any]:
    function = {"Ref": "Function"}
    return resource("AWS::Lambda::Permission", FunctionName=function, Action=action, Principal=principal, **more)


VENDOR = f"arn:aws:iam::{VENDOR_ACCOUNT}:user/vendor-cloud"
RESOURCES: dict[str, Any] = {
    **function_resources(SOURCE, Timeout=3),
    "Url": resource("AWS::Lambda::Url", TargetFunctionArn={"Fn::GetAtt": ["Function", "Arn"]}, AuthType="AWS_IAM"),
    "Both": caller(may(*BOTH)),
    "OnlyUrl": caller(may(BOTH[0])),
    "OnlyInvoke": caller(may(BOTH[1])),
    "Neither": caller(),
    "ByUrlOnly": caller(
        may(BOTH[0], StringEquals={"lambda:FunctionUrlAuthType": "AWS_IAM"}),
        may(BOTH[1], Bool={"lambda:InvokedViaFunctionUrl": "true"}),
    ),
    "Named": caller(),
    "LetNamedCall": permission(BOTH[0], {"Fn::GetAtt": ["Named", "Arn"]}, FunctionUrlAuthType="AWS_IAM"),
    "LetNamedInvoke": permission(BOTH[1], {"Fn::GetAtt": ["Named", "Arn"]}, InvokedViaFunctionUrl=True),
    "LetVendorCall": permission(BOTH[0], VENDOR, FunctionUrlAuthType="AWS_IAM"),
    "LetVendorInvoke": permission(BOTH[1], VENDOR, InvokedViaFunctionUrl=True),
}


@pytest.fixture(scope="module")
def site(embedded: EmbeddedAccount) -> Iterator[Site]:
    outputs = {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}
    stack = deploy(embedded, RESOURCES, Outputs=outputs)
    assert stack.status == "CREATE_COMPLETE", stack.reason
    yield Site(embedded, stack, stack.outputs["Url"])
    embedded.faults.clear()


def event(response: requests.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_a_signed_call_reaches_the_function_with_the_callers_identity(site: Site) -> None:
    keys = site.assume("Both")
    seen = event(site.call(keys, "/v1/things", body=b'{"a": 1}'))
    role = site.stack.client("iam").get_role(RoleName=site.stack.physical_id("Both"))["Role"]
    identity = seen["requestContext"]["authorizer"]["iam"]
    assert identity["accessKey"] == keys.access_key
    assert identity["userId"] == identity["callerId"] == f"{role['RoleId']}:caller"
    assert identity["userArn"].endswith(f":assumed-role/{role['RoleName']}/caller")
    assert (seen["rawPath"], seen["body"]) == ("/v1/things", '{"a": 1}')


@pytest.mark.parametrize("role", ["OnlyUrl", "OnlyInvoke", "Neither"])
def test_one_of_the_two_permissions_isnt_enough(site: Site, role: str) -> None:
    response = site.call(site.assume(role))
    assert (response.status_code, response.text) == (403, '{"Message":"Forbidden"}')


@pytest.mark.parametrize("role", ["Both", "ByUrlOnly", "Named"])
def test_both_permissions_are_enough_wherever_they_come_from(site: Site, role: str) -> None:
    assert site.call(site.assume(role)).status_code == 200


def test_another_account_needs_both_sides(site: Site) -> None:
    vendor = site.account.identities.vendor.credentials
    keys = Keys(vendor.access_key, vendor.secret_key)
    assert site.call(keys).status_code == 403
    backend = iam_backends[VENDOR_ACCOUNT]["aws"]
    backend.put_user_policy("vendor-cloud", "call", json.dumps(allows(*BOTH)))
    try:
        assert site.call(keys).status_code == 200
    finally:
        backend.delete_user_policy("vendor-cloud", "call")


def test_a_permission_by_url_does_not_let_a_plain_invoke_through(site: Site) -> None:
    for role in ("ByUrlOnly", "Named"):
        keys = site.assume(role)
        session = Session(keys.access_key, keys.secret_key, keys.token or "", float("inf"))
        client: Any = site.account.client("lambda", session)
        with pytest.raises(client.exceptions.ClientError, match="not authorized"):
            client.invoke(FunctionName=site.stack.physical_id("Function"), Payload=b"{}")


@pytest.mark.parametrize(
    "how",
    [
        {"forge": {"Authorization": ""}},
        {"send": b'{"tampered": 1}'},
        {"forge": {"X-Amz-Security-Token": "other"}},
        {"forge": {"Host": "elsewhere"}},
        {"service": "execute-api"},
    ],
)
def test_a_call_that_isnt_signed_as_it_is_sent_is_refused(site: Site, how: dict[str, Any]) -> None:
    response = site.call(site.assume("Both"), **how)
    assert (response.status_code, response.text) == (403, '{"Message":"Forbidden"}')


def test_unsigned_and_unknown_callers_are_refused(site: Site) -> None:
    assert site.call(None).status_code == 403
    assert site.call(Keys("AKIAUNKNOWNUNKNOWN00", "x")).status_code == 403
    known = site.account.identities.operator.credentials
    assert site.call(Keys(known.access_key, "wrong")).status_code == 403


def test_who_calls_and_who_refused_is_in_the_call_log(site: Site) -> None:
    mark = site.account.calls.mark()
    site.call(site.assume("OnlyUrl"))
    call = next(one for one in site.account.calls.since(mark) if one.operation == "InvokeFunctionUrl")
    assert (call.allowed, call.action) == (False, "lambda:InvokeFunction")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_reaches_the_function(site: Site, method: str) -> None:
    seen = event(site.call(site.assume("Both"), "/x?b=1", method=method, body=b""))
    assert seen["requestContext"]["http"]["method"] == method
    assert seen["queryStringParameters"] == {"b": "1"}


def test_a_head_answer_has_no_body(site: Site) -> None:
    response = site.call(site.assume("Both"), method="HEAD", body=b"")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", ["/raise", "/exit", "/malformed", "/sleep"])
def test_a_failing_function_is_a_bad_gateway_that_says_nothing(site: Site, path: str) -> None:
    response = site.call(site.assume("Both"), path)
    assert (response.status_code, response.text) == (502, "Internal Server Error")


def test_a_result_without_a_status_is_the_body(site: Site) -> None:
    response = site.call(site.assume("Both"), "/plain")
    assert response.json() == [1, 2]
    assert response.headers["Content-Type"] == "application/json"


def test_the_date_is_the_accounts_and_no_function_can_forge_it(site: Site) -> None:
    keys = site.assume("Both")
    response = site.call(keys, "/headers")
    assert (response.status_code, response.headers["X-Own"]) == (204, "1")
    date = email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
    assert abs(date - time.time()) < 5
    site.account.clock.shift(200)
    date = email.utils.parsedate_to_datetime(site.call(keys, "/headers").headers["Date"]).timestamp()
    assert abs(date - time.time()) < 5


def test_a_body_over_six_megabytes_is_refused_before_it_is_read(site: Site) -> None:
    response = site.call(None, body=b"x" * (6 * 1024 * 1024 + 1))
    assert response.status_code == 413


def test_a_large_body_below_the_limit_arrives(site: Site) -> None:
    body = json.dumps({"x": "y" * 1_000_000}).encode()
    assert len(event(site.call(site.assume("Both"), body=body))["body"]) == len(body)


def raw(site: Site, request: bytes) -> bytes:
    parts = urlsplit(site.url)
    with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65536)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"413"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_hostile_framing_is_refused(site: Site, request_bytes: bytes, status: bytes) -> None:
    assert status in raw(site, request_bytes).split(b"\r\n")[0]


def test_a_chunked_body_is_put_together(site: Site) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"a":'
        yield b" 1}"

    keys = site.assume("Both")
    seen = event(site.call(keys, body=b'{"a": 1}', send=chunks(), forge={"Transfer-Encoding": "chunked"}))
    assert seen["body"] == '{"a": 1}'


def test_a_changed_authentication_counts_at_once_and_a_removed_url_is_gone(site: Site) -> None:
    stack = deploy(
        site.account,
        {
            **function_resources("def handler(event, context): return event['requestContext']['accountId']"),
            "Url": resource("AWS::Lambda::Url", TargetFunctionArn={"Fn::GetAtt": ["Function", "Arn"]}, AuthType="NONE"),
            "LetCall": permission(BOTH[0], "*", FunctionUrlAuthType="NONE"),
            "LetInvoke": permission(BOTH[1], "*", InvokedViaFunctionUrl=True),
        },
        Outputs={"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}},
    )
    url = stack.outputs["Url"]
    assert requests.get(url, timeout=10).text == '"anonymous"'
    function = stack.physical_id("Function")
    stack.client("lambda").update_function_url_config(FunctionName=function, AuthType="AWS_IAM")
    assert requests.get(url, timeout=10).status_code == 403
    stack.delete()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_latency_is_felt_at_the_url_too(site: Site) -> None:
    keys = site.assume("Both")
    site.account.faults.latency(150)
    try:
        before = time.monotonic()
        site.call(keys, "/plain")
        assert time.monotonic() - before > 0.15
    finally:
        site.account.faults.latency(0)
