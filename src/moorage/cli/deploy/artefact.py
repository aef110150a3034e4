"""Where `moorage deploy` puts what an endpoint needs beside it: the archive in a bucket, and a role to run as."""

from __future__ import annotations

import json
from typing import Any, Final

from botocore.exceptions import ClientError

from moorage.cli.connection import error_code
from moorage.cli.deploy.naming import ROLE_NAME, Names
from moorage.cli.deploy.packing import Packed

_TRUST_POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_HOME_REGION: Final = "us-east-1"


def upload(s3: Any, packed: Packed, *, bucket: str, names: Names) -> str:
    """Upload the archive, making the bucket if need be; answers its s3:// URL."""
    _ensure_bucket(s3, bucket)
    key = f"{names.endpoint}/{names.revision}/model.tar.gz"
    s3.upload_file(str(packed.path), bucket, key)
    return f"s3://{bucket}/{key}"


def ensure_role(iam: Any) -> str:
    """The ARN of the role that deployments run as, made if it does not exist."""
    try:
        made = iam.create_role(RoleName=ROLE_NAME, AssumeRolePolicyDocument=json.dumps(_TRUST_POLICY))
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName=ROLE_NAME)
    return str(made["Role"]["Arn"])


def _ensure_bucket(s3: Any, bucket: str) -> None:
    region = s3.meta.region_name
    # S3 wants its first region unsaid and every other one said.
    location = {} if region == _HOME_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **location)
    except ClientError as error:
        if error_code(error) != "BucketAlreadyOwnedByYou":
            raise
