"""The SageMaker side of a deployment: model, endpoint config, and an endpoint brought to serve them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from moorage.cli.connection import error_code
from moorage.cli.deploy.naming import Names, tags_for

VARIANT_NAME: Final = "AllTraffic"
INSTANCE_TYPE: Final = "ml.m5.large"
SERVERLESS: Final = {"ServerlessConfig": {"MemorySizeInMB": 4096, "MaxConcurrency": 200}}
"""The capacity of a variant that has an instance only while it is asked."""
POLL_INTERVAL_S: Final = 0.1
_UNDER_WAY: Final = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})

Watcher = Callable[[str], None]
"""Is told the endpoint's status each time it has been looked at."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be served."""

    image: str
    model_data_url: str
    role_arn: str
    environment: Mapping[str, str]
    capacity: Mapping[str, Any]
    """What a production variant says of it: `instances` or `SERVERLESS`."""


def instances(count: int) -> dict[str, Any]:
    """The capacity of a variant that always has so many instances."""
    return {"InitialInstanceCount": count, "InstanceType": INSTANCE_TYPE}


class RolloutFailed(Exception):
    """The endpoint does not serve the new deployment; the message is SageMaker's FailureReason."""


def create_revision(sagemaker: Any, names: Names, wanted: Wanted) -> None:
    """Make the model and the endpoint config of this deployment."""
    tags = tags_for(names.endpoint)
    sagemaker.create_model(
        ModelName=names.revision,
        PrimaryContainer={
            "Image": wanted.image,
            "ModelDataUrl": wanted.model_data_url,
            "Environment": dict(wanted.environment),
        },
        ExecutionRoleArn=wanted.role_arn,
        Tags=tags,
    )
    variant = {"VariantName": VARIANT_NAME, "ModelName": names.revision, **wanted.capacity}
    sagemaker.create_endpoint_config(EndpointConfigName=names.revision, ProductionVariants=[variant], Tags=tags)


def roll_out(sagemaker: Any, names: Names, *, watcher: Watcher) -> None:
    """Create the endpoint, or update the one of that name, and wait until it serves. Raises RolloutFailed.

    A change that is under way is waited for.
    """
    current = find_endpoint(sagemaker, names.endpoint)
    if current and current["EndpointStatus"] == "Failed":
        delete_endpoint(sagemaker, names.endpoint, watcher=watcher)  # a failed endpoint can only be deleted
        current = None
    change = sagemaker.update_endpoint if current else sagemaker.create_endpoint
    begin = partial(change, EndpointName=names.endpoint, EndpointConfigName=names.revision)
    _between_changes(sagemaker, names.endpoint, begin, watcher)
    reached = _settled(sagemaker, names.endpoint, watcher)
    if reached["EndpointStatus"] != "InService":
        raise RolloutFailed(reached.get("FailureReason", f"the endpoint is {reached['EndpointStatus']}."))
    if reached["EndpointConfigName"] != names.revision:
        # SageMaker's way of rolling back: in service again, on the config before, with the reason beside it.
        raise RolloutFailed(f"{reached.get('FailureReason', 'rolled back.')} It still serves what it served before.")


def delete_endpoint(sagemaker: Any, name: str, *, watcher: Watcher) -> None:
    """Delete an endpoint and wait until it is gone. A change that is under way is waited for."""
    _between_changes(sagemaker, name, partial(sagemaker.delete_endpoint, EndpointName=name), watcher)
    while found := find_endpoint(sagemaker, name):
        watcher(found["EndpointStatus"])
        time.sleep(POLL_INTERVAL_S)


def find_endpoint(sagemaker: Any, name: str) -> dict[str, Any] | None:
    """The endpoint's description, or None when there is none of that name."""
    try:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error_code(error) == "ValidationException" and "Could not find" in str(error):
            return None
        raise
    return found


def _between_changes(sagemaker: Any, name: str, change: Callable[[], object], watcher: Watcher) -> None:
    """Make a change as soon as no other is under way: automatic scaling may have begun one at any moment."""
    while True:
        try:
            change()
        except ClientError as error:
            if "in-progress endpoint" not in str(error):
                raise
            _settled(sagemaker, name, watcher)
        else:
            return


def _settled(sagemaker: Any, name: str, watcher: Watcher) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        watcher(found["EndpointStatus"])
        if found["EndpointStatus"] not in _UNDER_WAY:
            return found
        time.sleep(POLL_INTERVAL_S)
