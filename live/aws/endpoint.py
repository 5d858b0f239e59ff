"""Ask Lambda which grants a function's URL wants of a caller in another account, and how it hands a request over."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from live.verdicts import Making, Probe, Verdict, judged
from live.workshop import Slow
from remediator.vendor.sigv4 import Credentials, authorize
from remediator.vendor.transport import HttpTransport, Unsigned

if TYPE_CHECKING:
    from live.aws.workshop import AwsWorkshop

_CODE: Final = """
import json
def handler(event, context):
    iam = event["requestContext"].get("authorizer", {}).get("iam", {})
    return {"statusCode": 200, "headers": {"content-type": "application/json"},
            "body": json.dumps({"twice": event["headers"].get("x-twice"), "user": iam.get("userId"),
                                "path": event["rawPath"], "signed": "authorization" in event["headers"]})}
"""
RUNTIME: Final = "python3.12"
_PATIENCE: Final = 120.0
_REFUSED: Final = 403


def grants(shop: AwsWorkshop) -> Verdict:
    """Call a URL with neither grant, with one, and with both, from the vendor's account."""
    url, role = _function(shop), _caller(shop)
    try:
        shop.until(lambda: shop.assumed(role) is not None, most=_PATIENCE)
        given = (shop.assumed(role) or {})["Credentials"]
        held = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        without, _ = _call(shop, url, held)
        _grant(shop, role, "url", "lambda:InvokeFunctionUrl", FunctionUrlAuthType="AWS_IAM")
        shop.pause(10.0)
        half, _ = _call(shop, url, held)
        _grant(shop, role, "function", "lambda:InvokeFunction", InvokedViaFunctionUrl=True)
        shop.until(lambda: _call(shop, url, held)[0] == 200, most=_PATIENCE)  # noqa: PLR2004 - a status
        _, told = _call(shop, url, held)
    except Slow as slow:
        return judged(f"with both grants: {slow}", {}, holds=False)
    figures = {"without": without, "half": half, "with_both": 200, **told}
    seen = f"{without} without a grant, {half} with InvokeFunctionUrl alone, 200 with both; {told}"
    holds = without == _REFUSED and half == _REFUSED and told["path"] == "/v1/probe" and bool(told["user"])
    return judged(seen, figures, holds=holds)


def _function(shop: AwsWorkshop) -> str:
    """Make a function that tells what it was handed, and its URL."""
    iam, functions = shop.customer.client("iam"), shop.customer.client("lambda")
    name = shop.name("echo")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = shop.role("echo", [trust])
    iam.get_waiter("role_exists").wait(RoleName=name)
    made: dict[str, Any] = {}

    def make() -> bool:
        try:
            made.update(
                functions.create_function(
                    FunctionName=name, Runtime=RUNTIME, Role=arn, Handler="echo.handler", Code={"ZipFile": _zipped()}
                )
            )
        except ClientError as error:  # the role isn't known everywhere yet
            if error.response["Error"]["Code"] != "InvalidParameterValueException":
                raise
            return False
        return True

    shop.say(f"creating function {name}")
    shop.until(make, most=_PATIENCE)
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    return str(functions.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"])


def _caller(shop: AwsWorkshop) -> str:
    """Make the role that calls, without any right of its own: the URL's policy alone lets it in."""
    return shop.role("caller", [shop.trusted()])


def _grant(shop: AwsWorkshop, role: str, statement: str, action: str, **more: Any) -> None:  # noqa: ANN401 - AddPermission's
    shop.customer.client("lambda").add_permission(
        FunctionName=shop.name("echo"), StatementId=statement, Action=action, Principal=role, **more
    )


def _call(shop: AwsWorkshop, url: str, held: Credentials) -> tuple[int, dict[str, Any]]:
    region = str(shop.customer.client("lambda").meta.region_name)
    call = Unsigned("GET", f"{url.rstrip('/')}/v1/probe", {"x-twice": "one"}, {}, b"")
    reply = HttpTransport().send(authorize(call, held, region=region, now=shop.now()))
    return reply.status, json.loads(reply.body or b"{}")


def _zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("echo.py", _CODE)
    return packed.getvalue()


PROBES: Final = (
    Probe(
        "url-grants",
        "a function URL wants both InvokeFunctionUrl and InvokeFunction by URL, and tells who calls",
        Making(("2 IAM roles", "1 function with a URL"), 3, {"function_request": 10, "function_gb_second": 1}),
        grants,
    ),
)
