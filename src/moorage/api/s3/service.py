"""S3, whole: the operations of every kind as one service."""

from __future__ import annotations

from moorage.api.s3.bucket_absences import BucketAbsenceOperations
from moorage.api.s3.bucket_settings import BucketSettingOperations
from moorage.api.s3.buckets import BucketOperations
from moorage.api.s3.copying import CopyOperations
from moorage.api.s3.listing import ListingOperations
from moorage.api.s3.multipart import MultipartOperations
from moorage.api.s3.objects import ObjectOperations
from moorage.api.s3.tagging import TaggingOperations


class S3(
    BucketOperations,
    BucketSettingOperations,
    BucketAbsenceOperations,
    ObjectOperations,
    CopyOperations,
    MultipartOperations,
    TaggingOperations,
    ListingOperations,
):
    """Amazon S3. What it does not have among its operations is answered with NotImplemented."""
