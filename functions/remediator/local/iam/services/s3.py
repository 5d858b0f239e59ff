"""S3: operations whose IAM action is called otherwise, buckets, objects, copies.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from remediator.local.iam.check import Check

if TYPE_CHECKING:
    from remediator.local.iam.apicall import ApiCall

# Operation -> action, where they differ; reading first, then writing.
_NAMES: Final = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
}
# Actions that have a twin for a named version of the object.
_VERSIONED: Final = {
    "GetObject": "GetObjectVersion",
    "DeleteObject": "DeleteObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "PutObjectAcl": "PutObjectVersionAcl",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObjectAttributes": "GetObjectVersionAttributes",
}
_CONTEXT: Final = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:VersionId",
    "ACL": "s3:x-amz-acl",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "CopySource": "s3:x-amz-copy-source",
    "StorageClass": "s3:x-amz-storage-class",
}
_ACCOUNT_WIDE: Final = {
    "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
}


def checks(call: ApiCall) -> list[Check]:
    """Return what an S3 operation needs; copying needs the right to read the source too."""
    params = call.params
    if "Bucket" not in params:
        return [_check(call, "*", call.operation)]
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if call.operation == "DeleteObjects":
        listed = params.get("Delete", {}).get("Objects", [])
        return [_deletion(call, bucket, entry) for entry in listed] or [_check(call, bucket, call.operation)]
    resource = f"{bucket}/{params['Key']}" if "Key" in params else bucket
    needed = [_check(call, resource, call.operation)]
    if params.get("CopySource"):
        needed.append(_source(str(params["CopySource"])))
    if needed[0].action == "s3:PutObject":
        needed += [Check(f"s3:{action}", resource) for key, action in _WITH_OBJECT.items() if params.get(key)]
    return needed


_WITH_OBJECT: Final = {"ACL": "PutObjectAcl", "Tagging": "PutObjectTagging"}


def account_checks(call: ApiCall) -> list[Check]:
    """Return what an operation on the account's own settings (s3control) needs."""
    return [Check(f"s3:{_ACCOUNT_WIDE.get(call.operation, call.operation)}")]


def _check(call: ApiCall, resource: str, operation: str) -> Check:
    action = _NAMES.get(operation, operation)
    if call.params.get("VersionId"):
        action = _VERSIONED.get(action, action)
    context = {key: str(call.params[name]) for name, key in _CONTEXT.items() if name in call.params}
    return Check(f"s3:{action}", resource, context)


def _deletion(call: ApiCall, bucket: str, entry: dict[str, Any]) -> Check:
    action = "DeleteObjectVersion" if entry.get("VersionId") else "DeleteObject"
    return Check(f"{call.service}:{action}", f"{bucket}/{entry.get('Key', '')}")


def _source(copy_source: str) -> Check:
    path, _, version = unquote(copy_source).lstrip("/").partition("?versionId=")
    return Check("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{path}")
