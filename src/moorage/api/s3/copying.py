"""Copies: a whole object to a new one, and a range of one to a part of an upload."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, cast

from moorage.api.s3.attributes import (
    encryption_fields,
    headers_of,
    is_sealed,
    metadata_of,
    quoted,
    tags_of,
    version_fields,
)
from moorage.api.s3.base import S3Operations
from moorage.api.s3.checksum_fields import declared, reported, value_of
from moorage.api.s3.conditions import copy_condition, write_condition
from moorage.api.s3.copy_source import CopySource, parse_copy_source
from moorage.api.s3.errors import invalid_argument, invalid_request
from moorage.api.s3.ranges import Slice, parse_range
from moorage.api.service import Caller, operation
from moorage.aws.types import s3 as types
from moorage.objects.checksums import Algorithm, Coverage
from moorage.objects.conditions import check_read
from moorage.objects.errors import Reason, Rejected
from moorage.objects.intake import OBJECT_BYTES_MAX, Payload
from moorage.objects.reading import OpenObject
from moorage.objects.records import Attributes, ObjectVersion

_CHANGES = (
    "MetadataDirective",
    "TaggingDirective",
    "StorageClass",
    "ServerSideEncryption",
    "WebsiteRedirectLocation",
    "ChecksumAlgorithm",
)
"""The members that make a copy of an object onto itself worth doing."""


class CopyOperations(S3Operations):
    """Operations that copy."""

    @operation("CopyObject")
    async def copy_object(self, caller: Caller, request: types.CopyObjectRequest) -> types.CopyObjectOutput:
        source = parse_copy_source(request["CopySource"])
        _refuse_idle_copy(source, request)
        opened = await self._open(source, request)
        version = opened.version
        async with aclosing(opened.stream(0, version.size)) as stream:
            if version.size > OBJECT_BYTES_MAX:
                raise invalid_request(
                    "The specified copy source is larger than the maximum allowable size for a copy source: "
                    f"{OBJECT_BYTES_MAX}"
                )
            copy = await self.store.objects.put(
                request["Bucket"],
                request["Key"],
                payload=Payload(stream, algorithm=_algorithm(version, request)),
                attributes=_attributes(version, request),
                condition=write_condition(request),
                is_sealed=is_sealed(request),
            )
        result = {"ETag": quoted(copy.etag), "LastModified": copy.modified_at, **reported(copy.checksum)}
        answer = {"CopyObjectResult": result, **encryption_fields(copy.is_sealed), **_source_version(version)}
        return cast(types.CopyObjectOutput, {**answer, **version_fields(copy.bucket, copy.version_id)})

    @operation("UploadPartCopy")
    async def upload_part_copy(
        self, caller: Caller, request: types.UploadPartCopyRequest
    ) -> types.UploadPartCopyOutput:
        upload = await self.store.uploads.find(request["Bucket"], request["Key"], request["UploadId"])
        opened = await self._open(parse_copy_source(request["CopySource"]), request)
        version = opened.version
        try:
            wanted = _copied_range(version, request.get("CopySourceRange"))
        except BaseException:
            opened.close()
            raise
        async with aclosing(opened.stream(wanted.start, wanted.size)) as stream:
            part = await self.store.uploads.put_part(upload, request["PartNumber"], payload=Payload(stream))
        result = {"ETag": quoted(part.etag), "LastModified": part.modified_at, **value_of(part.checksum)}
        answer = {"CopyPartResult": result, **encryption_fields(upload.is_sealed), **_source_version(version)}
        return cast(types.UploadPartCopyOutput, answer)

    async def _open(self, source: CopySource, request: Mapping[str, Any]) -> OpenObject:
        try:
            opened = await self.store.objects.open(source.bucket, source.key, source.version_id)
        except Rejected as rejected:
            if rejected.reason is not Reason.IS_DELETE_MARKER:
                raise
            message = "The source of a copy request may not specifically refer to a delete marker by version id."
            raise invalid_request(message) from rejected
        try:
            check_read(opened.version, copy_condition(request))
        except Rejected as rejected:
            opened.close()
            # A copy knows no 304: either kind of condition, unmet, is an error.
            condition = f"x-amz-copy-source-{rejected.details['condition']}"
            raise Rejected(Reason.PRECONDITION_FAILED, condition=condition) from rejected
        return opened


def _refuse_idle_copy(source: CopySource, request: Mapping[str, Any]) -> None:
    onto_itself = (source.bucket, source.key, source.version_id) == (request["Bucket"], request["Key"], None)
    if onto_itself and all(request.get(member) in (None, "COPY") for member in _CHANGES):
        raise invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )


def _algorithm(version: ObjectVersion, request: Mapping[str, Any]) -> Algorithm | None:
    """The copy's checksum: as asked, else as the source's, unless that was taken over parts, which the copy has not."""
    asked = declared(request)
    if asked is not None or version.checksum is None or version.checksum.coverage is Coverage.COMPOSITE:
        return asked
    return version.checksum.algorithm


def _attributes(version: ObjectVersion, request: Mapping[str, Any]) -> Attributes:
    kept = version.attributes
    replaces_metadata = request.get("MetadataDirective") == "REPLACE"
    headers = headers_of(request) if replaces_metadata else {**kept.headers, **_storage_class(request)}
    return Attributes(
        headers,
        metadata_of(request) if replaces_metadata else kept.metadata,
        tags_of(request) if request.get("TaggingDirective") == "REPLACE" else kept.tags,
    )


def _storage_class(request: Mapping[str, Any]) -> dict[str, str]:
    return {"StorageClass": request["StorageClass"]} if request.get("StorageClass") else {}


def _copied_range(version: ObjectVersion, header: str | None) -> Slice:
    """The range of a part copy, which must lie inside the source."""
    if header is None:
        return Slice(0, version.size)
    wanted = parse_range(header, version.size)
    last = header.rpartition("-")[2]
    if wanted is None or not last or int(last) >= version.size:
        message = f"The x-amz-copy-source-range value must be of the form bytes=first-last within {version.size} bytes"
        raise invalid_argument(message, "x-amz-copy-source-range", header)
    return wanted


def _source_version(version: ObjectVersion) -> dict[str, Any]:
    fields = version_fields(version.bucket, version.version_id)
    return {"CopySourceVersionId": fields["VersionId"]} if fields else {}
