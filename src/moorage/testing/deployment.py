"""Putting a model behind an endpoint through the public API, as a test or benchmark does it over and over."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from moorage.testing.models import SKLEARN_IMAGE, TRUST_SAGEMAKER
from moorage.testing.server import PATIENCE_S, RunningMoorage, eventually

BUCKET = "models"
ROLE = "hosting"
PASSING: Final = frozenset({"Creating", "Updating", "RollingBack", "Deleting"})
"""What an endpoint's status is while it changes."""


class Deployer:
    """Clients and shared resources of one Moorage: a bucket and an execution role, made at first use."""

    def __init__(self, server: RunningMoorage) -> None:
        self.sagemaker: Any = server.client("sagemaker")
        self.runtime: Any = server.client("sagemaker-runtime")
        self.s3: Any = server.client("s3")
        self.iam: Any = server.client("iam")
        with contextlib.suppress(self.iam.exceptions.EntityAlreadyExistsException):
            self.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=TRUST_SAGEMAKER)
        self.role_arn: str = self.iam.get_role(RoleName=ROLE)["Role"]["Arn"]
        self.s3.create_bucket(Bucket=BUCKET)

    def model(self, name: str, archive: bytes, **container: Any) -> None:
        """Upload an archive and make a model of it."""
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=archive)
        self.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": SKLEARN_IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz", **container},
            ExecutionRoleArn=self.role_arn,
        )

    def config(self, name: str, model: str, *, instances: int = 1, **variant: Any) -> None:
        """An endpoint config with one variant."""
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": instances,
                    **variant,
                }
            ],
        )

    def deploy(self, name: str, archive: bytes, *, instances: int = 1, **container: Any) -> str:
        """Model, config and endpoint of one name; answers the status the endpoint ended in."""
        self.model(name, archive, **container)
        self.config(name, name, instances=instances)
        return self.endpoint(name)

    def endpoint(self, name: str) -> str:
        """The endpoint to the config of that name; answers the status it ended in."""
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.settled(name)

    def delete(self, name: str) -> None:
        """What `deploy` made, and return when it is gone. What is not there is left out, what changes is waited for."""
        for call, argument in (
            (self.sagemaker.delete_endpoint, "EndpointName"),
            (self.sagemaker.delete_endpoint_config, "EndpointConfigName"),
            (self.sagemaker.delete_model, "ModelName"),
        ):
            eventually(functools.partial(_is_deleted, call, argument, name))
        self.settled(name)

    def settled(self, name: str, *, timeout_s: float = PATIENCE_S) -> str:
        """The status once it is no longer one of those that pass; `Deleted` if the endpoint is gone.

        While control is away, as after it was killed, the status is not known.
        """
        deadline = time.monotonic() + timeout_s
        status = "unknown"
        while time.monotonic() < deadline:
            try:
                status = str(self.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])
            except ClientError as error:
                if "Could not find endpoint" in str(error):
                    return "Deleted"
                if not _is_away(error):
                    raise
            else:
                if status not in PASSING:
                    return status
            time.sleep(0.02)
        raise TimeoutError(f"{name} is still {status} after {timeout_s} s")

    def invoke(self, name: str, body: bytes, **options: Any) -> bytes:
        """The answer to one invocation."""
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, Body=body, **{"ContentType": "application/json", **options}
        )
        return bytes(answer["Body"].read())


def _is_deleted(call: Callable[..., object], argument: str, name: str) -> bool:
    """Delete it, or see that it is not there; whether that could be done while control is away or it changes."""
    try:
        call(**{argument: name})
    except ClientError as error:
        if _is_away(error) or "Cannot update in-progress endpoint" in str(error):
            return False
        if "Could not find" not in str(error):
            raise
    return True


def _is_away(error: ClientError) -> bool:
    return bool(503 == error.response["ResponseMetadata"]["HTTPStatusCode"])
