"""Uploads in parts."""

from __future__ import annotations

from typing import Any, cast

from moorage.api.s3.attributes import (
    attributes_of,
    encryption_fields,
    is_sealed,
    quoted,
    unquoted,
    version_fields,
)
from moorage.api.s3.base import S3Operations, owner_of
from moorage.api.s3.checksum_fields import coverage_for, declared, given, reported, value_of
from moorage.api.s3.conditions import write_condition
from moorage.api.s3.content import payload_of
from moorage.api.s3.errors import invalid_argument, invalid_request, malformed_xml
from moorage.api.service import Caller, operation
from moorage.aws.types import s3 as types
from moorage.objects.checksums import Algorithm
from moorage.objects.records import Part, PartClaim, Upload
from moorage.objects.uploads import Completion

_PART_NUMBER_MAX = 10_000
_PAGE_MAX = 1000


class MultipartOperations(S3Operations):
    """Operations on uploads in parts."""

    @operation("CreateMultipartUpload")
    async def create_multipart_upload(
        self, caller: Caller, request: types.CreateMultipartUploadRequest
    ) -> types.CreateMultipartUploadOutput:
        algorithm = declared(request)
        wanted = request.get("ChecksumType")
        if algorithm is None and wanted is not None:
            raise invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        kept = algorithm or Algorithm.CRC64NVME
        upload = await self.store.uploads.begin(
            request["Bucket"],
            request["Key"],
            attributes=attributes_of(request),
            algorithm=kept,
            coverage=coverage_for(kept, wanted),
            is_sealed=is_sealed(request),
        )
        answer: dict[str, Any] = {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.upload_id,
            **encryption_fields(upload.is_sealed),
        }
        if algorithm is not None:
            answer |= {"ChecksumAlgorithm": algorithm.value, "ChecksumType": upload.coverage.value}
        return cast(types.CreateMultipartUploadOutput, answer)

    @operation("UploadPart")
    async def upload_part(self, caller: Caller, request: types.UploadPartRequest) -> types.UploadPartOutput:
        number = request["PartNumber"]
        if not 1 <= number <= _PART_NUMBER_MAX:
            message = f"Part number must be an integer between 1 and {_PART_NUMBER_MAX}, inclusive"
            raise invalid_argument(message, "partNumber", number)
        upload = await self.store.uploads.find(request["Bucket"], request["Key"], request["UploadId"])
        part = await self.store.uploads.put_part(upload, number, payload=payload_of(request))
        answer = {"ETag": quoted(part.etag), **value_of(part.checksum), **encryption_fields(upload.is_sealed)}
        return cast(types.UploadPartOutput, answer)

    @operation("CompleteMultipartUpload")
    async def complete_multipart_upload(
        self, caller: Caller, request: types.CompleteMultipartUploadRequest
    ) -> types.CompleteMultipartUploadOutput:
        parts = request.get("MultipartUpload", {}).get("Parts", [])
        if not parts:
            raise malformed_xml()
        completion = Completion(
            parts=[_claim(part) for part in parts],
            checksum=given(request),
            size=request.get("MpuObjectSize"),
            condition=write_condition(request),
        )
        bucket, key = request["Bucket"], request["Key"]
        version = await self.store.uploads.complete(bucket, key, request["UploadId"], completion=completion)
        answer = {
            "Location": f"/{bucket}/{key}",
            "Bucket": bucket,
            "Key": key,
            "ETag": quoted(version.etag),
            **reported(version.checksum),
            **encryption_fields(version.is_sealed),
            **version_fields(version.bucket, version.version_id),
        }
        return cast(types.CompleteMultipartUploadOutput, answer)

    @operation("AbortMultipartUpload")
    async def abort_multipart_upload(
        self, caller: Caller, request: types.AbortMultipartUploadRequest
    ) -> types.AbortMultipartUploadOutput:
        await self.store.uploads.abort(request["Bucket"], request["Key"], request["UploadId"])
        return {}

    @operation("ListParts")
    async def list_parts(self, caller: Caller, request: types.ListPartsRequest) -> types.ListPartsOutput:
        upload = await self.store.uploads.find(request["Bucket"], request["Key"], request["UploadId"])
        marker, limit = request.get("PartNumberMarker", 0), min(request.get("MaxParts", _PAGE_MAX), _PAGE_MAX)
        found = await self.store.uploads.parts(upload, after=marker, limit=limit + 1)
        page = found[:limit]
        answer = {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.upload_id,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": page[-1].number if page else 0,
            "MaxParts": limit,
            "IsTruncated": len(found) > limit,
            "Parts": [_part_entry(part) for part in page],
            **_owners(caller),
            **_upload_fields(upload),
        }
        return cast(types.ListPartsOutput, answer)


def upload_entry(upload: Upload, caller: Caller) -> types.MultipartUpload:
    """An upload in a list of them."""
    answer = {
        "UploadId": upload.upload_id,
        "Key": upload.key,
        "Initiated": upload.initiated_at,
        **_owners(caller),
        **_upload_fields(upload),
    }
    return cast(types.MultipartUpload, answer)


def _upload_fields(upload: Upload) -> dict[str, Any]:
    return {
        "StorageClass": upload.attributes.headers.get("StorageClass", "STANDARD"),
        "ChecksumAlgorithm": upload.algorithm.value,
        "ChecksumType": upload.coverage.value,
    }


def _owners(caller: Caller) -> dict[str, Any]:
    return {"Owner": owner_of(caller.account_id), "Initiator": owner_of(caller.account_id)}


def _part_entry(part: Part) -> dict[str, Any]:
    return {
        "PartNumber": part.number,
        "LastModified": part.modified_at,
        "ETag": quoted(part.etag),
        "Size": part.blob.size,
        **value_of(part.checksum),
    }


def _claim(part: types.CompletedPart) -> PartClaim:
    number, etag = part.get("PartNumber"), part.get("ETag")
    if number is None or etag is None:
        raise malformed_xml()
    return PartClaim(number, unquoted(etag), given(part))
