from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.resources import (
    ACCESS_KEY,
    ACCOUNT,
    ACCOUNT_IN_REGION,
    DB_INSTANCE,
    EBS_SNAPSHOT,
    EC2_INSTANCE,
    KMS_KEY,
    LAMBDA_FUNCTION,
    RDS_SNAPSHOT,
    S3_BUCKET,
    SECURITY_GROUP,
    TRAIL,
    Arn,
)
from remediator.catalogue.errors import BadTarget
from remediator.catalogue.spec import Home
from tests.catalogue.toys import unhurried

HOME = Home("aws", "123456789012")
KINDS = (
    ACCESS_KEY,
    ACCOUNT,
    ACCOUNT_IN_REGION,
    DB_INSTANCE,
    EBS_SNAPSHOT,
    EC2_INSTANCE,
    KMS_KEY,
    LAMBDA_FUNCTION,
    RDS_SNAPSHOT,
    S3_BUCKET,
    SECURITY_GROUP,
    TRAIL,
)
GROUP = "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0a1b2c3d"

every_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.title for kind in KINDS])


def targets(kind: Arn) -> st.SearchStrategy[dict[str, str]]:
    arn = st.from_regex(re.compile(kind.form, re.ASCII), fullmatch=True)
    apart = {"region": st.just("eu-west-1")} if "region" in kind.schema()["required"] else {}
    item = {kind.item.name: st.from_regex(re.compile(kind.item.form, re.ASCII), fullmatch=True)} if kind.item else {}
    return st.fixed_dictionaries({"arn": arn, **apart, **item})


@every_kind
def test_the_example_is_a_target_at_home(kind: Arn) -> None:
    target = kind.parse(kind.example, HOME)
    assert (target.partition, target.account) == ("aws", "123456789012")
    assert target.id == kind.example["arn"]
    assert (target.region == "eu-west-1") is kind.regional


def test_the_schema_of_a_bucket_asks_for_its_region() -> None:
    schema = S3_BUCKET.schema()
    assert schema["required"] == ["arn", "region"]
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    assert schema["properties"]["arn"] == {
        "type": "string",
        "maxLength": 512,
        "pattern": "^arn:(?:aws(?:-[a-z]{2,8}){0,3}):s3:::(?:[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$",
    }
    assert schema["properties"]["region"] == {
        "type": "string",
        "pattern": "^(?:[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2})$",
    }


def test_the_schema_of_an_account_knows_no_region() -> None:
    assert list(ACCOUNT.schema()["properties"]) == ["arn"]
    assert list(SECURITY_GROUP.schema()["properties"]) == ["arn", "region"]
    assert SECURITY_GROUP.schema()["required"] == ["arn"]


