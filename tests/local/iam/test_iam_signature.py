"""Who signed: everything that isn't signed, or not like this, is refused in the words of its service."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
import time_machine
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from remediator.local.iam import Refused, assume_for_service, authenticate, authorize, principal_of
from tests.local.iam.iam_account import ACCOUNT, REGION, Account, Keys, allow, deny, document, refused, trust

if TYPE_CHECKING:
    from collections.abc import Mapping

# One call for each way to speak, with what each says: unknown key, wrong signature, expired session, not allowed.
SPEAKERS: dict[str, tuple[str, Any, tuple[str, str, str, str]]] = {
    "query": (
        "iam",
        lambda c: c.list_roles(),
        ("InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "AccessDenied"),
    ),
    "query of sts": (
        "sts",
        lambda c: c.get_caller_identity(),
        ("InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", ""),
    ),
    "sns": (
        "sns",
        lambda c: c.list_topics(),
        ("InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "AuthorizationError"),
    ),
    "sqs": (
        "sqs",
        lambda c: c.list_queues(),
        ("UnrecognizedClient", "InvalidSignature", "ExpiredToken", "AccessDenied"),
    ),
    "ec2": (
        "ec2",
        lambda c: c.describe_vpcs(),
        ("AuthFailure", "AuthFailure", "RequestExpired", "UnauthorizedOperation"),
    ),
    "json": (
        "dynamodb",
        lambda c: c.list_tables(),
        ("UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "AccessDeniedException"),
    ),
    "rest-json": (
        "lambda",
        lambda c: c.list_functions(),
        ("UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "AccessDeniedException"),
    ),
    "s3": (
        "s3",
        lambda c: c.list_buckets(),
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "AccessDenied"),
    ),
}


@pytest.fixture(scope="module")
def nobody(account: Account) -> Keys:
    """A session that may do nothing."""
    return account.session()


@pytest.mark.parametrize("name", SPEAKERS)
def test_an_unknown_key_is_refused_in_the_services_words(account: Account, name: str) -> None:
    service, call, words = SPEAKERS[name]
    stranger = Keys("", "AKIAIOSFODNN7EXAMPLE", "secret")
    assert refused(lambda: call(account.client(service, stranger))) == words[0]


@pytest.mark.parametrize("name", SPEAKERS)
def test_a_wrong_secret_is_refused_in_the_services_words(account: Account, nobody: Keys, name: str) -> None:
    service, call, words = SPEAKERS[name]
    forger = Keys("", nobody.access_key, "wrong", nobody.token)
    assert refused(lambda: call(account.client(service, forger))) == words[1]


@pytest.mark.parametrize("name", SPEAKERS)
def test_an_expired_session_is_refused_in_the_services_words(account: Account, nobody: Keys, name: str) -> None:
    service, call, words = SPEAKERS[name]
    with time_machine.travel(time.time() + 3601, tick=True):
        assert refused(lambda: call(account.client(service, nobody))) == words[2]


@pytest.mark.parametrize("name", [name for name in SPEAKERS if SPEAKERS[name][2][3]])
def test_what_is_not_allowed_is_refused_in_the_services_words(account: Account, nobody: Keys, name: str) -> None:
    service, call, words = SPEAKERS[name]
    assert refused(lambda: call(account.client(service, nobody))) == words[3]


def test_a_session_lives_until_its_last_second(account: Account) -> None:
    keys = account.session(DurationSeconds=900)
    identity = account.client("sts", keys).get_caller_identity
    started = time.time()
    with time_machine.travel(started + 895, tick=True):
        identity()
    with time_machine.travel(started + 901, tick=True):
        assert refused(identity) == "ExpiredToken"


def test_another_sessions_token_is_refused(account: Account, nobody: Keys) -> None:
    other = account.session()
    mixed = Keys("", nobody.access_key, nobody.secret, other.token)
    missing = Keys("", nobody.access_key, nobody.secret)
    for keys in (mixed, missing):
        assert refused(lambda keys=keys: account.client("sts", keys).get_caller_identity()) == "InvalidClientTokenId"


def test_a_deactivated_key_is_refused(account: Account) -> None:
    user = account.user()
    name = user.arn.rpartition("/")[2]
    account.client("sts", user).get_caller_identity()
    account.client("iam").update_access_key(UserName=name, AccessKeyId=user.access_key, Status="Inactive")
    assert refused(lambda: account.client("sts", user).get_caller_identity()) == "InvalidClientTokenId"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_clocks_more_than_five_minutes_apart_are_refused(account: Account, seconds: int) -> None:
    signed: list[requests.PreparedRequest] = []
    with time_machine.travel(time.time() + seconds, tick=True):
        account.send(account.admin, "GET", "/", "s3", tamper=signed.append)
    answer = requests.get(f"{account.url}/", headers=dict(signed[0].headers), timeout=10)
    assert answer.status_code == 403
    assert "RequestTimeTooSkewed" in answer.text


def test_clocks_five_minutes_apart_are_not(account: Account) -> None:
    signed: list[requests.PreparedRequest] = []
    with time_machine.travel(time.time() - 295, tick=True):
        account.send(account.admin, "GET", "/", "s3", tamper=signed.append)
    assert requests.get(f"{account.url}/", headers=dict(signed[0].headers), timeout=10).status_code == 200


def changed_body(request: AWSRequest) -> None:
    request.data = b"Action=DeleteRole&Version=2010-05-08"


def changed_query(request: AWSRequest) -> None:
    request.url = f"{request.url}?x=1"


def changed_header(request: AWSRequest) -> None:
    request.headers.replace_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")


def dropped_header(request: AWSRequest) -> None:
    del request.headers["Content-Type"]


@pytest.mark.parametrize("tamper", [changed_body, changed_query, changed_header, dropped_header])
def test_whatever_was_changed_after_signing_is_refused(account: Account, tamper: Any) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"Action=GetAccountSummary&Version=2010-05-08"
    assert account.send(account.admin, "POST", "/", "iam", headers=headers, data=body).status_code == 200
    answer = account.send(account.admin, "POST", "/", "iam", headers=headers, data=body, tamper=tamper)
    assert answer.status_code == 403
    assert "SignatureDoesNotMatch" in answer.text


def test_a_changed_object_is_refused_and_an_unsigned_one_is_not(account: Account) -> None:
    bucket = account.bucket()
    put = lambda **more: account.send(account.admin, "PUT", f"/{bucket}/key", "s3", data=b"1", **more)  # noqa: E731
    answer = put(tamper=lambda request: setattr(request, "data", b"2"))
    assert (answer.status_code, "XAmzContentSHA256Mismatch" in answer.text) == (400, True)
    assert put(tamper=lambda request: setattr(request, "url", request.url + "s")).status_code == 403
    unsigned = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    assert put(headers=unsigned, signer=SigV4Auth).status_code == 200


@pytest.mark.parametrize("key", ["plain", "a b", "a+b", "ü/ö", "a//b", "a/../b", "~tilde", "per%cent", "q?=&"])
def test_every_form_of_key_is_signed_as_the_sdk_signs_it(account: Account, key: str) -> None:
    s3, bucket = account.client("s3"), account.bucket()
    s3.put_object(Bucket=bucket, Key=key, Body=b"1", Tagging="a=b")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"1"


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic dXNlcjpwYXNz", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b", "AWS AKIA:signature"],
)
def test_what_is_not_a_signature_is_refused(account: Account, authorization: str) -> None:
    headers = {"Authorization": authorization, "X-Amz-Target": "DynamoDB_20120810.ListTables", "X-Amz-Date": "now"}
    answer = requests.post(account.url, headers=headers, data="{}", timeout=10)
    assert answer.status_code in (400, 403)
    assert "TableNames" not in answer.text


@pytest.mark.parametrize("target", ["DynamoDB_20120810.ListTables", "secretsmanager.ListSecrets"])
def test_an_unsigned_call_is_refused(account: Account, target: str) -> None:
    answer = requests.post(account.url, headers={"X-Amz-Target": target}, data="{}", timeout=10)
    assert answer.status_code == 403


def test_an_unsigned_read_needs_a_bucket_policy_for_everybody(account: Account) -> None:
    s3, bucket = account.client("s3"), account.bucket()
    s3.put_object(Bucket=bucket, Key="key", Body=b"1")
    url = f"{account.url}/{bucket}/key"
    assert requests.get(url, timeout=10).status_code == 403
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document(everybody)))
    assert requests.get(url, timeout=10).text == "1"
    assert requests.get(f"{account.url}/{bucket}", timeout=10).status_code == 403


def test_a_presigned_url_is_good_for_its_time_and_its_object(account: Account) -> None:
    s3, bucket = account.client("s3"), account.bucket()
    s3.put_object(Bucket=bucket, Key="key", Body=b"1")
    reader = account.client("s3", account.session(allow("s3:GetObject")), signature_version="s3v4")
    url = reader.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "key"}, ExpiresIn=60)
    assert requests.get(url, timeout=10).text == "1"
    assert requests.get(url.replace("/key", "/other"), timeout=10).status_code == 403
    assert requests.put(url, data=b"2", timeout=10).status_code == 403
    with time_machine.travel(time.time() + 61, tick=True):
        assert requests.get(url, timeout=10).status_code == 403


def test_only_s3_reads_signatures_from_the_query(account: Account) -> None:
    request = AWSRequest("GET", f"{account.url}/?Action=ListUsers&Version=2010-05-08")
    keys = Credentials(account.admin.access_key, account.admin.secret)
    S3SigV4QueryAuth(keys, "iam", REGION).add_auth(request)
    assert requests.get(str(request.url), timeout=10).status_code == 403


def test_moto_hears_no_account_that_the_key_does_not_have(account: Account) -> None:
    headers = {"x-moto-account-id": "999999999999", "Content-Type": "application/x-www-form-urlencoded"}
    answer = account.send(
        account.admin, "POST", "/", "iam", headers=headers, data=b"Action=ListUsers&Version=2010-05-08"
    )
    assert answer.status_code == 403


def test_moto_hears_no_region_that_was_not_signed(account: Account) -> None:
    headers = {"User-Agent": "tool/1 region/us-east-1", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    answer = account.send(account.admin, "POST", "/", "dynamodb", headers=headers, data=b"{}")
    assert "AccessDeniedException" in answer.text


def test_moto_does_the_operation_that_was_authorized(account: Account) -> None:
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
    sneaky = json.dumps({"Limit": 1, "ExclusiveStartTableName": "&Action=DeleteTable&"}).encode()
    keys = account.session(allow("dynamodb:ListTables"))
    answer = account.send(keys, "POST", "/", "dynamodb", headers=headers, data=sneaky)
    assert "TableNames" in answer.json()


def test_parameters_in_two_places_are_refused(account: Account) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path, body = "/?Action=GetAccountSummary&Version=2010-05-08", b"Action=ListUsers&Version=2010-05-08"
    answer = account.send(account.admin, "POST", path, "iam", headers=headers, data=body)
    assert answer.status_code == 400


def test_an_operation_that_does_not_exist_is_refused(account: Account) -> None:
    headers = {"X-Amz-Target": "DynamoDB_20120810.DropEverything"}
    answer = account.send(account.admin, "POST", "/", "dynamodb", headers=headers, data=b"{}")
    assert answer.json()["__type"] == "UnknownOperationException"


HOSTILE: dict[str, tuple[str, str, bytes]] = {
    "no json": ("dynamodb", "DynamoDB_20120810.GetItem", b"{"),
    "a list": ("dynamodb", "DynamoDB_20120810.GetItem", b"[1]"),
    "text for a map": ("dynamodb", "DynamoDB_20120810.GetItem", b'{"TableName": "t", "Key": "k"}'),
    "an empty value": ("dynamodb", "DynamoDB_20120810.GetItem", b'{"TableName": "t", "Key": {"pk": {}}}'),
    "text for a list": ("dynamodb", "DynamoDB_20120810.TransactWriteItems", b'{"TransactItems": "abc"}'),
    "an unknown element": ("dynamodb", "DynamoDB_20120810.TransactWriteItems", b'{"TransactItems": [{"Drop": {}}]}'),
    "half an arn": ("kms", "TrentService.DescribeKey", b'{"KeyId": "arn:aws:kms"}'),
    "an arn of nowhere": ("kms", "TrentService.DescribeKey", b'{"KeyId": "arn:aws:kms:nowhere-1:abc:key/1"}'),
    "an alias of nowhere": ("kms", "TrentService.DescribeKey", b'{"KeyId": "arn:aws:kms:mars-1:999999999999:alias/a"}'),
    "no ciphertext": ("kms", "TrentService.Decrypt", b'{"CiphertextBlob": "AA=="}'),
    "a secret of nowhere": ("secretsmanager", "secretsmanager.GetSecretValue", b'{"SecretId": "arn:aws:x:x:y:z:q"}'),
    "a number for a name": ("secretsmanager", "secretsmanager.GetSecretValue", b'{"SecretId": 7}'),
    "another partition": ("ssm", "AmazonSSM.GetParameter", b'{"Name": "arn:aws-cn:ssm:cn-north-1:1:parameter/x"}'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_parameters_are_refused_not_stumbled_over(account: Account, nobody: Keys, name: str) -> None:
    service, target, body = HOSTILE[name]
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    answer = account.send(nobody, "POST", "/", service, headers=headers, data=body)
    assert answer.status_code == 400
    assert answer.json()["__type"] in ("AccessDeniedException", "SerializationException")


@pytest.mark.parametrize("arn", ["x", "arn:aws:iam::999999999999:role/x", "arn:aws:iam::abc:role", "arn:aws:s3:::b"])
def test_hostile_role_arns_are_refused(account: Account, nobody: Keys, arn: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"Action=AssumeRole&Version=2011-06-15&RoleSessionName=session&RoleArn={arn}".encode()
    answer = account.send(nobody, "POST", "/", "sts", headers=headers, data=body)
    assert (answer.status_code, "AccessDenied" in answer.text) == (403, True)


def test_a_deletion_without_keys_is_refused(account: Account, nobody: Keys) -> None:
    body = b"<Delete><Object><VersionId>1</VersionId></Object></Delete>"
    answer = account.send(nobody, "POST", f"/{account.bucket()}?delete", "s3", data=body)
    assert answer.status_code == 403


def test_a_made_up_region_is_refused(account: Account) -> None:
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables"}
    answer = account.send(account.admin, "POST", "/", "dynamodb", headers=headers, data=b"{}", region="mars-north-1")
    assert answer.json()["__type"] == "InvalidSignatureException"


def signed(keys: Keys, *, service: str = "lambda", body: bytes = b"{}") -> tuple[str, Mapping[str, str]]:
    """A request as a function URL gets it."""
    url = f"http://abc.lambda-url.{REGION}.on.aws/v1/remediations"
    request = AWSRequest("POST", url, headers={"Remediation-Code": "123456"}, data=body)
    SigV4Auth(Credentials(keys.access_key, keys.secret, keys.token), service, REGION).add_auth(request)
    return "/v1/remediations", {**request.headers, "Host": f"abc.lambda-url.{REGION}.on.aws"}


def test_a_function_urls_caller_is_told_by_their_signature(account: Account) -> None:
    keys = account.session()
    path, headers = signed(keys)
    caller = authenticate("POST", path, headers, b"{}", service="lambda")
    assert (caller.session_arn, caller.account, caller.access_key) == (keys.arn, ACCOUNT, keys.access_key)
    assert caller.arn == f"arn:aws:iam::{ACCOUNT}:role/{keys.arn.split('/')[1]}"
    assert caller.unique_id.startswith("AROA")
    assert caller.unique_id.endswith(":session")
    assert principal_of(keys.access_key) == caller


def test_a_user_has_no_session(account: Account) -> None:
    user = account.user()
    caller = principal_of(user.access_key)
    assert (caller.arn, caller.session_arn, caller.session_policy) == (user.arn, None, None)
    assert caller.unique_id.startswith("AIDA")
    assert account.client("sts", user).get_caller_identity()["UserId"] == caller.unique_id


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"service": "execute-api"}, "SignatureDoesNotMatch"),
        ({"body": b"{} "}, "SignatureDoesNotMatch"),
    ],
)
def test_a_function_url_takes_no_signature_for_anything_else(account: Account, change: Any, code: str) -> None:
    path, headers = signed(account.session(), **change)
    with pytest.raises(Refused) as refusal:
        authenticate("POST", path, headers, b"{}", service="lambda")
    assert refusal.value.code == code


def test_a_function_urls_caller_must_be_allowed(account: Account) -> None:
    keys = account.session()
    caller = principal_of(keys.access_key)
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:remediate"
    action, context = "lambda:InvokeFunctionUrl", {"lambda:FunctionUrlAuthType": "AWS_IAM"}
    grant = allow(action, arn, Principal={"AWS": caller.arn}, Condition={"StringEquals": context})
    authorize(caller, action, arn, context, document(grant))
    for other_context, policy in (
        (context, document(deny(action, arn, Principal="*"))),
        ({}, document(grant)),
        (context, None),
    ):
        with pytest.raises(Refused) as refusal:
            authorize(caller, action, arn, other_context, policy)
        assert refusal.value.code == "AccessDenied"
        assert keys.arn in refusal.value.reason


def test_a_service_gets_a_session_of_a_role_that_trusts_it(account: Account) -> None:
    role = account.role(trust({"Service": "lambda.amazonaws.com"}), allow("dynamodb:ListTables"))
    session = assume_for_service("lambda.amazonaws.com", role, "function", duration=12 * 3600)
    keys = Keys(session.arn, session.access_key_id, session.secret_access_key, session.session_token)
    account.client("dynamodb", keys).list_tables()
    for service, wanted in (("scheduler.amazonaws.com", role), ("lambda.amazonaws.com", f"{role}-none")):
        with pytest.raises(Refused):
            assume_for_service(service, wanted, "function")
