"""What S3 can be asked for with a header and Moorage does not have.

It is refused, never ignored: a caller who asks for a customer's key, a lock or a public object must not believe to have
got it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moorage.api.s3.errors import not_implemented
from moorage.api.service import Caller
from moorage.aws.errors import ServiceError

_MEMBERS = {
    "SSECustomerAlgorithm": "encryption with customer-provided keys",
    "SSECustomerKey": "encryption with customer-provided keys",
    "CopySourceSSECustomerKey": "encryption with customer-provided keys",
    "SSEKMSKeyId": "encryption with KMS keys",
    "ObjectLockMode": "object lock",
    "ObjectLockRetainUntilDate": "object lock",
    "ObjectLockLegalHoldStatus": "object lock",
    "ObjectLockEnabledForBucket": "object lock",
    "WriteOffsetBytes": "appending to objects",
    "WebsiteRedirectLocation": "website hosting",
    "GrantFullControl": "access control lists",
    "GrantRead": "access control lists",
    "GrantReadACP": "access control lists",
    "GrantWrite": "access control lists",
    "GrantWriteACP": "access control lists",
    "MFA": "MFA delete",
}
_HARMLESS_ACLS = (None, "private", "bucket-owner-full-control", "bucket-owner-read")
_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")


def refuse_unsupported(caller: Caller, request: Mapping[str, Any]) -> None:
    """Raises ServiceError(NotImplemented), or AccessDenied if the bucket is expected to be somebody else's."""
    owners = (request.get("ExpectedBucketOwner"), request.get("ExpectedSourceBucketOwner"))
    if any(owner not in (None, caller.account_id) for owner in owners):
        raise ServiceError("AccessDenied", "Access Denied", status=403)
    for member, what in _MEMBERS.items():
        if request.get(member):
            raise not_implemented(what)
    if request.get("ACL") not in _HARMLESS_ACLS:
        raise not_implemented("access control lists")
    if request.get("ServerSideEncryption") not in (None, "AES256"):
        raise not_implemented("encryption with KMS keys")
    if request.get("StorageClass") in _ARCHIVES:
        raise not_implemented("archive storage classes")