@unhurried
@given(st.data())
def test_schema_and_reader_agree_and_wildcards_match_what_is_at_home(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    raw = data.draw(targets(kind))
    target = kind.parse(fastjsonschema.compile(kind.schema())(raw), HOME)
    at_home = target.partition == HOME.partition and target.account == HOME.account
    assert any(fnmatchcase(target.id, one) for one in kind.patterns(HOME)) is at_home


@every_kind
@pytest.mark.parametrize(
    "change", ["{}\n", " {}", "{}*", "{}?", "{}/../x", "{}\x00", "x{}", "{}" + "a" * 600, "{}é", ""]
)
def test_a_name_that_is_not_exactly_one_is_refused_by_reader_and_schema(kind: Arn, change: str) -> None:
    raw = {**kind.example, "arn": change.format(kind.example["arn"])}
    with pytest.raises(BadTarget):
        kind.parse(raw, HOME)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        fastjsonschema.compile(kind.schema())(raw)


@every_kind
def test_wildcards_in_a_name_are_refused(kind: Arn) -> None:
    for wildcards in kind.patterns(HOME):
        if "*" in wildcards:
            with pytest.raises(BadTarget):
                kind.parse({**kind.example, "arn": wildcards}, HOME)


@every_kind
@pytest.mark.parametrize("raw", [{}, {"arn": 1}, {"arn": None}, {"arn": ["x"]}, {"region": "eu-west-1"}])
def test_a_target_without_a_name_is_refused(kind: Arn, raw: Any) -> None:
    with pytest.raises(BadTarget):
        kind.parse(raw, HOME)


@every_kind
def test_anything_besides_arn_and_region_is_refused(kind: Arn) -> None:
    with pytest.raises(BadTarget, match="nothing but"):
        kind.parse({**kind.example, "account": "123456789012"}, HOME)


def test_digits_of_other_scripts_are_no_digits() -> None:
    with pytest.raises(BadTarget):
        ACCOUNT.parse({"arn": "arn:aws:iam::12345678901٢:root"}, HOME)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (S3_BUCKET, "arn:aws:s3:::ab"),
        (S3_BUCKET, "arn:aws:s3:::" + "a" * 64),
        (S3_BUCKET, "arn:aws:s3:::Upper"),
        (S3_BUCKET, "arn:aws:s3:::-dash"),
        (S3_BUCKET, "arn:aws:s3:::bucket/key"),
        (S3_BUCKET, "arn:aws:s3:eu-west-1:123456789012:accesspoint/x"),
        (SECURITY_GROUP, "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-xyz"),
        (SECURITY_GROUP, "arn:aws:ec2:eu-west-1:12345678901:security-group/sg-0a1b2c3d"),
        (SECURITY_GROUP, "arn:aws:ec2::123456789012:security-group/sg-0a1b2c3d"),
        (ACCOUNT, "arn:aws:iam::123456789012:user/root"),
        (KMS_KEY, "arn:aws:kms:eu-west-1:123456789012:alias/x"),
        (LAMBDA_FUNCTION, "arn:aws:lambda:eu-west-1:123456789012:function:a.b"),
        (LAMBDA_FUNCTION, "arn:aws:lambda:eu-west-1:123456789012:function:orders:"),
        (LAMBDA_FUNCTION, "arn:aws:lambda:eu-west-1:123456789012:function:orders:$LATEST"),
        (LAMBDA_FUNCTION, "arn:aws:lambda:eu-west-1:123456789012:function:orders:live:1"),
        (LAMBDA_FUNCTION, "arn:aws:lambda:eu-west-1:123456789012:function:" + "a" * 65),
        (LAMBDA_FUNCTION, "arn:aws:lambda:eu-west-1:123456789012:layer:orders:1"),
        (TRAIL, "arn:aws:cloudtrail:eu-west-1:123456789012:trail/-audit"),
        (TRAIL, "arn:aws:cloudtrail:eu-west-1:123456789012:trail/audit_"),
        (TRAIL, "arn:aws:cloudtrail:eu-west-1:123456789012:trail/my-_audit"),
        (TRAIL, "arn:aws:cloudtrail:eu-west-1:123456789012:trail/audit/x"),
        (TRAIL, "arn:aws:cloudtrail::123456789012:trail/audit"),
        (TRAIL, "arn:aws:cloudtrail:eu-west-1:123456789012:eventdatastore/audit"),
        (RDS_SNAPSHOT, "arn:aws:rds:eu-west-1:123456789012:db:x"),
        (RDS_SNAPSHOT, "arn:aws:rds:eu-west-1:123456789012:snapshot:a--b"),
        (RDS_SNAPSHOT, "arn:aws:rds:eu-west-1:123456789012:snapshot:a-"),
        (RDS_SNAPSHOT, "arn:aws:rds:eu-west-1:123456789012:snapshot:9a"),
        (RDS_SNAPSHOT, "arn:aws:rds:eu-west-1:123456789012:snapshot:Before-Upgrade"),
        (RDS_SNAPSHOT, "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:before-Upgrade"),
        (DB_INSTANCE, "arn:aws:rds:eu-west-1:123456789012:db:Orders"),
        (DB_INSTANCE, "arn:aws:rds:eu-west-1:123456789012:db:orderS"),
        (DB_INSTANCE, "arn:aws:rds:eu-west-1:123456789012:cluster:orders"),
        (DB_INSTANCE, "arn:aws:rds:eu-west-1:123456789012:db:" + "a" * 64),
        (EBS_SNAPSHOT, "arn:aws:ec2:eu-west-1:123456789012:snapshot/snap-0a1b2c3d"),
        (EBS_SNAPSHOT, "arn:aws:ec2:eu-west-1::snapshot/i-0a1b2c3d"),
        (EC2_INSTANCE, "arn:aws:ec2:eu-west-1:123456789012:instance/mi-0a1b2c3d"),
        (ACCOUNT_IN_REGION, "arn:aws:ec2:eu-west-1:123456789012:account"),
        (ACCESS_KEY, "arn:aws:iam::123456789012:role/robot"),
        (ACCESS_KEY, "arn:aws:iam::123456789012:user/robots/*"),
        (ACCESS_KEY, "arn:aws:iam::123456789012:user//robot"),
        (ACCESS_KEY, "arn:aws:iam::123456789012:user/robots/"),
    ],
)
def test_names_that_aws_would_not_give_are_refused(kind: Arn, name: str) -> None:
    with pytest.raises(BadTarget):
        kind.parse({**kind.example, "arn": name}, HOME)


