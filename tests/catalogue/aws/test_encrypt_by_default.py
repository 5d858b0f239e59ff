from __future__ import annotations

from typing import Any

import fastjsonschema
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from remediator.catalogue.aws.s3.encrypt_by_default import KEY, KMS, S3_MANAGED, Cipher, EncryptByDefault, rule, state
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example
from tests.laws.trials import AT_ONCE, Case, staged

FIX = EncryptByDefault()
ELSEWHERE = KEY.replace("eu-west-1", "us-east-1")
STRANGERS = KEY.replace("123456789012", "999988887777")


def broken(found: dict[str, Any] | None, **parameters: Any) -> Case:
    return Case(FIX, Example(broken=state(found), fixed=None, parameters=parameters))


def sent(case: Case) -> dict[str, Any]:
    with staged(case) as trial:
        with trial.recording() as calls:
            trial.apply()
        ((_, request),) = [call for call in calls.made if call[0] == "s3:PutBucketEncryption"]
        [one] = request["ServerSideEncryptionConfiguration"]["Rules"]
        return dict(one)


ASKED = [Cipher(), Cipher(KMS), Cipher(KMS, KEY)]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    "found",
    [
        rule(KMS),
        rule(KMS, STRANGERS, bucket_key=True),
        rule("aws:kms:dsse", KEY),
        rule("aws:fsx"),
        rule(KMS, blocked=("SSE-C",)),
    ],
)
def test_what_is_more_than_s3s_own_keys_stays(found: dict[str, Any], asked: Cipher) -> None:
    assert FIX.desired(state(found), asked) == state(found)


@pytest.mark.parametrize(
    ("asked", "algorithm", "key"),
    [(Cipher(), S3_MANAGED, None), (Cipher(KMS), KMS, None), (Cipher(KMS, KEY), KMS, KEY)],
)
def test_the_rest_is_as_it_is_asked_for(asked: Cipher, algorithm: str, key: str | None) -> None:
    assert FIX.desired(state(None), asked) == state(rule(algorithm, key))
    for blocked in ((), ("SSE-C",), ("NONE",)):
        for bucket_key in (False, True):
            found = rule(S3_MANAGED, bucket_key=bucket_key, blocked=blocked)
            wanted = state(rule(algorithm, key, bucket_key=bucket_key, blocked=blocked))
            assert FIX.desired(state(found), asked) == wanted
            assert FIX.desired(state(found | {"algorithm": None}), asked) == wanted


def test_a_bucket_that_s3_encrypts_already_has_nothing_to_do() -> None:
    with staged(broken(rule(S3_MANAGED))) as trial:
        assert not trial.job.plan().needed


def test_a_key_of_another_region_could_encrypt_nothing() -> None:
    with pytest.raises(NotApplicable, match="the key is in us-east-1, the bucket in eu-west-1"):
        FIX.desired(state(None), Cipher(KMS, ELSEWHERE))


def test_s3s_own_encryption_takes_no_key() -> None:
    with pytest.raises(NotApplicable, match="AES256 takes no key"):
        FIX.desired(state(None), Cipher(S3_MANAGED, KEY))


def test_another_accounts_key_in_the_region_may_be_used() -> None:
    assert FIX.desired(state(None), Cipher(KMS, STRANGERS))["rule"]["key"] == STRANGERS


@pytest.mark.parametrize("key", ["alias/orders", "1234abcd-12ab-34cd-56ef-1234567890ab", f"{KEY}\n", f"x{KEY}", "", 1])
def test_a_key_is_named_by_its_whole_arn(key: Any) -> None:
    accept = fastjsonschema.compile(FIX.parameter_schema())
    assert accept({"kms_key": KEY})["algorithm"] == S3_MANAGED
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        accept({"kms_key": key})


def test_only_what_there_is_to_say_is_said() -> None:
    plain = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": S3_MANAGED}, "BucketKeyEnabled": False}
    assert sent(broken(None)) == plain


def test_a_bucket_key_and_what_is_refused_are_said_again() -> None:
    case = broken(rule(S3_MANAGED, bucket_key=True, blocked=("SSE-C",)), algorithm=KMS, kms_key=KEY)
    assert sent(case) == {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": KMS, "KMSMasterKeyID": KEY},
        "BucketKeyEnabled": True,
        "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
    }


def test_a_rule_that_says_nothing_but_what_is_refused_is_read_and_goes_back() -> None:
    with staged(broken(None)) as trial, Stubber(trial.job.client) as stub:
        found = {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}
        stub.add_response("get_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [found]}})
        before = trial.job.read()
        assert before["rule"] == {"algorithm": None, "key": None, "bucket_key": False, "blocked": ["SSE-C"]}
        target = trial.job.target
        rules = {"Rules": [{"BucketKeyEnabled": False, **found}]}
        expected = {
            "Bucket": target["bucket"],
            "ExpectedBucketOwner": target.account,
            "ServerSideEncryptionConfiguration": rules,
        }
        stub.add_response("put_bucket_encryption", {}, expected)
        FIX.write(trial.job.client, target, state(rule(S3_MANAGED)), before)


def test_going_back_to_nothing_takes_the_rule_away() -> None:
    with staged(broken(None)) as trial:
        change, _ = trial.apply()
        trial.job.roll_back(change, pauses=AT_ONCE)
        with pytest.raises(ClientError, match="ServerSideEncryptionConfigurationNotFoundError"):
            trial.job.client.get_bucket_encryption(Bucket=trial.job.target["bucket"])


def test_a_bucket_that_is_not_there_is_an_error_not_an_unencrypted_one() -> None:
    with staged(broken(None)) as trial:
        trial.job.client.delete_bucket(Bucket=trial.job.target["bucket"])
        with pytest.raises(ClientError, match="NoSuchBucket"):
            trial.job.read()
