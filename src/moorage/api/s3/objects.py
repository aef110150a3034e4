"""Objects: put, get, look, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from moorage.api.s3.attributes import (
    attributes_of,
    is_sealed,
    read_fields,
    storage_class,
    unquoted,
    version_fields,
    written_fields,
)
from moorage.api.s3.base import S3Operations
from moorage.api.s3.checksum_fields import reported, value_of
from moorage.api.s3.conditions import read_condition, write_condition
from moorage.api.s3.content import payload_of
from moorage.api.s3.errors import malformed_xml, not_implemented
from moorage.api.s3.names import check_key, check_version_id
from moorage.api.s3.ranges import Slice, chosen_slice
from moorage.api.service import Caller, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types import s3 as types
from moorage.objects.conditions import WriteCondition, check_read
from moorage.objects.objects import Deletion, Target
from moorage.objects.reading import ObjectStream, OpenObject
from moorage.objects.records import Extent, ObjectVersion

_DELETE_MAX = 1000


class ObjectOperations(S3Operations):
    """Operations on objects."""

    @operation("PutObject")
    async def put_object(self, caller: Caller, request: types.PutObjectRequest) -> types.PutObjectOutput:
        version = await self.store.objects.put(
            request["Bucket"],
            request["Key"],
            payload=payload_of(request),
            attributes=attributes_of(request),
            condition=write_condition(request),
            is_sealed=is_sealed(request),
        )
        return cast(types.PutObjectOutput, written_fields(version))

    @operation("GetObject")
    async def get_object(self, caller: Caller, request: types.GetObjectRequest) -> types.GetObjectOutput:
        opened = await self.store.objects.open(request["Bucket"], request["Key"], request.get("VersionId"))
        try:
            fields, wanted = _answer(opened.version, opened.extents, request)
        except BaseException:
            opened.close()
            raise
        return cast(types.GetObjectOutput, {**fields, "Body": _body(opened, wanted)})

    @operation("HeadObject")
    async def head_object(self, caller: Caller, request: types.HeadObjectRequest) -> types.HeadObjectOutput:
        version, extents = await self.store.objects.examine(request["Bucket"], request["Key"], request.get("VersionId"))
        fields, _ = _answer(version, extents, request)
        return cast(types.HeadObjectOutput, fields)

    @operation("DeleteObject")
    async def delete_object(self, caller: Caller, request: types.DeleteObjectRequest) -> types.DeleteObjectOutput:
        if request.get("IfMatchLastModifiedTime") is not None or request.get("IfMatchSize") is not None:
            raise not_implemented("conditional deletes by time or size")
        bucket = await self.store.buckets.find(request["Bucket"])
        target = Target(request["Key"], request.get("VersionId"), write_condition(request))
        deletion = await self.store.objects.delete(bucket.name, target)
        answer = version_fields(bucket, deletion.version_id)
        if deletion.is_delete_marker:
            answer["DeleteMarker"] = True
        return cast(types.DeleteObjectOutput, answer)

    @operation("DeleteObjects")
    async def delete_objects(self, caller: Caller, request: types.DeleteObjectsRequest) -> types.DeleteObjectsOutput:
        named = request["Delete"]["Objects"]
        if not 1 <= len(named) <= _DELETE_MAX:
            raise malformed_xml()
        targets, errors = _targets(named)
        deletions = await self.store.objects.delete_many(request["Bucket"], targets)
        answer: types.DeleteObjectsOutput = {}
        if not request["Delete"].get("Quiet"):
            pairs = zip(targets, deletions, strict=True)
            answer["Deleted"] = [_deleted(target, deletion) for target, deletion in pairs]
        if errors:
            answer["Errors"] = errors
        return answer

    @operation("GetObjectAttributes")
    async def get_object_attributes(
        self, caller: Caller, request: types.GetObjectAttributesRequest
    ) -> types.GetObjectAttributesOutput:
        version, extents = await self.store.objects.examine(request["Bucket"], request["Key"], request.get("VersionId"))
        check_read(version, read_condition(request))
        wanted = request["ObjectAttributes"]
        answer = {"LastModified": version.modified_at, **version_fields(version.bucket, version.version_id)}
        if "ETag" in wanted:
            answer["ETag"] = version.etag
        if "Checksum" in wanted and version.checksum is not None:
            answer["Checksum"] = reported(version.checksum)
        if "ObjectParts" in wanted and version.part_count is not None:
            answer["ObjectParts"] = _parts_page(version, extents, request)
        if "StorageClass" in wanted:
            answer["StorageClass"] = storage_class(version)
        if "ObjectSize" in wanted:
            answer["ObjectSize"] = version.size
        return cast(types.GetObjectAttributesOutput, answer)


def _answer(
    version: ObjectVersion, extents: Sequence[Extent], request: Mapping[str, Any]
) -> tuple[dict[str, Any], Slice]:
    """The fields of GetObject and HeadObject, and the bytes they are about. Raises what makes them not answer so."""
    check_read(version, read_condition(request))
    wanted = chosen_slice(version, extents, request)
    fields = read_fields(version, request)
    if storage_class(version) == "STANDARD":
        fields.pop("StorageClass", None)
    if request.get("PartNumber") is not None and version.part_count is not None:
        fields["PartsCount"] = version.part_count
    if wanted is None:
        whole = Slice(0, version.size)
        # A checksum of the whole must not travel with a part: clients check what they got against it.
        checksum = reported(version.checksum) if request.get("ChecksumMode") == "ENABLED" else {}
        return {**fields, **checksum, "ContentLength": whole.size}, whole
    fields["ContentRange"] = wanted.content_range(version.size)
    return {**fields, "ContentLength": wanted.size}, wanted


def _body(opened: OpenObject, wanted: Slice) -> bytes | ObjectStream:
    if wanted.size > 0:
        return opened.stream(wanted.start, wanted.size)
    opened.close()
    return b""


def _targets(named: Sequence[types.ObjectIdentifier]) -> tuple[list[Target], list[types.Error]]:
    """What can be deleted, and what cannot because its name is against the rules."""
    targets: list[Target] = []
    errors: list[types.Error] = []
    for identifier in named:
        key, version_id = identifier["Key"], identifier.get("VersionId")
        try:
            check_key(key)
            check_version_id(version_id)
        except ServiceError as error:
            errors.append({"Key": key, "Code": error.code, "Message": error.message})
            continue
        etag = identifier.get("ETag")
        targets.append(Target(key, version_id, WriteCondition(None if etag is None else unquoted(etag))))
    return targets, errors


def _deleted(target: Target, deletion: Deletion) -> types.DeletedObject:
    entry: types.DeletedObject = {"Key": target.key}
    if target.version_id is not None:
        entry["VersionId"] = target.version_id
    if deletion.is_delete_marker and deletion.version_id is not None:
        entry["DeleteMarker"] = True
        entry["DeleteMarkerVersionId"] = deletion.version_id
    return entry


def _parts_page(version: ObjectVersion, extents: Sequence[Extent], request: Mapping[str, Any]) -> dict[str, Any]:
    marker, limit = request.get("PartNumberMarker", 0), request.get("MaxParts", 1000)
    following = [extent for extent in extents if extent.number > marker]
    page = following[:limit]
    return {
        "TotalPartsCount": version.part_count,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(following) > limit,
        "Parts": [
            {"PartNumber": extent.number, "Size": extent.blob.size, **value_of(extent.checksum)} for extent in page
        ],
    }
