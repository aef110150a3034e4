"""From an endpoint config and its models to the variants of a fleet, frozen as they are now."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from typing import Any

from moorage.api.sagemaker.containers import containers_of
from moorage.api.sagemaker.errors import Kind, instance_limit, not_found
from moorage.api.sagemaker.serverless_rules import (
    STARTUP_TIMEOUT_S,
    check_serverless_model,
    instance_type_of,
    serverless_of,
)
from moorage.aws.types.sagemaker import ProductionVariant, UpdateEndpointInput
from moorage.core.model import Container, ExecutionMode, RoutingStrategy, Variant
from moorage.store.base import Document, Transaction


def freeze_variants(tx: Transaction, config: Document, *, account_id: str) -> tuple[Variant, ...]:
    """The variants that an endpoint of this config has. Raises ValidationException if a model is gone."""
    return tuple(_freeze(tx, variant, config.region, account_id) for variant in config.body["ProductionVariants"])


def retain_properties(
    wanted: tuple[Variant, ...], serving: Iterable[Variant], request: UpdateEndpointInput
) -> tuple[Variant, ...]:
    """What UpdateEndpoint asks for: with RetainAllVariantProperties, variants keep the weight and count they have.

    Variants of the new config that the endpoint does not have yet take the config's.
    """
    if not request.get("RetainAllVariantProperties"):
        return wanted
    excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", ())}
    present = {variant.name: variant for variant in serving}
    return tuple(_retain(variant, present.get(variant.name, variant), excluded) for variant in wanted)


def check_instance_limit(wanted: Iterable[Variant], present: Iterable[Variant], *, limit: int) -> None:
    """Raises ResourceLimitExceeded if an endpoint would have more than `limit` instances of one type."""
    used = _count_by_type(present)
    for instance_type, count in _count_by_type(wanted).items():
        if count > limit:
            before = used.get(instance_type, 0)
            raise instance_limit(instance_type, limit=limit, used=before, delta=count - before)


def _freeze(tx: Transaction, variant: ProductionVariant, region: str, account_id: str) -> Variant:
    model = tx.models.get(region, variant["ModelName"])
    if model is None:
        raise not_found(Kind.MODEL, Kind.MODEL.arn(region, account_id, variant["ModelName"]))
    containers = containers_of(model)
    return Variant(
        name=variant["VariantName"],
        model_name=model.name,
        containers=containers,
        **_capacity(variant, containers),
        desired_weight=float(variant["InitialVariantWeight"]),
        execution_role_arn=model.body.get("ExecutionRoleArn"),
        execution_mode=ExecutionMode(model.body.get("InferenceExecutionConfig", {}).get("Mode", "Serial")),
        network_isolation=model.body.get("EnableNetworkIsolation", False),
        **_said(variant),
    )


def _capacity(variant: ProductionVariant, containers: Sequence[Container]) -> dict[str, Any]:
    """A serverless variant has an instance at first: so what cannot be served is found out before it is in service."""
    if "ServerlessConfig" not in variant:
        return {"instance_type": variant["InstanceType"], "desired_count": variant["InitialInstanceCount"]}
    check_serverless_model(variant["VariantName"], containers)
    serverless = serverless_of(variant["ServerlessConfig"])
    return {
        "instance_type": instance_type_of(serverless),
        "desired_count": 1,
        "serverless": serverless,
    }


def _said(variant: ProductionVariant) -> dict[str, Any]:
    """What has a default of Moorage's own where the config says nothing."""
    said: dict[str, Any] = {}
    if "ModelDataDownloadTimeoutInSeconds" in variant:
        said["download_timeout_s"] = float(variant["ModelDataDownloadTimeoutInSeconds"])
    if "ContainerStartupHealthCheckTimeoutInSeconds" in variant:
        said["startup_timeout_s"] = float(variant["ContainerStartupHealthCheckTimeoutInSeconds"])
    if "ServerlessConfig" in variant:
        said["startup_timeout_s"] = min(said.get("startup_timeout_s", math.inf), STARTUP_TIMEOUT_S)
    if "RoutingConfig" in variant:
        said["routing_strategy"] = RoutingStrategy(variant["RoutingConfig"]["RoutingStrategy"])
    return said


def _retain(variant: Variant, present: Variant, excluded: Set[str]) -> Variant:
    takes_count = "DesiredInstanceCount" in excluded or variant.serverless or present.serverless
    count = variant.desired_count if takes_count else present.desired_count
    weight = variant.desired_weight if "DesiredWeight" in excluded else present.desired_weight
    return replace(variant, desired_count=count, desired_weight=weight)


def _count_by_type(variants: Iterable[Variant]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for variant in variants:
        counts[variant.instance_type] = counts.get(variant.instance_type, 0) + variant.desired_count
    return counts
