"""Settings of buckets that nobody can make here, and that readers (Terraform above all) ask for: there are none.

The answers are those of S3 for a bucket on which nothing of the kind was ever set. The operations that would set them
are not implemented and say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moorage.api.s3.base import S3Operations
from moorage.api.service import Caller, operation
from moorage.aws.errors import ServiceError


class BucketAbsenceOperations(S3Operations):
    """Operations that read what is never set."""

    @operation("GetBucketPolicy")
    async def get_bucket_policy(self, caller: Caller, request: Mapping[str, Any]) -> Any:
        raise await self._absent(request, "NoSuchBucketPolicy", "The bucket policy does not exist")

    @operation("GetBucketCors")
    async def get_bucket_cors(self, caller: Caller, request: Mapping[str, Any]) -> Any:
        raise await self._absent(request, "NoSuchCORSConfiguration", "The CORS configuration does not exist")

    @operation("GetBucketWebsite")
    async def get_bucket_website(self, caller: Caller, request: Mapping[str, Any]) -> Any:
        message = "The specified bucket does not have a website configuration"
        raise await self._absent(request, "NoSuchWebsiteConfiguration", message)

    @operation("GetBucketLifecycleConfiguration")
    async def get_bucket_lifecycle_configuration(self, caller: Caller, request: Mapping[str, Any]) -> Any:
        message = "The lifecycle configuration does not exist"
        raise await self._absent(request, "NoSuchLifecycleConfiguration", message)

    @operation("GetBucketReplication")
    async def get_bucket_replication(self, caller: Caller, request: Mapping[str, Any]) -> Any:
        message = "The replication configuration was not found"
        raise await self._absent(request, "ReplicationConfigurationNotFoundError", message)

    @operation("GetObjectLockConfiguration")
    async def get_object_lock_configuration(self, caller: Caller, request: Mapping[str, Any]) -> Any:
        message = "Object Lock configuration does not exist for this bucket"
        raise await self._absent(request, "ObjectLockConfigurationNotFoundError", message)

    @operation("GetBucketLogging")
    async def get_bucket_logging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        await self.store.buckets.find(request["Bucket"])
        return {}

    @operation("GetBucketNotificationConfiguration")
    async def get_bucket_notification_configuration(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        await self.store.buckets.find(request["Bucket"])
        return {}

    @operation("GetBucketAccelerateConfiguration")
    async def get_bucket_accelerate_configuration(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        await self.store.buckets.find(request["Bucket"])
        return {}

    @operation("GetBucketRequestPayment")
    async def get_bucket_request_payment(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        await self.store.buckets.find(request["Bucket"])
        return {"Payer": "BucketOwner"}

    async def _absent(self, request: Mapping[str, Any], code: str, message: str) -> ServiceError:
        bucket = await self.store.buckets.find(request["Bucket"])
        return ServiceError(code, message, status=404, members={"BucketName": bucket.name})
