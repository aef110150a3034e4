"""Tags of objects."""

from __future__ import annotations

from typing import cast

from moorage.api.s3.attributes import version_fields
from moorage.api.s3.base import S3Operations
from moorage.api.s3.names import OBJECT_TAGS_MAX, check_tags
from moorage.api.service import Caller, operation
from moorage.aws.types import s3 as types


class TaggingOperations(S3Operations):
    """Operations on the tags of objects."""

    @operation("PutObjectTagging")
    async def put_object_tagging(
        self, caller: Caller, request: types.PutObjectTaggingRequest
    ) -> types.PutObjectTaggingOutput:
        pairs = ((tag["Key"], tag["Value"]) for tag in request["Tagging"]["TagSet"])
        version = await self.store.objects.set_tags(
            request["Bucket"],
            request["Key"],
            version_id=request.get("VersionId"),
            tags=check_tags(pairs, most=OBJECT_TAGS_MAX),
        )
        return cast(types.PutObjectTaggingOutput, version_fields(version.bucket, version.version_id))

    @operation("GetObjectTagging")
    async def get_object_tagging(
        self, caller: Caller, request: types.GetObjectTaggingRequest
    ) -> types.GetObjectTaggingOutput:
        version = await self.store.objects.find(request["Bucket"], request["Key"], request.get("VersionId"))
        tags = [{"Key": key, "Value": value} for key, value in version.attributes.tags.items()]
        answer = {"TagSet": tags, **version_fields(version.bucket, version.version_id)}
        return cast(types.GetObjectTaggingOutput, answer)

    @operation("DeleteObjectTagging")
    async def delete_object_tagging(
        self, caller: Caller, request: types.DeleteObjectTaggingRequest
    ) -> types.DeleteObjectTaggingOutput:
        version = await self.store.objects.set_tags(
            request["Bucket"], request["Key"], version_id=request.get("VersionId"), tags={}
        )
        return cast(types.DeleteObjectTaggingOutput, version_fields(version.bucket, version.version_id))
