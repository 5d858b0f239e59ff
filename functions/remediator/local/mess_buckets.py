"""Make a believable mess of buckets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from remediator.local import mess_parts
from remediator.local.offences import Innocent, Made, Offence
from remediator.vendor.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.catalogue.spec import JSON

PARTNER: Final = "arn:aws:iam::222233334444:root"
_NAMES: Final = ("invoices", "partners", "payroll", "reports", "website")


def make(client: Callable[[str], Any], region: str, account: str) -> Made:
    """Make buckets that are open, unencrypted or forgetful, and beside them some that aren't."""
    s3 = client("s3")
    names = {name: f"acme-{name}-{account}" for name in _NAMES}
    targets = {name: {"arn": f"arn:aws:s3:::{bucket}", "region": region} for name, bucket in names.items()}
    for bucket in names.values():
        mess_parts.bucket(s3, bucket, region)
    mess_parts.expose(s3, names["invoices"], policy=_readable_by_all(names["invoices"]))
    mess_parts.expose(s3, names["website"], policy=_readable_by_all(names["website"]))
    mess_parts.protect(s3, names["payroll"], policy=_tls_only(names["payroll"]))
    mess_parts.expose(s3, names["reports"], policy=_shared_too_widely(names["reports"]))
    mess_parts.expose(s3, names["partners"], policy=_shared(names["partners"]))
    mess_parts.encrypt(s3, names["reports"], "AES256")
    mess_parts.encrypt(s3, names["partners"], "aws:kms")
    mess_parts.version(s3, names["reports"], "Suspended")
    mess_parts.version(s3, names["partners"], "Enabled")
    return [
        Offence(
            "a bucket of invoices that everybody can read",
            Finding(finding="prowler:s3_bucket_level_public_access_block", target=targets["invoices"]),
        ),
        Offence(
            "a website's bucket that answers without encryption",
            Finding(finding="cloudsploit:bucketEncryptionInTransit", target=targets["website"]),
        ),
        Offence(
            "a bucket of reports whose policy lets in a partner, and everybody besides",
            Finding(finding="cloudsploit:bucketAllUsersPolicy", target=targets["reports"]),
        ),
        Offence(
            "reports that aren't encrypted with a key of the company's own",
            Finding(finding="security-hub:S3.17", target=targets["reports"]),
        ),
        Offence(
            "reports that are gone once they are overwritten",
            Finding(
                finding="prowler:s3_bucket_object_versioning", target=targets["reports"], acknowledge_irreversible=True
            ),
        ),
    ], [
        Innocent("the payroll's bucket, closed already", "aws.s3.block-public-access", targets["payroll"]),
        Innocent("the payroll's policy, with its Deny", "aws.s3.require-tls", targets["payroll"]),
        Innocent("the website's public objects", "aws.s3.block-public-access", targets["website"]),
        Innocent("a policy for a partner and the offices", "aws.s3.remove-public-statements", targets["partners"]),
        Innocent("a bucket that KMS encrypts already", "aws.s3.encrypt-by-default", targets["partners"]),
        Innocent("a bucket that keeps its versions", "aws.s3.enable-versioning", targets["partners"]),
    ]


def _readable_by_all(bucket: str) -> str:
    return _policy(
        {"Sid": "Website", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    )


def _tls_only(bucket: str) -> str:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return _policy({"Sid": "Tls", "Effect": "Deny", "Action": "s3:*", "Resource": resources, "Condition": condition})


def _shared(bucket: str) -> str:
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    offices = {"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
    return _policy({"Sid": "Offices", **read, **offices}, {"Sid": "Partner", "Principal": {"AWS": PARTNER}, **read})


def _shared_too_widely(bucket: str) -> str:
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return _policy({"Sid": "Everybody", "Principal": {"AWS": ["*", PARTNER]}, **read}, {"Sid": "Quickly", **read})


def _policy(*statements: Mapping[str, JSON]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Principal": "*", **one} for one in statements]})