def test_other_accounts_and_partitions_are_read_for_others_to_refuse() -> None:
    target = SECURITY_GROUP.parse(
        {"arn": "arn:aws-us-gov:ec2:us-gov-west-1:999999999999:security-group/sg-0a1b2c3d"}, HOME
    )
    assert (target.partition, target.account, target.region) == ("aws-us-gov", "999999999999", "us-gov-west-1")


def test_a_bucket_is_taken_to_be_at_home_in_the_region_that_is_said() -> None:
    target = S3_BUCKET.parse({"arn": "arn:aws:s3:::some-bucket", "region": "ap-southeast-2"}, HOME)
    assert (target.account, target.region, target["bucket"]) == ("123456789012", "ap-southeast-2", "some-bucket")


def test_a_bucket_without_its_region_is_refused() -> None:
    with pytest.raises(BadTarget, match="region"):
        S3_BUCKET.parse({"arn": "arn:aws:s3:::some-bucket"}, HOME)


@pytest.mark.parametrize("region", ["", "Europe", "eu-west-1\n", "eu-west-*", "x" * 600, 1, None])
def test_what_is_not_a_region_is_refused(region: Any) -> None:
    with pytest.raises(BadTarget, match="region"):
        S3_BUCKET.parse({"arn": "arn:aws:s3:::some-bucket", "region": region}, HOME)


def test_a_region_that_is_said_twice_must_be_the_same() -> None:
    assert SECURITY_GROUP.parse({"arn": GROUP, "region": "eu-west-1"}, HOME).region == "eu-west-1"
    with pytest.raises(BadTarget, match="the ARN says eu-west-1"):
        SECURITY_GROUP.parse({"arn": GROUP, "region": "us-east-1"}, HOME)


def test_an_account_has_no_region() -> None:
    with pytest.raises(BadTarget, match="leave the region out"):
        ACCOUNT.parse({"arn": "arn:aws:iam::123456789012:root", "region": "us-east-1"}, HOME)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("snapshot:a", "snapshot"),
        ("cluster-snapshot:a1-b", "cluster-snapshot"),
        ("snapshot:rds:db-2026-11-23-00-00", "snapshot"),
        ("snapshot:awsbackup:job-1", "snapshot"),
        ("snapshot:" + "a" * 255, "snapshot"),
    ],
)
def test_snapshots_of_instances_and_clusters_are_told_apart(name: str, kind: str) -> None:
    target = RDS_SNAPSHOT.parse({"arn": f"arn:aws:rds:eu-west-1:123456789012:{name}"}, HOME)
    assert target["type"] == kind
    assert target["name"] == name.partition(":")[2]


