"""Amazon resource names and log names: pure string rules, each with AWS's spelling."""

from __future__ import annotations

from moorage.core.model import EndpointKey, InstanceId

LOG_GROUP_PREFIX = "/aws/sagemaker/Endpoints/"
METRICS_KEYS_NAME = "metrics"
"""What the document of the metrics page's keys is called in the store, beside those of `bearer_keys_name`."""


def sagemaker_arn(region: str, account_id: str, kind: str, name: str) -> str:
    """`arn:aws:sagemaker:<region>:<account>:<kind>/<name>`; names are lower-cased in ARNs.

    `kind` is `model`, `endpoint-config` or `endpoint`.
    """
    return f"arn:aws:sagemaker:{region}:{account_id}:{kind}/{name.lower()}"


def log_group(endpoint_name: str) -> str:
    """The CloudWatch log group of an endpoint."""
    return LOG_GROUP_PREFIX + endpoint_name


def log_stream(variant: str, instance: InstanceId, container: str | None = None) -> str:
    """The CloudWatch log stream of one instance, or of one of its several containers."""
    return f"{variant}/{instance}" if container is None else f"{variant}/{instance}/{container}"


def bearer_keys_name(endpoint: EndpointKey) -> str:
    """What the document of an endpoint's bearer keys is called in the store."""
    return f"{endpoint.region}/{endpoint.name}"
