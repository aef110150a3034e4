"""Lists of objects, versions and uploads.

Whether keys travel url-encoded (`EncodingType`) is the protocol's business: the answers here carry them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from moorage.api.s3.attributes import quoted, storage_class
from moorage.api.s3.base import S3Operations, owner_of
from moorage.api.s3.errors import invalid_argument
from moorage.api.s3.multipart import upload_entry
from moorage.api.service import Caller, operation
from moorage.aws.types import s3 as types
from moorage.objects.listing import Listing, Selection
from moorage.objects.records import ObjectVersion, Upload

R = TypeVar("R")

_PAGE_MAX = 1000


class ListingOperations(S3Operations):
    """Operations that list what is in a bucket."""

    @operation("ListObjectsV2")
    async def list_objects_v2(self, caller: Caller, request: types.ListObjectsV2Request) -> types.ListObjectsV2Output:
        selection = _selection(request, "MaxKeys")
        token = request.get("ContinuationToken")
        if token == "":
            raise invalid_argument("The continuation token provided is incorrect", "continuation-token", token)
        scope = f"objects:{selection.bucket}"
        after = request.get("StartAfter", "") if token is None else self.tokens.read(scope, token)
        listing = await self.store.objects.list(selection, after=after)
        owner = {"Owner": owner_of(caller.account_id)} if request.get("FetchOwner") else {}
        answer = {
            **_echo(request, "Delimiter", "EncodingType", "ContinuationToken", "StartAfter"),
            "Name": selection.bucket,
            "Prefix": selection.prefix,
            "MaxKeys": selection.limit,
            "KeyCount": len(listing.rows) + len(listing.stems),
            "IsTruncated": listing.is_truncated,
            "Contents": [{**_object_entry(version), **owner} for version in listing.rows],
            "CommonPrefixes": _stems(listing.stems),
        }
        if listing.is_truncated:
            answer["NextContinuationToken"] = self.tokens.make(scope, _last_key(listing))
        return cast(types.ListObjectsV2Output, answer)

    @operation("ListObjects")
    async def list_objects(self, caller: Caller, request: types.ListObjectsRequest) -> types.ListObjectsOutput:
        selection = _selection(request, "MaxKeys")
        listing = await self.store.objects.list(selection, after=request.get("Marker", ""))
        owner = {"Owner": owner_of(caller.account_id)}
        answer = {
            **_echo(request, "Delimiter", "EncodingType"),
            "Name": selection.bucket,
            "Prefix": selection.prefix,
            "Marker": request.get("Marker", ""),
            "MaxKeys": selection.limit,
            "IsTruncated": listing.is_truncated,
            "Contents": [{**_object_entry(version), **owner} for version in listing.rows],
            "CommonPrefixes": _stems(listing.stems),
        }
        if listing.is_truncated and selection.delimiter:
            answer["NextMarker"] = _last_key(listing)
        return cast(types.ListObjectsOutput, answer)

    @operation("ListObjectVersions")
    async def list_object_versions(
        self, caller: Caller, request: types.ListObjectVersionsRequest
    ) -> types.ListObjectVersionsOutput:
        selection = _selection(request, "MaxKeys")
        after_key, after_version = request.get("KeyMarker", ""), request.get("VersionIdMarker") or None
        if after_version is not None and not after_key:
            message = "A version-id marker cannot be specified without a key marker."
            raise invalid_argument(message, "version-id-marker", after_version)
        listing = await self.store.objects.list_versions(selection, after_key=after_key, after_version=after_version)
        owner = {"Owner": owner_of(caller.account_id)}
        answer = {
            **_echo(request, "Delimiter", "EncodingType"),
            "Name": selection.bucket,
            "Prefix": selection.prefix,
            "KeyMarker": after_key,
            "VersionIdMarker": request.get("VersionIdMarker", ""),
            "MaxKeys": selection.limit,
            "IsTruncated": listing.is_truncated,
            "Versions": [{**_version_entry(row), **owner} for row in listing.rows if not row.is_delete_marker],
            "DeleteMarkers": [{**_marker_entry(row), **owner} for row in listing.rows if row.is_delete_marker],
            "CommonPrefixes": _stems(listing.stems),
        }
        if listing.is_truncated:
            answer["NextKeyMarker"] = _last_key(listing)
            if isinstance(listing.last, ObjectVersion):
                answer["NextVersionIdMarker"] = listing.last.version_id
        return cast(types.ListObjectVersionsOutput, answer)

    @operation("ListMultipartUploads")
    async def list_multipart_uploads(
        self, caller: Caller, request: types.ListMultipartUploadsRequest
    ) -> types.ListMultipartUploadsOutput:
        selection = _selection(request, "MaxUploads")
        after_key = request.get("KeyMarker", "")
        after_upload = (request.get("UploadIdMarker") or None) if after_key else None
        listing = await self.store.uploads.list(selection, after_key=after_key, after_upload=after_upload)
        answer = {
            **_echo(request, "Delimiter", "EncodingType", "UploadIdMarker"),
            "Bucket": selection.bucket,
            "Prefix": selection.prefix,
            "KeyMarker": after_key,
            "MaxUploads": selection.limit,
            "IsTruncated": listing.is_truncated,
            "Uploads": [upload_entry(upload, caller) for upload in listing.rows],
            "CommonPrefixes": _stems(listing.stems),
        }
        if listing.is_truncated:
            answer["NextKeyMarker"] = _last_key(listing)
            if isinstance(listing.last, Upload):
                answer["NextUploadIdMarker"] = listing.last.upload_id
        return cast(types.ListMultipartUploadsOutput, answer)


def _selection(request: Mapping[str, Any], limit_field: str) -> Selection:
    limit = request.get(limit_field, _PAGE_MAX)
    if limit < 0:
        message = f"Argument {limit_field} must be an integer between 0 and 2147483647"
        raise invalid_argument(message, limit_field, limit)
    return Selection(
        bucket=request["Bucket"],
        prefix=request.get("Prefix", ""),
        delimiter=request.get("Delimiter", ""),
        limit=min(limit, _PAGE_MAX),
    )


def _echo(request: Mapping[str, Any], *members: str) -> dict[str, Any]:
    return {member: request[member] for member in members if request.get(member)}


def _stems(stems: Sequence[str]) -> list[dict[str, str]]:
    return [{"Prefix": stem} for stem in stems]


def _last_key(listing: Listing[ObjectVersion] | Listing[Upload]) -> str:
    last = listing.last
    assert last is not None
    return last if isinstance(last, str) else last.key


def _object_entry(version: ObjectVersion) -> dict[str, Any]:
    entry = {
        "Key": version.key,
        "LastModified": version.modified_at.replace(microsecond=0),
        "ETag": quoted(version.etag),
        "Size": version.size,
        "StorageClass": storage_class(version),
    }
    if version.checksum is not None:
        entry["ChecksumAlgorithm"] = [version.checksum.algorithm.value]
        entry["ChecksumType"] = version.checksum.coverage.value
    return entry


def _version_entry(version: ObjectVersion) -> dict[str, Any]:
    return {**_object_entry(version), "VersionId": version.version_id, "IsLatest": version.is_latest}


def _marker_entry(version: ObjectVersion) -> dict[str, Any]:
    return {
        "Key": version.key,
        "VersionId": version.version_id,
        "IsLatest": version.is_latest,
        "LastModified": version.modified_at.replace(microsecond=0),
    }