def test_keys_of_several_regions_are_keys_too() -> None:
    arn = "arn:aws:kms:eu-west-1:123456789012:key/mrk-" + "0a" * 16
    assert KMS_KEY.parse({"arn": arn}, HOME)["key"] == "mrk-" + "0a" * 16


@every_kind
def test_only_the_names_of_buckets_and_of_ebs_snapshots_say_no_account(kind: Arn) -> None:
    assert kind.names_account() is (kind not in (S3_BUCKET, EBS_SNAPSHOT))


def test_a_snapshot_is_taken_to_be_at_home() -> None:
    target = EBS_SNAPSHOT.parse(EBS_SNAPSHOT.example, Home("aws", "999999999999"))
    assert (target.account, target.region) == ("999999999999", "eu-west-1")
    assert target["snapshot"] == "snap-0a1b2c3d4e5f60718"


def test_an_account_in_a_region_needs_the_region_said() -> None:
    assert ACCOUNT_IN_REGION.schema()["required"] == ["arn", "region"]
    with pytest.raises(BadTarget, match="region"):
        ACCOUNT_IN_REGION.parse(ACCOUNT.example, HOME)


@pytest.mark.parametrize(("path", "user"), [("", "alice"), ("robots/", "invoices"), ("a/b/c/", "a+b=c,d.e@f_g-h")])
def test_a_user_is_told_from_the_path_before_its_name(path: str, user: str) -> None:
    raw = {**ACCESS_KEY.example, "arn": f"arn:aws:iam::123456789012:user/{path}{user}"}
    assert ACCESS_KEY.parse(raw, HOME)["user"] == user


def test_what_has_no_arn_of_its_own_is_told_apart_by_what_is_said_beside_the_arn() -> None:
    first = ACCESS_KEY.parse(ACCESS_KEY.example, HOME)
    other = ACCESS_KEY.parse({**ACCESS_KEY.example, "access_key": "AKIAI44QH8DHBEXAMPLE"}, HOME)
    assert (first["access_key"], first.item) == ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE")
    assert first.id == other.id == ACCESS_KEY.example["arn"]
    assert first != other
    assert ACCESS_KEY.schema()["required"] == ["arn", "access_key"]


@pytest.mark.parametrize("key", ["", "AKIA", "akiaiosfodnn7example", "AKIAIOSFODNN7EXAMPL*", "A" * 21, 1, None])
def test_what_is_not_an_item_is_refused_by_reader_and_schema(key: Any) -> None:
    raw = {**ACCESS_KEY.example, "access_key": key}
    with pytest.raises(BadTarget, match="access_key"):
        ACCESS_KEY.parse(raw, HOME)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        fastjsonschema.compile(ACCESS_KEY.schema())(raw)


def test_an_item_belongs_to_its_own_kind_alone() -> None:
    with pytest.raises(BadTarget, match="access_key"):
        ACCESS_KEY.parse({"arn": ACCESS_KEY.example["arn"]}, HOME)
    with pytest.raises(BadTarget, match="nothing but"):
        ACCOUNT.parse({**ACCOUNT.example, "access_key": "AKIAIOSFODNN7EXAMPLE"}, HOME)


@pytest.mark.parametrize("qualifier", [None, "live", "7"])
def test_a_function_may_be_named_with_its_alias_or_version(qualifier: str | None) -> None:
    name = LAMBDA_FUNCTION.example["arn"] + (f":{qualifier}" if qualifier else "")
    target = LAMBDA_FUNCTION.parse({"arn": name}, HOME)
    assert (target.id, target["function"], target["qualifier"]) == (name, "orders", qualifier)


def test_a_trails_arn_names_its_home_region() -> None:
    target = TRAIL.parse({"arn": "arn:aws-cn:cloudtrail:cn-north-1:123456789012:trail/Org.trail_1"}, HOME)
    assert (target.region, target["name"]) == ("cn-north-1", "Org.trail_1")
