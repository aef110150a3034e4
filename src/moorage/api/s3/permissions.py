"""What a caller must be allowed to do for an operation of S3's. Its actions are not named like its operations.

An operation that is not in the table has an action of its own name.
Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from moorage.api.s3.copy_source import parse_copy_source
from moorage.core.iam.principal import Requirement

_ACTIONS: Final = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
_OF_A_VERSION: Final = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectTagging": "PutObjectVersionTagging",
}
_LISTED: Final = {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"}


def requirements(operation: str, request: Mapping[str, Any]) -> list[Requirement]:
    """The operation's own action on what it names; and what the content it reads or the tags it puts need besides."""
    return [*_own(operation, request), *_further(operation, request)]


def _own(operation: str, request: Mapping[str, Any]) -> Iterator[Requirement]:
    action = _ACTIONS.get(operation, operation)
    if operation == "DeleteObjects":
        for entry in request["Delete"]["Objects"]:
            yield _on_object(action, request["Bucket"], entry["Key"], version_id=entry.get("VersionId"))
    elif "Key" in request:
        yield _on_object(action, request["Bucket"], request["Key"], version_id=request.get("VersionId"))
    else:
        resource = f"arn:aws:s3:::{request['Bucket']}" if "Bucket" in request else "*"
        yield Requirement(f"s3:{action}", resource, _listed(request))


def _further(operation: str, request: Mapping[str, Any]) -> Iterator[Requirement]:
    if "CopySource" in request:
        source = parse_copy_source(request["CopySource"])
        yield _on_object("GetObject", source.bucket, source.key, version_id=source.version_id)
    if operation == "GetObjectAttributes":
        yield _on_object("GetObject", request["Bucket"], request["Key"], version_id=request.get("VersionId"))
    if request.get("Tagging") and operation in ("CopyObject", "CreateMultipartUpload", "PutObject"):
        yield _on_object("PutObjectTagging", request["Bucket"], request["Key"], version_id=None)


def _on_object(action: str, bucket: str, key: str, *, version_id: str | None) -> Requirement:
    named = action if version_id is None else _OF_A_VERSION.get(action, action)
    context = {} if version_id is None else {"s3:versionid": (version_id,)}
    return Requirement(f"s3:{named}", f"arn:aws:s3:::{bucket}/{key}", context)


def _listed(request: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What a listing is narrowed to: policies let their holders list their own folder by it."""
    return {key: (str(request[member]),) if member in request else () for key, member in _LISTED.items()}
