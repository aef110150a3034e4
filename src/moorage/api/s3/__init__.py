"""Amazon S3's API over the object store."""
