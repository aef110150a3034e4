"""Amazon S3's API over the object store."""

from moorage.api.s3.service import S3

__all__ = ["S3"]
