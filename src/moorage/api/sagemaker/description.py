"""An endpoint as DescribeEndpoint shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from moorage.aws.types.sagemaker import (
    DeployedImage,
    DeploymentConfig,
    DescribeEndpointOutput,
    PendingDeploymentSummary,
    PendingProductionVariantSummary,
    ProductionVariantServerlessConfig,
    ProductionVariantStatus,
    ProductionVariantSummary,
    VariantStatus,
)
from moorage.core.model import Endpoint, EndpointStatus, Fleet, Serverless, Variant
from moorage.store.base import Document


def describe(endpoint: Endpoint, config: Document | None, *, ready: Mapping[str, int]) -> DescribeEndpointOutput:
    """The answer of DescribeEndpoint.

    `config` is the endpoint config in force, None if it has been deleted; then what only it knew is not shown.
    `ready` is how many instances of each variant answer.
    """
    body = config.body if config else {}
    output: DescribeEndpointOutput = {
        "EndpointName": endpoint.key.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config_name,
        "EndpointStatus": endpoint.status.value,
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
    }
    shown = _shown_fleet(endpoint)
    if shown is not None:
        output["ProductionVariants"] = _summaries(endpoint, shown, body, ready)
    if _has_pending(endpoint):
        output["PendingDeploymentSummary"] = _pending(endpoint, ready)
    if endpoint.failure_reason is not None:
        output["FailureReason"] = endpoint.failure_reason
    if endpoint.last_deployment_config:
        output["LastDeploymentConfig"] = cast(DeploymentConfig, endpoint.last_deployment_config)
    if "MetricsConfig" in body:
        output["MetricsConfig"] = body["MetricsConfig"]
    return output


def _shown_fleet(endpoint: Endpoint) -> Fleet | None:
    """The serving fleet; the one that never came to serve if the endpoint failed or is deleted before it did."""
    if endpoint.serving is not None or endpoint.status is EndpointStatus.CREATING:
        return endpoint.serving
    return endpoint.target


def _has_pending(endpoint: Endpoint) -> bool:
    """Whether a new fleet is being brought up; other weights or counts for the serving one are not that."""
    if endpoint.status not in {EndpointStatus.CREATING, EndpointStatus.UPDATING} or endpoint.target is None:
        return False
    return endpoint.serving is None or endpoint.serving.generation != endpoint.target.generation


def _summaries(
    endpoint: Endpoint, fleet: Fleet, body: Mapping[str, Any], ready: Mapping[str, int]
) -> list[ProductionVariantSummary]:
    wanted = {variant.name: variant for variant in fleet.variants}
    if endpoint.target is not None and endpoint.target.generation == fleet.generation:
        wanted = {variant.name: variant for variant in endpoint.target.variants}
    configured = {variant["VariantName"]: variant for variant in body.get("ProductionVariants", ())}
    return [
        _summary(endpoint, fleet, current, wanted[current.name], configured.get(current.name, {}), ready)
        for current in fleet.variants
    ]


def _summary(
    endpoint: Endpoint,
    fleet: Fleet,
    current: Variant,
    wanted: Variant,
    configured: Mapping[str, Any],
    ready: Mapping[str, int],
) -> ProductionVariantSummary:
    summary: ProductionVariantSummary = {
        "VariantName": current.name,
        "DeployedImages": _images(current, fleet),
        "CurrentWeight": current.desired_weight,
        "DesiredWeight": wanted.desired_weight,
    }
    if current.serverless is not None and wanted.serverless is not None:
        summary["CurrentServerlessConfig"] = _serverless(current.serverless)
        summary["DesiredServerlessConfig"] = _serverless(wanted.serverless)
    else:
        summary["CurrentInstanceCount"] = ready.get(current.name, 0)
        summary["DesiredInstanceCount"] = wanted.desired_count
    if "RoutingConfig" in configured:
        summary["RoutingConfig"] = configured["RoutingConfig"]
    status = _variant_status(endpoint, current, wanted)
    if status is not None:
        summary["VariantStatus"] = [status]
    return summary


def _variant_status(endpoint: Endpoint, current: Variant, wanted: Variant) -> ProductionVariantStatus | None:
    if endpoint.status is EndpointStatus.DELETING:
        return _status("Deleting", endpoint)
    if endpoint.status not in {EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK}:
        return None
    status = _status("Updating", endpoint)
    if wanted.desired_count != current.desired_count and wanted.serverless is None:
        direction = "out" if wanted.desired_count > current.desired_count else "in"
        status["StatusMessage"] = f"Scaling {direction} desired instance count to {wanted.desired_count}."
    return status


def _pending(endpoint: Endpoint, ready: Mapping[str, int]) -> PendingDeploymentSummary:
    target = endpoint.target
    assert target is not None
    return {
        "EndpointConfigName": target.config_name,
        "StartTime": target.created_at,
        "ProductionVariants": [_pending_variant(endpoint, target, variant, ready) for variant in target.variants],
    }


def _pending_variant(
    endpoint: Endpoint, target: Fleet, variant: Variant, ready: Mapping[str, int]
) -> PendingProductionVariantSummary:
    summary: PendingProductionVariantSummary = {
        "VariantName": variant.name,
        "DeployedImages": _images(variant, target),
        "CurrentWeight": 0.0,
        "DesiredWeight": variant.desired_weight,
        "VariantStatus": [_status("Creating", endpoint)],
    }
    if variant.serverless is not None:
        summary["DesiredServerlessConfig"] = _serverless(variant.serverless)
        return summary
    summary["CurrentInstanceCount"] = ready.get(variant.name, 0) if endpoint.serving is None else 0
    summary["DesiredInstanceCount"] = variant.desired_count
    summary["InstanceType"] = variant.instance_type
    return summary


def _serverless(serverless: Serverless) -> ProductionVariantServerlessConfig:
    config: ProductionVariantServerlessConfig = {
        "MemorySizeInMB": serverless.memory_mb,
        "MaxConcurrency": serverless.concurrency_max,
    }
    if serverless.provisioned_concurrency:
        config["ProvisionedConcurrency"] = serverless.provisioned_concurrency
    return config


def _images(variant: Variant, fleet: Fleet) -> list[DeployedImage]:
    images = dict.fromkeys(container.image for container in variant.containers)
    return [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": fleet.created_at} for image in images]


def _status(status: VariantStatus, endpoint: Endpoint) -> ProductionVariantStatus:
    return {"Status": status, "StartTime": endpoint.modified_at}
