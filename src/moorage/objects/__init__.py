"""Model artefacts: the S3-compatible object store on disk, and readers of any other S3."""
