"""Requests and answers of s3. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

AnnotationDirective = Literal["COPY", "EXCLUDE"]
ArchiveStatus = Literal["ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"]
BucketCannedACL = Literal["private", "public-read", "public-read-write", "authenticated-read"]
BucketNamespace = Literal["account-regional", "global"]
BucketType = Literal["Directory"]
BucketVersioningStatus = Literal["Enabled", "Suspended"]
ChecksumAlgorithm = Literal[
    "CRC32",
    "CRC32C",
    "SHA1",
    "SHA256",
    "CRC64NVME",
    "SHA512",
    "MD5",
    "XXHASH64",
    "XXHASH3",
    "XXHASH128",
]
ChecksumMode = Literal["ENABLED"]
ChecksumType = Literal["COMPOSITE", "FULL_OBJECT"]
DataRedundancy = Literal["SingleAvailabilityZone", "SingleLocalZone"]
EncodingType = Literal["url"]
EncryptionType = Literal["NONE", "SSE-C"]
LocationType = Literal["AvailabilityZone", "LocalZone"]
MFADelete = Literal["Enabled", "Disabled"]
MFADeleteStatus = Literal["Enabled", "Disabled"]
MetadataDirective = Literal["COPY", "REPLACE"]
ObjectAttributes = Literal["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
ObjectCannedACL = Literal[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
]
ObjectLockEventHold = Literal["ON", "OFF"]
ObjectLockLegalHoldStatus = Literal["ON", "OFF"]
ObjectLockMode = Literal["GOVERNANCE", "COMPLIANCE"]
ObjectOwnership = Literal["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"]
ObjectStorageClass = Literal[
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "GLACIER",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
    "FSX_OPENZFS",
    "FSX_ONTAP",
    "AWS_BACKUP_WARM",
    "AWS_BACKUP_LOW_COST_WARM",
]
ObjectVersionStorageClass = Literal["STANDARD"]
OptionalObjectAttributes = Literal["RestoreStatus"]
ReplicationStatus = Literal["COMPLETE", "PENDING", "FAILED", "REPLICA", "COMPLETED"]
RequestCharged = Literal["requester"]
RequestPayer = Literal["requester"]
ServerSideEncryption = Literal["AES256", "aws:fsx", "aws:backup", "aws:kms", "aws:kms:dsse"]
StorageClass = Literal[
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
    "FSX_OPENZFS",
    "FSX_ONTAP",
    "AWS_BACKUP_WARM",
    "AWS_BACKUP_LOW_COST_WARM",
]
TaggingDirective = Literal["COPY", "REPLACE"]


class AbortMultipartUploadOutput(TypedDict):
    RequestCharged: NotRequired[RequestCharged]
    VersionId: NotRequired[str]


class AbortMultipartUploadRequest(TypedDict):
    Bucket: str
    Key: str
    UploadId: str
    RequestPayer: NotRequired[RequestPayer]
    ExpectedBucketOwner: NotRequired[str]
    IfMatchInitiatedTime: NotRequired[datetime]


class BlockedEncryptionTypes(TypedDict):
    EncryptionType: NotRequired[list[EncryptionType]]


class Bucket(TypedDict):
    Name: NotRequired[str]
    CreationDate: NotRequired[datetime]
    BucketRegion: NotRequired[str]
    BucketArn: NotRequired[str]


class BucketInfo(TypedDict):
    DataRedundancy: NotRequired[DataRedundancy]
    Type: NotRequired[BucketType]


class Checksum(TypedDict):
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    ChecksumType: NotRequired[ChecksumType]


class CommonPrefix(TypedDict):
    Prefix: NotRequired[str]


class CompleteMultipartUploadOutput(TypedDict):
    Location: NotRequired[str]
    Bucket: NotRequired[str]
    Key: NotRequired[str]
    Expiration: NotRequired[str]
    ETag: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    ChecksumType: NotRequired[ChecksumType]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    VersionId: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    RequestCharged: NotRequired[RequestCharged]


class CompleteMultipartUploadRequest(TypedDict):
    Bucket: str
    Key: str
    MultipartUpload: NotRequired[CompletedMultipartUpload]
    UploadId: str
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    ChecksumType: NotRequired[ChecksumType]
    MpuObjectSize: NotRequired[int]
    RequestPayer: NotRequired[RequestPayer]
    ExpectedBucketOwner: NotRequired[str]
    IfMatch: NotRequired[str]
    IfNoneMatch: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]


class CompletedMultipartUpload(TypedDict):
    Parts: NotRequired[list[CompletedPart]]


class CompletedPart(TypedDict):
    ETag: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    PartNumber: NotRequired[int]


class CopyObjectOutput(TypedDict):
    CopyObjectResult: NotRequired[CopyObjectResult]
    Expiration: NotRequired[str]
    CopySourceVersionId: NotRequired[str]
    VersionId: NotRequired[str]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    SSEKMSEncryptionContext: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    RequestCharged: NotRequired[RequestCharged]


class CopyObjectRequest(TypedDict):
    ACL: NotRequired[ObjectCannedACL]
    Bucket: str
    CacheControl: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    ContentDisposition: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentLanguage: NotRequired[str]
    ContentType: NotRequired[str]
    CopySource: str
    CopySourceIfMatch: NotRequired[str]
    CopySourceIfModifiedSince: NotRequired[datetime]
    CopySourceIfNoneMatch: NotRequired[str]
    CopySourceIfUnmodifiedSince: NotRequired[datetime]
    Expires: NotRequired[datetime]
    GrantFullControl: NotRequired[str]
    GrantRead: NotRequired[str]
    GrantReadACP: NotRequired[str]
    GrantWriteACP: NotRequired[str]
    IfMatch: NotRequired[str]
    IfNoneMatch: NotRequired[str]
    Key: str
    Metadata: NotRequired[dict[str, str]]
    MetadataDirective: NotRequired[MetadataDirective]
    TaggingDirective: NotRequired[TaggingDirective]
    AnnotationDirective: NotRequired[AnnotationDirective]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    StorageClass: NotRequired[StorageClass]
    WebsiteRedirectLocation: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    SSEKMSEncryptionContext: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    CopySourceSSECustomerAlgorithm: NotRequired[str]
    CopySourceSSECustomerKey: NotRequired[str]
    CopySourceSSECustomerKeyMD5: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    Tagging: NotRequired[str]
    ObjectLockMode: NotRequired[ObjectLockMode]
    ObjectLockRetainUntilDate: NotRequired[datetime]
    ObjectLockLegalHoldStatus: NotRequired[ObjectLockLegalHoldStatus]
    ObjectLockEventHold: NotRequired[ObjectLockEventHold]
    ObjectLockEventHoldDurationDays: NotRequired[int]
    ObjectLockEventHoldDurationYears: NotRequired[int]
    ExpectedBucketOwner: NotRequired[str]
    ExpectedSourceBucketOwner: NotRequired[str]


class CopyObjectResult(TypedDict):
    ETag: NotRequired[str]
    LastModified: NotRequired[datetime]
    ChecksumType: NotRequired[ChecksumType]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]


class CopyPartResult(TypedDict):
    ETag: NotRequired[str]
    LastModified: NotRequired[datetime]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]


class CreateBucketConfiguration(TypedDict):
    LocationConstraint: NotRequired[str]
    Location: NotRequired[LocationInfo]
    Bucket: NotRequired[BucketInfo]
    Tags: NotRequired[list[Tag]]


class CreateBucketOutput(TypedDict):
    Location: NotRequired[str]
    BucketArn: NotRequired[str]


class CreateBucketRequest(TypedDict):
    ACL: NotRequired[BucketCannedACL]
    Bucket: str
    CreateBucketConfiguration: NotRequired[CreateBucketConfiguration]
    GrantFullControl: NotRequired[str]
    GrantRead: NotRequired[str]
    GrantReadACP: NotRequired[str]
    GrantWrite: NotRequired[str]
    GrantWriteACP: NotRequired[str]
    ObjectLockEnabledForBucket: NotRequired[bool]
    ObjectOwnership: NotRequired[ObjectOwnership]
    BucketNamespace: NotRequired[BucketNamespace]


class CreateMultipartUploadOutput(TypedDict):
    AbortDate: NotRequired[datetime]
    AbortRuleId: NotRequired[str]
    Bucket: NotRequired[str]
    Key: NotRequired[str]
    UploadId: NotRequired[str]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    SSEKMSEncryptionContext: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    RequestCharged: NotRequired[RequestCharged]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    ChecksumType: NotRequired[ChecksumType]
    VersionId: NotRequired[str]


class CreateMultipartUploadRequest(TypedDict):
    ACL: NotRequired[ObjectCannedACL]
    Bucket: str
    CacheControl: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentLanguage: NotRequired[str]
    ContentType: NotRequired[str]
    Expires: NotRequired[datetime]
    GrantFullControl: NotRequired[str]
    GrantRead: NotRequired[str]
    GrantReadACP: NotRequired[str]
    GrantWriteACP: NotRequired[str]
    Key: str
    Metadata: NotRequired[dict[str, str]]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    StorageClass: NotRequired[StorageClass]
    WebsiteRedirectLocation: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    SSEKMSEncryptionContext: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    RequestPayer: NotRequired[RequestPayer]
    Tagging: NotRequired[str]
    ObjectLockMode: NotRequired[ObjectLockMode]
    ObjectLockRetainUntilDate: NotRequired[datetime]
    ObjectLockLegalHoldStatus: NotRequired[ObjectLockLegalHoldStatus]
    ObjectLockEventHold: NotRequired[ObjectLockEventHold]
    ObjectLockEventHoldDurationDays: NotRequired[int]
    ObjectLockEventHoldDurationYears: NotRequired[int]
    ExpectedBucketOwner: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    ChecksumType: NotRequired[ChecksumType]


class Delete(TypedDict):
    Objects: list[ObjectIdentifier]
    Quiet: NotRequired[bool]


class DeleteBucketEncryptionRequest(TypedDict):
    Bucket: str
    ExpectedBucketOwner: NotRequired[str]


class DeleteBucketRequest(TypedDict):
    Bucket: str
    ExpectedBucketOwner: NotRequired[str]


class DeleteBucketTaggingRequest(TypedDict):
    Bucket: str
    ExpectedBucketOwner: NotRequired[str]


class DeleteMarkerEntry(TypedDict):
    Owner: NotRequired[Owner]
    Key: NotRequired[str]
    VersionId: NotRequired[str]
    IsLatest: NotRequired[bool]
    LastModified: NotRequired[datetime]


class DeleteObjectOutput(TypedDict):
    DeleteMarker: NotRequired[bool]
    VersionId: NotRequired[str]
    RequestCharged: NotRequired[RequestCharged]


class DeleteObjectRequest(TypedDict):
    Bucket: str
    Key: str
    MFA: NotRequired[str]
    VersionId: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    BypassGovernanceRetention: NotRequired[bool]
    ExpectedBucketOwner: NotRequired[str]
    IfMatch: NotRequired[str]
    IfMatchLastModifiedTime: NotRequired[datetime]
    IfMatchSize: NotRequired[int]


class DeleteObjectTaggingOutput(TypedDict):
    VersionId: NotRequired[str]


class DeleteObjectTaggingRequest(TypedDict):
    Bucket: str
    Key: str
    VersionId: NotRequired[str]
    ExpectedBucketOwner: NotRequired[str]


class DeleteObjectsOutput(TypedDict):
    Deleted: NotRequired[list[DeletedObject]]
    RequestCharged: NotRequired[RequestCharged]
    Errors: NotRequired[list[Error]]


class DeleteObjectsRequest(TypedDict):
    Bucket: str
    Delete: Delete
    MFA: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    BypassGovernanceRetention: NotRequired[bool]
    ExpectedBucketOwner: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]


class DeletedObject(TypedDict):
    Key: NotRequired[str]
    VersionId: NotRequired[str]
    DeleteMarker: NotRequired[bool]
    DeleteMarkerVersionId: NotRequired[str]


class Error(TypedDict):
    Key: NotRequired[str]
    VersionId: NotRequired[str]
    Code: NotRequired[str]
    Message: NotRequired[str]


class GetBucketEncryptionOutput(TypedDict):
    ServerSideEncryptionConfiguration: NotRequired[ServerSideEncryptionConfiguration]


class GetBucketEncryptionRequest(TypedDict):
    Bucket: str
    ExpectedBucketOwner: NotRequired[str]


class GetBucketLocationOutput(TypedDict):
    LocationConstraint: NotRequired[str]


class GetBucketLocationRequest(TypedDict):
    Bucket: str
    ExpectedBucketOwner: NotRequired[str]


class GetBucketTaggingOutput(TypedDict):
    TagSet: list[Tag]


class GetBucketTaggingRequest(TypedDict):
    Bucket: str
    ExpectedBucketOwner: NotRequired[str]


class GetBucketVersioningOutput(TypedDict):
    Status: NotRequired[BucketVersioningStatus]
    MFADelete: NotRequired[MFADeleteStatus]


class GetBucketVersioningRequest(TypedDict):
    Bucket: str
    ExpectedBucketOwner: NotRequired[str]


class GetObjectAttributesOutput(TypedDict):
    DeleteMarker: NotRequired[bool]
    LastModified: NotRequired[datetime]
    VersionId: NotRequired[str]
    RequestCharged: NotRequired[RequestCharged]
    ETag: NotRequired[str]
    Checksum: NotRequired[Checksum]
    ObjectParts: NotRequired[GetObjectAttributesParts]
    StorageClass: NotRequired[StorageClass]
    ObjectSize: NotRequired[int]


class GetObjectAttributesParts(TypedDict):
    TotalPartsCount: NotRequired[int]
    PartNumberMarker: NotRequired[int]
    NextPartNumberMarker: NotRequired[int]
    MaxParts: NotRequired[int]
    IsTruncated: NotRequired[bool]
    Parts: NotRequired[list[ObjectPart]]


class GetObjectAttributesRequest(TypedDict):
    Bucket: str
    Key: str
    VersionId: NotRequired[str]
    MaxParts: NotRequired[int]
    PartNumberMarker: NotRequired[int]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    ExpectedBucketOwner: NotRequired[str]
    ObjectAttributes: list[ObjectAttributes]


class GetObjectOutput(TypedDict):
    Body: NotRequired[bytes | AsyncIterator[bytes]]
    DeleteMarker: NotRequired[bool]
    AcceptRanges: NotRequired[str]
    Expiration: NotRequired[str]
    Restore: NotRequired[str]
    LastModified: NotRequired[datetime]
    ContentLength: NotRequired[int]
    ETag: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    ChecksumType: NotRequired[ChecksumType]
    MissingMeta: NotRequired[int]
    VersionId: NotRequired[str]
    CacheControl: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentLanguage: NotRequired[str]
    ContentRange: NotRequired[str]
    ContentType: NotRequired[str]
    Expires: NotRequired[datetime]
    WebsiteRedirectLocation: NotRequired[str]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    Metadata: NotRequired[dict[str, str]]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    StorageClass: NotRequired[StorageClass]
    RequestCharged: NotRequired[RequestCharged]
    ReplicationStatus: NotRequired[ReplicationStatus]
    PartsCount: NotRequired[int]
    TagCount: NotRequired[int]
    ObjectLockMode: NotRequired[ObjectLockMode]
    ObjectLockRetainUntilDate: NotRequired[datetime]
    ObjectLockLegalHoldStatus: NotRequired[ObjectLockLegalHoldStatus]
    ObjectLockEventHold: NotRequired[ObjectLockEventHold]
    ObjectLockEventHoldDurationDays: NotRequired[int]
    ObjectLockEventHoldDurationYears: NotRequired[int]


class GetObjectRequest(TypedDict):
    Bucket: str
    IfMatch: NotRequired[str]
    IfModifiedSince: NotRequired[datetime]
    IfNoneMatch: NotRequired[str]
    IfUnmodifiedSince: NotRequired[datetime]
    Key: str
    Range: NotRequired[str]
    ResponseCacheControl: NotRequired[str]
    ResponseContentDisposition: NotRequired[str]
    ResponseContentEncoding: NotRequired[str]
    ResponseContentLanguage: NotRequired[str]
    ResponseContentType: NotRequired[str]
    ResponseExpires: NotRequired[datetime]
    VersionId: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    PartNumber: NotRequired[int]
    ExpectedBucketOwner: NotRequired[str]
    ChecksumMode: NotRequired[ChecksumMode]


class GetObjectTaggingOutput(TypedDict):
    VersionId: NotRequired[str]
    TagSet: list[Tag]


class GetObjectTaggingRequest(TypedDict):
    Bucket: str
    Key: str
    VersionId: NotRequired[str]
    ExpectedBucketOwner: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]


class HeadBucketOutput(TypedDict):
    BucketArn: NotRequired[str]
    BucketLocationType: NotRequired[LocationType]
    BucketLocationName: NotRequired[str]
    BucketRegion: NotRequired[str]
    AccessPointAlias: NotRequired[bool]


class HeadBucketRequest(TypedDict):
    Bucket: str
    ExpectedBucketOwner: NotRequired[str]


class HeadObjectOutput(TypedDict):
    DeleteMarker: NotRequired[bool]
    AcceptRanges: NotRequired[str]
    Expiration: NotRequired[str]
    Restore: NotRequired[str]
    ArchiveStatus: NotRequired[ArchiveStatus]
    LastModified: NotRequired[datetime]
    ContentLength: NotRequired[int]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    ChecksumType: NotRequired[ChecksumType]
    ETag: NotRequired[str]
    MissingMeta: NotRequired[int]
    VersionId: NotRequired[str]
    CacheControl: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentLanguage: NotRequired[str]
    ContentType: NotRequired[str]
    ContentRange: NotRequired[str]
    Expires: NotRequired[datetime]
    WebsiteRedirectLocation: NotRequired[str]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    Metadata: NotRequired[dict[str, str]]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    StorageClass: NotRequired[StorageClass]
    RequestCharged: NotRequired[RequestCharged]
    ReplicationStatus: NotRequired[ReplicationStatus]
    PartsCount: NotRequired[int]
    TagCount: NotRequired[int]
    ObjectLockMode: NotRequired[ObjectLockMode]
    ObjectLockRetainUntilDate: NotRequired[datetime]
    ObjectLockLegalHoldStatus: NotRequired[ObjectLockLegalHoldStatus]
    ObjectLockEventHold: NotRequired[ObjectLockEventHold]
    ObjectLockEventHoldDurationDays: NotRequired[int]
    ObjectLockEventHoldDurationYears: NotRequired[int]


class HeadObjectRequest(TypedDict):
    Bucket: str
    IfMatch: NotRequired[str]
    IfModifiedSince: NotRequired[datetime]
    IfNoneMatch: NotRequired[str]
    IfUnmodifiedSince: NotRequired[datetime]
    Key: str
    Range: NotRequired[str]
    ResponseCacheControl: NotRequired[str]
    ResponseContentDisposition: NotRequired[str]
    ResponseContentEncoding: NotRequired[str]
    ResponseContentLanguage: NotRequired[str]
    ResponseContentType: NotRequired[str]
    ResponseExpires: NotRequired[datetime]
    VersionId: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    PartNumber: NotRequired[int]
    ExpectedBucketOwner: NotRequired[str]
    ChecksumMode: NotRequired[ChecksumMode]


class Initiator(TypedDict):
    ID: NotRequired[str]
    DisplayName: NotRequired[str]


class ListBucketsOutput(TypedDict):
    Buckets: NotRequired[list[Bucket]]
    Owner: NotRequired[Owner]
    ContinuationToken: NotRequired[str]
    Prefix: NotRequired[str]


class ListBucketsRequest(TypedDict):
    MaxBuckets: NotRequired[int]
    ContinuationToken: NotRequired[str]
    Prefix: NotRequired[str]
    BucketRegion: NotRequired[str]


class ListMultipartUploadsOutput(TypedDict):
    Bucket: NotRequired[str]
    KeyMarker: NotRequired[str]
    UploadIdMarker: NotRequired[str]
    NextKeyMarker: NotRequired[str]
    Prefix: NotRequired[str]
    Delimiter: NotRequired[str]
    NextUploadIdMarker: NotRequired[str]
    MaxUploads: NotRequired[int]
    IsTruncated: NotRequired[bool]
    Uploads: NotRequired[list[MultipartUpload]]
    CommonPrefixes: NotRequired[list[CommonPrefix]]
    EncodingType: NotRequired[EncodingType]
    RequestCharged: NotRequired[RequestCharged]


class ListMultipartUploadsRequest(TypedDict):
    Bucket: str
    Delimiter: NotRequired[str]
    EncodingType: NotRequired[EncodingType]
    KeyMarker: NotRequired[str]
    MaxUploads: NotRequired[int]
    Prefix: NotRequired[str]
    UploadIdMarker: NotRequired[str]
    ExpectedBucketOwner: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]


class ListObjectVersionsOutput(TypedDict):
    IsTruncated: NotRequired[bool]
    KeyMarker: NotRequired[str]
    VersionIdMarker: NotRequired[str]
    NextKeyMarker: NotRequired[str]
    NextVersionIdMarker: NotRequired[str]
    Versions: NotRequired[list[ObjectVersion]]
    DeleteMarkers: NotRequired[list[DeleteMarkerEntry]]
    Name: NotRequired[str]
    Prefix: NotRequired[str]
    Delimiter: NotRequired[str]
    MaxKeys: NotRequired[int]
    CommonPrefixes: NotRequired[list[CommonPrefix]]
    EncodingType: NotRequired[EncodingType]
    RequestCharged: NotRequired[RequestCharged]


class ListObjectVersionsRequest(TypedDict):
    Bucket: str
    Delimiter: NotRequired[str]
    EncodingType: NotRequired[EncodingType]
    KeyMarker: NotRequired[str]
    MaxKeys: NotRequired[int]
    Prefix: NotRequired[str]
    VersionIdMarker: NotRequired[str]
    ExpectedBucketOwner: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    OptionalObjectAttributes: NotRequired[list[OptionalObjectAttributes]]


class ListObjectsOutput(TypedDict):
    IsTruncated: NotRequired[bool]
    Marker: NotRequired[str]
    NextMarker: NotRequired[str]
    Contents: NotRequired[list[Object]]
    Name: NotRequired[str]
    Prefix: NotRequired[str]
    Delimiter: NotRequired[str]
    MaxKeys: NotRequired[int]
    CommonPrefixes: NotRequired[list[CommonPrefix]]
    EncodingType: NotRequired[EncodingType]
    RequestCharged: NotRequired[RequestCharged]


class ListObjectsRequest(TypedDict):
    Bucket: str
    Delimiter: NotRequired[str]
    EncodingType: NotRequired[EncodingType]
    Marker: NotRequired[str]
    MaxKeys: NotRequired[int]
    Prefix: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    ExpectedBucketOwner: NotRequired[str]
    OptionalObjectAttributes: NotRequired[list[OptionalObjectAttributes]]


class ListObjectsV2Output(TypedDict):
    IsTruncated: NotRequired[bool]
    Contents: NotRequired[list[Object]]
    Name: NotRequired[str]
    Prefix: NotRequired[str]
    Delimiter: NotRequired[str]
    MaxKeys: NotRequired[int]
    CommonPrefixes: NotRequired[list[CommonPrefix]]
    EncodingType: NotRequired[EncodingType]
    KeyCount: NotRequired[int]
    ContinuationToken: NotRequired[str]
    NextContinuationToken: NotRequired[str]
    StartAfter: NotRequired[str]
    RequestCharged: NotRequired[RequestCharged]


class ListObjectsV2Request(TypedDict):
    Bucket: str
    Delimiter: NotRequired[str]
    EncodingType: NotRequired[EncodingType]
    MaxKeys: NotRequired[int]
    Prefix: NotRequired[str]
    ContinuationToken: NotRequired[str]
    FetchOwner: NotRequired[bool]
    StartAfter: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    ExpectedBucketOwner: NotRequired[str]
    OptionalObjectAttributes: NotRequired[list[OptionalObjectAttributes]]


class ListPartsOutput(TypedDict):
    AbortDate: NotRequired[datetime]
    AbortRuleId: NotRequired[str]
    Bucket: NotRequired[str]
    Key: NotRequired[str]
    UploadId: NotRequired[str]
    PartNumberMarker: NotRequired[int]
    NextPartNumberMarker: NotRequired[int]
    MaxParts: NotRequired[int]
    IsTruncated: NotRequired[bool]
    Parts: NotRequired[list[Part]]
    Initiator: NotRequired[Initiator]
    Owner: NotRequired[Owner]
    StorageClass: NotRequired[StorageClass]
    RequestCharged: NotRequired[RequestCharged]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    ChecksumType: NotRequired[ChecksumType]
    VersionId: NotRequired[str]


class ListPartsRequest(TypedDict):
    Bucket: str
    Key: str
    MaxParts: NotRequired[int]
    PartNumberMarker: NotRequired[int]
    UploadId: str
    RequestPayer: NotRequired[RequestPayer]
    ExpectedBucketOwner: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]


class LocationInfo(TypedDict):
    Type: NotRequired[LocationType]
    Name: NotRequired[str]


class MultipartUpload(TypedDict):
    UploadId: NotRequired[str]
    Key: NotRequired[str]
    Initiated: NotRequired[datetime]
    StorageClass: NotRequired[StorageClass]
    Owner: NotRequired[Owner]
    Initiator: NotRequired[Initiator]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    ChecksumType: NotRequired[ChecksumType]
    VersionId: NotRequired[str]


class Object(TypedDict):
    Key: NotRequired[str]
    LastModified: NotRequired[datetime]
    ETag: NotRequired[str]
    ChecksumAlgorithm: NotRequired[list[ChecksumAlgorithm]]
    ChecksumType: NotRequired[ChecksumType]
    Size: NotRequired[int]
    StorageClass: NotRequired[ObjectStorageClass]
    Owner: NotRequired[Owner]
    RestoreStatus: NotRequired[RestoreStatus]


class ObjectIdentifier(TypedDict):
    Key: str
    VersionId: NotRequired[str]
    ETag: NotRequired[str]
    LastModifiedTime: NotRequired[datetime]
    Size: NotRequired[int]


class ObjectPart(TypedDict):
    PartNumber: NotRequired[int]
    Size: NotRequired[int]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]


class ObjectVersion(TypedDict):
    ETag: NotRequired[str]
    ChecksumAlgorithm: NotRequired[list[ChecksumAlgorithm]]
    ChecksumType: NotRequired[ChecksumType]
    Size: NotRequired[int]
    StorageClass: NotRequired[ObjectVersionStorageClass]
    Key: NotRequired[str]
    VersionId: NotRequired[str]
    IsLatest: NotRequired[bool]
    LastModified: NotRequired[datetime]
    Owner: NotRequired[Owner]
    RestoreStatus: NotRequired[RestoreStatus]


class Owner(TypedDict):
    DisplayName: NotRequired[str]
    ID: NotRequired[str]


class Part(TypedDict):
    PartNumber: NotRequired[int]
    LastModified: NotRequired[datetime]
    ETag: NotRequired[str]
    Size: NotRequired[int]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]


class PutBucketEncryptionRequest(TypedDict):
    Bucket: str
    ContentMD5: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    ServerSideEncryptionConfiguration: ServerSideEncryptionConfiguration
    ExpectedBucketOwner: NotRequired[str]


class PutBucketTaggingRequest(TypedDict):
    Bucket: str
    ContentMD5: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    Tagging: Tagging
    ExpectedBucketOwner: NotRequired[str]


class PutBucketVersioningRequest(TypedDict):
    Bucket: str
    ContentMD5: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    MFA: NotRequired[str]
    VersioningConfiguration: VersioningConfiguration
    ExpectedBucketOwner: NotRequired[str]


class PutObjectOutput(TypedDict):
    Expiration: NotRequired[str]
    ETag: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    ChecksumType: NotRequired[ChecksumType]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    VersionId: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    SSEKMSEncryptionContext: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    Size: NotRequired[int]
    RequestCharged: NotRequired[RequestCharged]


class PutObjectRequest(TypedDict):
    ACL: NotRequired[ObjectCannedACL]
    Body: NotRequired[AsyncIterator[bytes]]
    Bucket: str
    CacheControl: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentLanguage: NotRequired[str]
    ContentLength: NotRequired[int]
    ContentMD5: NotRequired[str]
    ContentType: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    Expires: NotRequired[datetime]
    IfMatch: NotRequired[str]
    IfNoneMatch: NotRequired[str]
    GrantFullControl: NotRequired[str]
    GrantRead: NotRequired[str]
    GrantReadACP: NotRequired[str]
    GrantWriteACP: NotRequired[str]
    Key: str
    WriteOffsetBytes: NotRequired[int]
    Metadata: NotRequired[dict[str, str]]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    StorageClass: NotRequired[StorageClass]
    WebsiteRedirectLocation: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    SSEKMSEncryptionContext: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    RequestPayer: NotRequired[RequestPayer]
    Tagging: NotRequired[str]
    ObjectLockMode: NotRequired[ObjectLockMode]
    ObjectLockRetainUntilDate: NotRequired[datetime]
    ObjectLockLegalHoldStatus: NotRequired[ObjectLockLegalHoldStatus]
    ObjectLockEventHold: NotRequired[ObjectLockEventHold]
    ObjectLockEventHoldDurationDays: NotRequired[int]
    ObjectLockEventHoldDurationYears: NotRequired[int]
    ExpectedBucketOwner: NotRequired[str]


class PutObjectTaggingOutput(TypedDict):
    VersionId: NotRequired[str]


class PutObjectTaggingRequest(TypedDict):
    Bucket: str
    Key: str
    VersionId: NotRequired[str]
    ContentMD5: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    Tagging: Tagging
    ExpectedBucketOwner: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]


class RestoreStatus(TypedDict):
    IsRestoreInProgress: NotRequired[bool]
    RestoreExpiryDate: NotRequired[datetime]


class ServerSideEncryptionByDefault(TypedDict):
    SSEAlgorithm: ServerSideEncryption
    KMSMasterKeyID: NotRequired[str]


class ServerSideEncryptionConfiguration(TypedDict):
    Rules: list[ServerSideEncryptionRule]


class ServerSideEncryptionRule(TypedDict):
    ApplyServerSideEncryptionByDefault: NotRequired[ServerSideEncryptionByDefault]
    BucketKeyEnabled: NotRequired[bool]
    BlockedEncryptionTypes: NotRequired[BlockedEncryptionTypes]


class Tag(TypedDict):
    Key: str
    Value: str


class Tagging(TypedDict):
    TagSet: list[Tag]


class UploadPartCopyOutput(TypedDict):
    CopySourceVersionId: NotRequired[str]
    CopyPartResult: NotRequired[CopyPartResult]
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    RequestCharged: NotRequired[RequestCharged]
    VersionId: NotRequired[str]


class UploadPartCopyRequest(TypedDict):
    Bucket: str
    CopySource: str
    CopySourceIfMatch: NotRequired[str]
    CopySourceIfModifiedSince: NotRequired[datetime]
    CopySourceIfNoneMatch: NotRequired[str]
    CopySourceIfUnmodifiedSince: NotRequired[datetime]
    CopySourceRange: NotRequired[str]
    Key: str
    PartNumber: int
    UploadId: str
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    CopySourceSSECustomerAlgorithm: NotRequired[str]
    CopySourceSSECustomerKey: NotRequired[str]
    CopySourceSSECustomerKeyMD5: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    ExpectedBucketOwner: NotRequired[str]
    ExpectedSourceBucketOwner: NotRequired[str]


class UploadPartOutput(TypedDict):
    ServerSideEncryption: NotRequired[ServerSideEncryption]
    ETag: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]
    RequestCharged: NotRequired[RequestCharged]
    VersionId: NotRequired[str]


class UploadPartRequest(TypedDict):
    Body: NotRequired[AsyncIterator[bytes]]
    Bucket: str
    ContentLength: NotRequired[int]
    ContentMD5: NotRequired[str]
    ChecksumAlgorithm: NotRequired[ChecksumAlgorithm]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumSHA512: NotRequired[str]
    ChecksumMD5: NotRequired[str]
    ChecksumXXHASH64: NotRequired[str]
    ChecksumXXHASH3: NotRequired[str]
    ChecksumXXHASH128: NotRequired[str]
    Key: str
    PartNumber: int
    UploadId: str
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKey: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    RequestPayer: NotRequired[RequestPayer]
    ExpectedBucketOwner: NotRequired[str]


class VersioningConfiguration(TypedDict):
    MFADelete: NotRequired[MFADelete]
    Status: NotRequired[BucketVersioningStatus]
