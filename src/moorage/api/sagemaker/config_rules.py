"""What an endpoint config may be, beyond the shapes of its members. Pure.

Order: first what SageMaker refuses, then what Moorage cannot honour yet.
"""

from __future__ import annotations

from typing import Final

from moorage.api.sagemaker.errors import invalid, unsupported
from moorage.api.sagemaker.serverless_rules import check_serverless
from moorage.aws.types.sagemaker import CreateEndpointConfigInput, ProductionVariant
from moorage.core.model import RoutingStrategy

_UNSUPPORTED: Final = (
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "EnableNetworkIsolation",
    "CrossRegionTrafficConfig",
)
_UNSUPPORTED_IN_VARIANT: Final = (
    "InstancePools",
    "AcceleratorType",
    "CoreDumpConfig",
    "EnableSSMAccess",
    "CapacityReservationConfig",
    "AcceleratorPartitionLayouts",
)
_WEIGHT_MAX: Final = 3.4028234663852886e38
"""The largest 32 bit float, which is what the API's model has for weights. Infinity is above it."""
_ROUTING_STRATEGIES: Final = frozenset(strategy.value for strategy in RoutingStrategy)


def check_config(request: CreateEndpointConfigInput) -> None:
    """Raises ValidationException."""
    variants = request["ProductionVariants"]
    _check_names(request)
    for variant in variants:
        _check_capacity(variant)
    check_serverless(variants)
    _check_shadows(request)
    _refuse_unsupported(request)
    for number, variant in enumerate(variants, start=1):
        _refuse_unsupported_in_variant(variant, f"ProductionVariants.{number}.member")
    check_weights([variant.get("InitialVariantWeight", 1.0) for variant in variants])


def check_weights(weights: list[float]) -> None:
    """Raises ValidationException if no variant would get any traffic, or a weight is no number to share it by."""
    if max(weights) > _WEIGHT_MAX:
        raise invalid(f"The weight of a variant must not exceed {_WEIGHT_MAX:g}.")
    if not sum(weights) > 0:
        raise invalid("At least one variant must have a weight greater than 0.")


def _check_names(request: CreateEndpointConfigInput) -> None:
    names: set[str] = set()
    for variant in (*request["ProductionVariants"], *request.get("ShadowProductionVariants", ())):
        name = variant["VariantName"]
        if name in names:
            raise invalid(f"Variant names must be unique within an endpoint configuration, and '{name}' is not.")
        names.add(name)


def _check_capacity(variant: ProductionVariant) -> None:
    name = variant["VariantName"]
    if "ServerlessConfig" in variant:
        return
    if "InstancePools" in variant:
        if "InstanceType" in variant:
            raise invalid(f"Variant '{name}' cannot have both InstancePools and InstanceType.")
        return
    for member in ("InstanceType", "InitialInstanceCount"):
        if member not in variant:
            raise invalid(f"Variant '{name}' needs {member}, unless it has a ServerlessConfig.")


def _check_shadows(request: CreateEndpointConfigInput) -> None:
    shadows = request.get("ShadowProductionVariants")
    if shadows and (len(shadows) != 1 or len(request["ProductionVariants"]) != 1):
        raise invalid(
            "An endpoint configuration with ShadowProductionVariants must have exactly one production variant and one "
            "shadow variant."
        )


def _refuse_unsupported(request: CreateEndpointConfigInput) -> None:
    for member in _UNSUPPORTED:
        if request.get(member):
            raise unsupported(member)
    capture = request.get("DataCaptureConfig")
    if capture is not None and capture.get("EnableCapture", True):
        raise unsupported("DataCaptureConfig with EnableCapture")
    metrics = request.get("MetricsConfig", {})
    for switch in ("EnableEnhancedMetrics", "EnableDetailedObservability"):
        if metrics.get(switch):
            raise unsupported(f"MetricsConfig.{switch}")


def _refuse_unsupported_in_variant(variant: ProductionVariant, path: str) -> None:
    for member in _UNSUPPORTED_IN_VARIANT:
        if variant.get(member):
            raise unsupported(f"{path}.{member}")
    if "ModelName" not in variant:
        raise unsupported(f"{path} without ModelName (an endpoint for inference components)")
    if variant.get("ManagedInstanceScaling", {"Status": "DISABLED"}).get("Status", "ENABLED") == "ENABLED":
        raise unsupported(f"{path}.ManagedInstanceScaling")
    strategy = variant.get("RoutingConfig", {"RoutingStrategy": "RANDOM"})["RoutingStrategy"]
    if strategy not in _ROUTING_STRATEGIES:
        raise unsupported(f"{path}.RoutingConfig.RoutingStrategy {strategy}")
